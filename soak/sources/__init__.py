"""Where memory is read from: what is read, when, at what cost, and what it cannot tell.

A `MemorySource` is a part found by name: one module and one line in `soak.sources.registry`, or a package of
somebody else's with an entry point of the group `soak.sources`.
"""

from soak.sources.cadence import Every, EverySample, InQuietWindows, OnceInEveryQuietWindow
from soak.sources.processes import DetailedReading, MemorySplit, ProcessTree, TreeReading
from soak.sources.scrape import ServerPages
from soak.sources.source import Gap, Gone, MemorySource, Outcome, Reading, SourceReader, Watched

__all__ = [
    "DetailedReading",
    "Every",
    "EverySample",
    "Gap",
    "Gone",
    "InQuietWindows",
    "MemorySource",
    "MemorySplit",
    "OnceInEveryQuietWindow",
    "Outcome",
    "ProcessTree",
    "Reading",
    "ServerPages",
    "SourceReader",
    "TreeReading",
    "Watched",
]
