"""Sampling: what is read of the server and of the harness, from where, when, and at what cost."""

from soak.sources.processes import DetailedReading, MemorySplit, ProcessTree, TreeReading
from soak.sources.scrape import ServerPages

__all__ = [
    "DetailedReading",
    "MemorySplit",
    "ProcessTree",
    "ServerPages",
    "TreeReading",
]
