"""Sampling: what is read of the server and of the harness, from where, when, and at what cost."""

from soak.sample.processes import DetailedReading, MemorySplit, ProcessTree, TreeReading
from soak.sample.schedule import FixedSchedule, Tick, TimeBudget
from soak.sample.scrape import ServerPages

__all__ = [
    "DetailedReading",
    "FixedSchedule",
    "MemorySplit",
    "ProcessTree",
    "ServerPages",
    "Tick",
    "TimeBudget",
    "TreeReading",
]
