"""Other people's files: what tools and people write of memory, recognised by content, read as series."""

from soak.recordings.asked import Asked
from soak.recordings.reading import read_run_of, read_runs
from soak.recordings.recording import Axis, Reading, Recording, RecordingFormat, UnreadableError

__all__ = [
    "Asked",
    "Axis",
    "Reading",
    "Recording",
    "RecordingFormat",
    "UnreadableError",
    "read_run_of",
    "read_runs",
]
