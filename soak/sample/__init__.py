"""Sampling: what is read of the server and of the harness, from where, when, and at what cost."""

from soak.sample.processes import DetailedReading, MemorySplit, ProcessTree, TreeReading
from soak.sample.schedule import FixedSchedule, Tick, TimeBudget
from soak.sample.scrape import MetricsScraper

__all__ = [
    "DetailedReading",
    "FixedSchedule",
    "MemorySplit",
    "MetricsScraper",
    "ProcessTree",
    "Tick",
    "TimeBudget",
    "TreeReading",
]
