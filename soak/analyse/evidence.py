"""What the tail after warm-up shows: its slope by time and by connection, and whether it persists."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from soak.analyse.trend import centre_and_unit, fit, fit_line
from soak.analyse.verdict import Estimate, Follows
from soak.analyse.warmup import find_warm_up_end

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from soak.analyse.points import Points
    from soak.analyse.settings import JudgeSettings
    from soak.analyse.trend import Fit

SLOPE = np.array([0.0, 1.0])
EVIDENCE_TO_TELL = 3.0
"""Difference of log evidence from which one unit is said to explain the growth better (odds of 20 to 1)."""
POWER_FACTOR = 1.43
"""(1.96 + 0.84) / 1.96: a growth this many half-widths large is seen four times out of five."""


@dataclass(frozen=True, eq=False)
class Evidence:
    """The measured facts a verdict is made of. Slopes are per second or per connection."""

    first: int
    """Index of the first point of the tail."""
    point_count: int
    """Points in all, those of the warm-up included."""
    warm_up_over: bool
    tail_s: float
    """Length of the tail."""
    level_bytes: float
    """Where the fitted line is in the middle of the tail."""
    end_level_bytes: float
    """Median of the tail's later half: where memory is now, also after a step down."""
    noise_bytes: float
    """Typical distance of a point of the tail from the line."""
    per_second: Estimate
    at_most_per_second: float
    """Upper bound of the slope by time, one-sided, that a plateau is decided on."""
    per_connection: Estimate | None
    follows: Follows | None
    early: Estimate
    """Slope of the tail's earlier half, per unit of workload (connection, else second)."""
    late: Estimate
    """Slope of the tail's later half."""
    keeps_pace: float
    """Share of the earlier half's slope the later half is shown to keep (lower bound; 0 if none)."""
    tail_growth_bytes: float
    """What the line gains over the tail."""
    step_share: float
    """Share of that gain made in the largest single step, beyond what a steady rise makes there."""
    tail_span: float
    """Length of the tail in workload."""
    warm_up_span: float
    """Length of the warm-up in workload."""


def gather(points: Points, start_s: float, settings: JudgeSettings) -> Evidence:
    """Find the tail of these points and measure it. Needs at least `settings.min_points` points."""
    noise_floor = settings.page_bytes / np.sqrt(12.0)
    t_s, memory = points.t_s, points.memory_bytes
    work = t_s if points.connections is None else points.connections
    warm_up = find_warm_up_end(
        t_s,
        work,
        memory,
        min_tail=max(settings.min_points - 1, int(np.ceil(settings.min_tail_share * t_s.size))),
        bend_confidence=settings.bend_confidence,
        noise_floor=noise_floor,
    )
    tail = slice(warm_up.first, None)
    t_s, memory, work = t_s[tail], memory[tail], work[tail]
    by_time, centre_s, unit_s = fit_line(t_s, t_s, memory, noise_floor=noise_floor)
    per_second = _slope(by_time, unit_s, settings.interval_confidence)
    at_most = by_time.posterior(SLOPE).quantile(settings.plateau_confidence) / unit_s
    per_connection = None
    follows = None
    if points.connections is not None and np.ptp(work) > 0:
        by_work, _, unit = fit_line(t_s, work, memory, noise_floor=noise_floor)
        per_connection = _slope(by_work, unit, settings.interval_confidence)
        follows = _follows(by_time, by_work)
    else:
        work = t_s
    axis = t_s if follows is Follows.TIME else work
    early, late, keeps_pace = _halves(t_s, axis, memory, settings, noise_floor)
    growth = per_second.estimate * float(t_s[-1] - t_s[0])
    first_work = float(work[0])
    begin = 0.0 if points.connections is not None else start_s
    level = by_time.posterior(np.array([1.0, 0.0])).quantile(0.5)
    residuals = memory - level - per_second.estimate * (t_s - centre_s)
    return Evidence(
        first=warm_up.first,
        point_count=points.t_s.size,
        warm_up_over=warm_up.over,
        tail_s=float(t_s[-1] - t_s[0]),
        level_bytes=level,
        end_level_bytes=float(np.median(memory[memory.size // 2 :])),
        noise_bytes=max(float(np.std(residuals)), noise_floor),
        per_second=per_second,
        at_most_per_second=at_most,
        per_connection=per_connection,
        follows=follows,
        early=early,
        late=late,
        keeps_pace=keeps_pace,
        tail_growth_bytes=growth,
        step_share=largest_step_share(memory, growth),
        tail_span=float(work[-1]) - first_work,
        warm_up_span=max(first_work - begin, 0.0),
    )


def largest_step_share(memory: NDArray[np.float64], growth_bytes: float) -> float:
    """Return the share of the growth made in one step beyond a steady rise; 0 for no growth."""
    if growth_bytes <= 0:
        return 0.0
    width = max(2, memory.size // 12)
    if memory.size < 2 * width + 1:
        width = 1
    stretches = np.lib.stride_tricks.sliding_window_view(memory, width)
    medians = np.median(stretches, axis=1)
    rises = medians[width:] - medians[:-width]
    # a steady rise gains this much between neighbouring stretches without any step
    steady = width / (memory.size - 1)
    return float(rises.max()) / growth_bytes - steady


def _slope(line: Fit, unit: float, confidence: float) -> Estimate:
    scaled = line.posterior(SLOPE).interval(confidence)
    return Estimate(scaled.estimate / unit, scaled.low / unit, scaled.high / unit)


def _follows(by_time: Fit, by_work: Fit) -> Follows | None:
    difference = by_work.log_evidence - by_time.log_evidence
    if abs(difference) < EVIDENCE_TO_TELL:
        return None
    return Follows.CONNECTIONS if difference > 0 else Follows.TIME


def _halves(
    t_s: NDArray[np.float64],
    axis: NDArray[np.float64],
    memory: NDArray[np.float64],
    settings: JudgeSettings,
    noise_floor: float,
) -> tuple[Estimate, Estimate, float]:
    """Fit two lines that meet in the middle; return both slopes and the share of the pace surely kept."""
    centre, unit = centre_and_unit(axis)
    scaled = (axis - centre) / unit
    hinge = np.maximum(scaled - 0.5 * (scaled[0] + scaled[-1]), 0.0)
    design = np.column_stack([np.ones_like(scaled), scaled, hinge])
    if scaled.size < 5 or np.linalg.matrix_rank(design) < 3:
        unknown = Estimate(float("nan"), float("-inf"), float("inf"))
        return unknown, unknown, 0.0
    fitted = fit(t_s, design, memory, noise_floor=noise_floor)
    confidence = settings.interval_confidence
    early = fitted.posterior(np.array([0.0, 1.0, 0.0])).interval(confidence)
    late = fitted.posterior(np.array([0.0, 1.0, 1.0])).interval(confidence)
    tail_probability = 0.5 * (1.0 - confidence)
    kept = 0.0
    for share in PACE_STEPS:
        # the later slope minus this share of the earlier one: above zero when at least that pace is kept
        pace = fitted.posterior(np.array([0.0, 1.0 - share, 1.0]))
        if pace.probability_below(0.0) > tail_probability:
            break
        kept = float(share)
    both = (Estimate(s.estimate / unit, s.low / unit, s.high / unit) for s in (early, late))
    return next(both), next(both), kept


PACE_STEPS = np.arange(0.05, 1.0, 0.025)
"""Shares of the earlier pace that are tried."""
