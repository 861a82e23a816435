"""One way to make several runs: what comes next is decided from what has been made, as it is kept on disk."""

from soak.studies.conduct.conducting import Interrupted, Study, conduct
from soak.studies.conduct.folder import new_folder, read_kept
from soak.studies.conduct.making import Charge, MadeRun, NotStarted, OwnMemory, PlannedRun, make_run, started
from soak.studies.conduct.progress import tell_how_to_go_on

__all__ = [
    "Charge",
    "Interrupted",
    "MadeRun",
    "NotStarted",
    "OwnMemory",
    "PlannedRun",
    "Study",
    "conduct",
    "make_run",
    "new_folder",
    "read_kept",
    "started",
    "tell_how_to_go_on",
]
