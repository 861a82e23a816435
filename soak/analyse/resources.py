"""Verdicts on what a server holds besides memory: descriptors, threads, sockets, live sessions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from soak.analyse.verdict import Estimate, Label


@dataclass(frozen=True, eq=False)
class ResourceVerdict:
    """The judgement of one resource over a run. All levels are counts, all growths counts per unit."""

    verdict: Label
    """Plateau, climbing or inconclusive."""
    reasons: tuple[str, ...]
    """Why, in plain words with counts, most important first."""
    growth_per_hour: Estimate
    """Slope after warm-up, by time; NaN where nothing could be estimated."""
    growth_per_connection: Estimate | None
    """Slope after warm-up, by connection; None without a connection counter that moves."""
    start: int
    """First reading of the run."""
    end: int
    """Last reading of the run."""
    peak: int
    """Highest single reading of the run."""
