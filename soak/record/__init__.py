"""The run directory: what a soak leaves behind, written as it goes and readable after a kill."""

from soak.record.columns import COLUMNS, JUDGED_COLUMNS
from soak.record.directory import RunDirectory
from soak.record.reader import Run, read_run
from soak.record.samples import read_samples
from soak.record.transcripts import Transcripts

__all__ = ["COLUMNS", "JUDGED_COLUMNS", "Run", "RunDirectory", "Transcripts", "read_run", "read_samples"]
