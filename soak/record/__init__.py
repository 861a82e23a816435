"""The run directory: what a soak leaves behind, written as it goes and readable after a kill."""

from soak.record.directory import RunDirectory
from soak.record.manifest import Manifest
from soak.record.reader import Run, read_run
from soak.record.samples import read_samples
from soak.record.transcripts import Transcripts

__all__ = ["Manifest", "Run", "RunDirectory", "Transcripts", "read_run", "read_samples"]
