"""Every threshold of the judge, with its unit, its default and where the default comes from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class JudgeSettings:
    """How the judge decides. "Catalogue" is the collection of public reports the project started from.

    Raises ValueError, in one line, for a value outside its range.
    """

    max_growth_bytes_per_hour: float | None = None
    """Budget in bytes per hour; None takes the relative budget below."""
    relative_budget: float = 0.0025
    """Share of the level the memory may grow over the length of the run (design: 0.25 %)."""
    min_relative_budget_bytes: float = 0.0
    """Bytes; the relative budget is never smaller over the run; 0 leaves it at its share. For short runs of
    a server well below 400 MiB that takes memory in large steps, such as CPython's arenas of 1 MiB."""
    page_bytes: float = 4096.0
    """Bytes; memory is counted in pages, so no noise below a page's rounding is believed."""

    restart_drop: float = 0.3
    """Share of the level RSS must lose within one step to be looked at as a restart. A malloc_trim was
    seen to return 22 % (catalogue 7.4)."""
    restart_near_start: float = 0.35
    """A fresh process is within this share of the level the previous life started from."""
    restart_bare_share: float = 0.5
    """A fall to below this share of the level before it is a restart even without a gap or a counter."""
    max_restarts: int = 50
    """More falls than this in one series are a saw-tooth, not restarts."""
    restart_gap_intervals: float = 5.0
    """Sampling intervals without a reading that count as a gap, in which a process may have been replaced."""

    floor_quantile: float = 0.25
    """Quantile of a window's or bin's readings taken as its floor: low against spikes and saw-teeth, yet
    not the minimum, whose expectation falls with the number of readings."""
    max_bins: int = 240
    """Bins of the load envelope; the fit is linear in them, 240 resolve 1/10 of a run well."""
    min_troughs: int = 20
    """Points that must remain when only the troughs of a saw-tooth are judged."""
    samples_per_bin: int = 4
    """Readings a bin holds at least, so that its floor is one."""
    small_series_points: int = 24
    """A series shorter than this many bins' worth is judged reading by reading up to this many points."""

    min_points: int = 6
    """Judged points below which nothing is decided: a line, a hinge and a noise need four numbers."""
    min_climbing_points: int = 10
    """Judged points below which growth is not called climbing, however straight it looks. A healthy server
    with 32 decoder threads rose by 8 MiB a rest window without slowing over 7 of them, then stopped."""
    min_duration_s: float = 60.0
    """Seconds; shorter runs are never decided (the sweep of closed connections alone takes 5 s)."""
    min_connections: float = 40.0
    """Connections completed below which nothing is decided, where they are counted: warm-up is mostly over
    after 50 (catalogue 7.3)."""
    min_tail_share: float = 0.3
    """Share of the judged points the straight tail must keep (the "last third" of catalogue 4)."""

    interval_confidence: float = 0.95
    """Confidence of every interval (two-sided)."""
    plateau_confidence: float = 0.95
    """Confidence (one-sided) that growth is below the budget. An equivalence test at 5 % is the custom
    (Schuirmann 1987); the bound lies a little inside the two-sided interval that is reported."""
    climbing_confidence: float = 0.975
    """Confidence (one-sided) that growth which persists is above the budget before it is called climbing."""
    bend_confidence: float = 0.9
    """Confidence with which a tail must be shown to bend before its head counts as warm-up (one-sided). Of
    0.7 to 0.95, 0.9 decided most short runs rightly, healthy and leaking (see the tests of the shapes)."""
    persistence_ratio: float = 0.6
    """The later half of the tail must be shown to grow at least this share as fast as the earlier one. A
    rise that dies off exponentially has this ratio when the tail is one time constant long."""
    slow_persistence_ratio: float = 0.75
    """The same for growth below `benign_tail_share`. The healthy server of catalogue 7.1 slowed from 6.1 to
    4.1 kB per connection (ratio 0.67) before it stopped."""
    bent_persistence_ratio: float = 0.9
    """The same for a tail that surely bends. Slowing by no more than this within the last third,
    growth goes on for three more runs at least. An exponential whose time constant is the run has 0.85."""
    benign_tail_share: float = 0.03
    """Share of the level a healthy server's slow tail was seen to add (catalogue 7.1: 2.7 % of 453 MB over
    2500 connections; 7: 1.9 % over 450). Growth below this must persist for `slow_tail_span`."""
    max_step_share: float = 0.4
    """Share of the tail's growth one step may make beyond a steady rise; above it the growth is a step."""
    slow_tail_span: float = 3.0
    """How many times the warm-up's length (in connections, else seconds) such a small growth must persist.
    Logarithmic growth halves its speed over a tripling, so it cannot pass."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        growth = self.max_growth_bytes_per_hour
        if growth is not None and not 0 < growth < float("inf"):
            raise ValueError(f"the growth budget must be above 0 bytes per hour, not {growth:g}")
        shares = (
            "relative_budget",
            "restart_drop",
            "floor_quantile",
            "min_tail_share",
            "interval_confidence",
        )
        for name in shares:
            if not 0 < getattr(self, name) < 1:
                raise ValueError(f"{name} must be between 0 and 1, not {getattr(self, name):g}")
        if self.min_points < 5:
            raise ValueError(f"min_points must be at least 5, not {self.min_points}")
