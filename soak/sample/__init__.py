"""Sampling: what is read of the server and of the harness, from where, when, and at what cost."""

from soak.sample.processes import MemorySplit, ProcessTree, SharedMemorySplit, TreeReading
from soak.sample.schedule import FixedSchedule, Tick, TimeBudget
from soak.sample.scrape import MetricsScraper

__all__ = [
    "FixedSchedule",
    "MemorySplit",
    "MetricsScraper",
    "ProcessTree",
    "SharedMemorySplit",
    "Tick",
    "TimeBudget",
    "TreeReading",
]
