"""Every threshold of the judge, with its unit, its default and where the default comes from."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Self


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

    restart_drop: float = 0.25
    """Share of the level RSS must lose within one step to be looked at as a restart. A malloc_trim was
    seen to return 22 % (catalogue 7.4)."""
    restart_near_start: float = 0.5
    """A fresh process keeps less than this share of what the life before gained since its start."""
    restart_bare_share: float = 0.3
    """A fall by this share of the level is a restart even without a gap or a counter that fell."""
    max_restarts: int = 30
    """More falls than this in one series are a saw-tooth, not restarts."""
    short_life_share: float = 0.5
    """A last life shorter than this share of another leaves the word to that one, if it decides anything."""
    restart_gap_intervals: float = 5.0
    """Sampling intervals without a reading that count as a gap, in which a process may have been replaced."""

    floor_quantile: float = 0.25
    """Quantile of a window's or bin's readings taken as its floor: low against spikes and saw-teeth, yet
    not the minimum, whose expectation falls with the number of readings."""
    max_bins: int = 240
    """Points of the load envelope; a shorter series is judged reading by reading. 240 resolve a day in a
    week and 1/100 of a run."""
    min_troughs: int = 10
    """Points that must remain when only the troughs of a saw-tooth are judged."""
    min_points: int = 6
    """Judged points below which nothing is decided: a line, a hinge and a noise need four numbers."""
    min_climbing_points: int = 10
    """Judged points below which growth is not called climbing, however straight it looks. A healthy server
    with 32 decoder threads rose by 8 MiB a rest window without slowing over 7 of them, then stopped."""
    few_points: int = 20
    """Judged points below which growth must also have kept its pace, or be beyond doubt: shapes can hardly be
    told apart."""
    few_points_pace: float = 0.75
    """Share of its pace it must have kept then, from the earlier to the later half. Healthy servers with 32
    decoder threads kept 0.45 to 0.69 over their first ten rest windows."""
    beyond_doubt: float = 0.95
    """Belief in a leak that outweighs few points and a warm-up still seen beside the growth, and, in there
    being none, a shape that has not ended. Of healthy servers with 32 decoder threads the first came to at
    most 0.90; leaks of 32 KiB and more per connection in them to 0.97 and more."""
    kept_pace: float = 0.94
    """Share of its pace growth must have kept in a last part that shows it, where the whole life shows a
    warm-up instead: a logarithmic one keeps 0.84 in the last two thirds, an exponential one whose time
    constant is twice the run 0.85."""
    benign_tail_share: float = 0.03
    """Share of the level a healthy server's slow tail was seen to add (catalogue 7.1: 2.7 % of 453 MB over
    2500 connections; 7: 1.9 % over 450). Growth below this in a young run must last for `slow_tail_span`."""
    slow_tail_pace: float = 0.8
    """Share of its pace such a small growth after a warm-up must have kept in its later half. The healthy
    server of catalogue 7.1 slowed from 6.1 to 4.1 kB per connection (0.67) before it stopped."""
    slow_tail_span: float = 3.0
    """How many times the warm-up's length (in connections, else seconds) such a small growth must persist.
    Logarithmic growth halves its speed over a tripling, so it cannot pass."""
    seasoned_connections: float = 4000.0
    """Connections from which a run is not young any more, so that growth that is small or was seen at few
    points is believed: the slow tail of the healthy server of catalogue 7.1 had ended after 3,300, the
    warm-up of 32 decoder threads after 1,800."""
    seasoned_s: float = 7200.0
    """The same in seconds, where connections are not counted."""
    still_running: bool = False
    """Whether the run goes on, as at a look before its end: then it is young however long it is, because what
    is yet to come may show a small growth to be the end of a warm-up."""
    min_duration_s: float = 60.0
    """Seconds; shorter runs are never decided (the sweep of closed connections alone takes 5 s)."""
    min_connections: float = 40.0
    """Connections completed below which nothing is decided, where they are counted: warm-up is mostly over
    after 50 (catalogue 7.3)."""

    interval_confidence: float = 0.95
    """Confidence of every interval (two-sided)."""
    prior_lasting: float = 0.4
    """Belief, before anything is seen, that memory grows beyond the budget without end: somebody suspects a
    leak, and about as often it is none."""
    plateau_confidence: float = 0.7
    """Belief in there being no growth beyond the budget that lasts, from which memory is called flat. A
    budget that was given must lie outside the one-sided interval, too. Chosen, like the next, on tuning
    traces that the weights had not seen (`benchmarks/verdict`): a threshold is passed by far fewer wrong ones
    than it admits, for beliefs are mostly near none or all."""
    climbing_confidence: float = 0.8
    """Belief in growth beyond the budget that lasts, from which it is called climbing, if its interval
    lies above none, too. Higher than the other: a false alarm costs trust. Of made traces with beliefs from
    0.7 to 0.8 six in seven were leaks, but a healthy server with 32 decoder threads came to 0.77 after 6,400
    connections, when all that still grew was what malloc keeps for them."""
    settled_pace_share: float = 0.25
    """A warm-up is over when, at the pace it ends with, another run would add less than this share of what
    it added. A logarithmic one that bent after a hundredth of the run ends with 0.22."""
    settled_pace_budgets: float = 2.0
    """Or less than this many times the budget."""
    most_warming: float = 0.5
    """Growth is not called climbing while a warm-up beside it still adds more than this share of it: an
    exponential one that has hardly begun to bend looks like one that ended sooner and a leak."""
    little_warming: float = 0.1
    """Growth beside a warm-up that adds less than this share of it is measured over the whole run; else over
    the last part, where the two are not mixed up."""

    def differing_from(self, other: Self) -> dict[str, Any]:
        """Return the settings that are not as in `other`, by name."""
        theirs = asdict(other)
        return {name: value for name, value in asdict(self).items() if value != theirs[name]}

    def __post_init__(self) -> None:
        """Check the ranges."""
        growth = self.max_growth_bytes_per_hour
        if growth is not None and not 0 < growth < float("inf"):
            raise ValueError(f"the growth budget must be above 0 bytes per hour, not {growth:g}")
        shares = (
            "relative_budget",
            "restart_drop",
            "floor_quantile",
            "prior_lasting",
            "plateau_confidence",
            "climbing_confidence",
            "interval_confidence",
        )
        for name in shares:
            if not 0 < getattr(self, name) < 1:
                raise ValueError(f"{name} must be between 0 and 1, not {getattr(self, name):g}")
        if self.prior_lasting > 0.7:
            raise ValueError(
                f"prior_lasting must leave room for no growth, at most 0.7, not {self.prior_lasting:g}"
            )
        if self.min_points < 5:
            raise ValueError(f"min_points must be at least 5, not {self.min_points}")
