"""What speaks for a leak and what against it, each as one number without a unit: what is weighed.

No single test tells growth that goes on from growth that ends: what the models say of a life and of its
last parts, ranks, new highs and the course of the pace each err on other shapes. All figures are relative to
the budget, to the noise or to the range of the memory, so that the unit of the memory changes none of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import median_filter

from soak.analyse.floors.points import MAD_TO_DEVIATION
from soak.analyse.posterior.moments import slope
from soak.analyse.posterior.seasons import without_swings
from soak.verdict.reason import Topic

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from soak.analyse.floors.points import Points
    from soak.analyse.posterior.evidence import Evidence

    Floats = NDArray[np.float64]

TOPICS = {
    "whole": Topic.WHOLE,
    "two_thirds": Topic.LAST_PARTS,
    "half": Topic.LAST_PARTS,
    "tau": Topic.STEADINESS,
    "r2": Topic.STEADINESS,
    "rise": Topic.END,
    "range": Topic.END,
    "noise": Topic.END,
    "above": Topic.END,
    "since": Topic.END,
    "end": Topic.END,
    "largest": Topic.END,
    "pace": Topic.PACE,
    "kept": Topic.PACE,
    "warm": Topic.WARM_UP,
    "endings": Topic.WARM_UP,
    "persisted": Topic.WARM_UP,
    "restarted": Topic.RESTARTS,
}
"""What figures are about, by how their names begin."""
MOST_CERTAIN = 1e-4
"""Probabilities are told apart down to this: no model is surer of itself than its shapes are true."""
SMOOTHING = 16
"""The course of memory is the running median over this part of the points."""
LEAST_SMOOTHED = 3
"""Points it spans at least."""
NOISE_OF_RANGE = 1e-3
NOISE_OF_BUDGET = 0.02
"""The noise is believed to be at least these shares of the range and of the budget."""
END_SHARE = 0.9
"""Where memory is at the end is the median from this share of the life on."""
MOST_PERSISTENT = 8.0
"""Figure of growth that had no warm-up to outlast."""
STEEPEST_PACE = 3.0
"""Gain of pace from the earlier to the later half beyond which it is all the same."""
TINY = 1e-9


def figures(
    whole: Evidence,
    points: Points,
    budget_bytes: float,
    last_parts: Mapping[str, tuple[Evidence, float]],
    *,
    restarted: bool,
) -> dict[str, float]:
    """Return the figures of one life, by name.

    `whole` is the evidence of all its `points`, `last_parts` by name that of the last ones alone with the
    budget over them; `budget_bytes` is the growth accepted over all of them.
    """
    found = _believed("whole", whole, budget_bytes)
    for name, (evidence, budget) in last_parts.items():
        found |= _believed(name, evidence, budget)
    found |= _warm_up(whole, budget_bytes)
    share = (points.t_s - points.t_s[0]) / points.length_s
    memory = without_swings(share, points.memory_bytes, whole.swings)
    found |= _ranks(share, memory)
    found |= _course(share, memory, budget_bytes)
    found |= _paces(share, memory)
    found["restarted"] = float(restarted)
    return found


def by_topic(adds: Mapping[str, float]) -> dict[Topic, float]:
    """Add up what figures add to the log odds of a leak, by what they are about."""
    found: dict[Topic, float] = {}
    for name, added in adds.items():
        topic = next(topic for begins, topic in TOPICS.items() if name.startswith(begins))
        found[topic] = found.get(topic, 0.0) + added
    return found


def _believed(part: str, evidence: Evidence, budget_bytes: float) -> dict[str, float]:
    """What the models make of one part: log odds of a leak, and the growth over the part in budgets."""
    odds = min(max(evidence.lasting, MOST_CERTAIN), 1.0 - MOST_CERTAIN)
    slope, budgets = evidence.per_second, evidence.run_s / budget_bytes
    return {
        f"{part}_log_odds": float(np.log(odds / (1.0 - odds))),
        f"{part}_growth": _compressed(slope.estimate * budgets),
        f"{part}_growth_low": _compressed(slope.low * budgets),
        f"{part}_growth_high": _compressed(slope.high * budgets),
        f"{part}_growth_at_least": _compressed(evidence.at_least_per_second * budgets),
    }


def _warm_up(evidence: Evidence, budget_bytes: float) -> dict[str, float]:
    """What ended, how it ended, and how long memory was watched since."""
    persisted = MOST_PERSISTENT
    if evidence.warm_up_span > 0:
        persisted = min(float(np.log1p(evidence.tail_span / evidence.warm_up_span)), MOST_PERSISTENT)
    kept = evidence.kept_pace if np.isfinite(evidence.kept_pace) else 0.0
    return {
        "kept_pace": min(max(kept, -1.0), STEEPEST_PACE),
        "warm_up_gain": float(np.log1p(max(evidence.warm_up_gain_bytes, 0.0) / budget_bytes)),
        "warm_up_pace": _compressed(evidence.warm_up_pace_bytes / budget_bytes),
        "pace_beside": _compressed(evidence.beside_pace_bytes / budget_bytes),
        "warm_up_share": evidence.first / evidence.point_count,
        "endings": float(len(evidence.ending)),
        "persisted": persisted,
    }


def _ranks(share: Floats, memory: Floats) -> dict[str, float]:
    """How steadily memory rises, of all of it and of its last parts: Kendall's tau, and R² with its sign."""
    found = {}
    for name, since in (("life", 0.0), ("two_thirds", 1 / 3), ("half", 0.5)):
        found[f"tau_{name}"] = _tau(memory[share >= since])
    for name, since in (("half", 0.5), ("third", 2 / 3)):
        late = share >= since
        found[f"r2_{name}"] = _signed_r2(share[late], memory[late])
    return found


def _course(share: Floats, memory: Floats, budget_bytes: float) -> dict[str, float]:
    """Where memory is at the end against where it was, in budgets, in noises and within its range."""
    width = min(max(LEAST_SMOOTHED, memory.size // SMOOTHING) | 1, (memory.size - 1) | 1)
    smooth = median_filter(memory, size=width, mode="nearest")
    noise = MAD_TO_DEVIATION * float(np.median(np.abs(memory - smooth)))
    range_bytes = float(np.ptp(smooth))
    noise += NOISE_OF_RANGE * range_bytes + NOISE_OF_BUDGET * budget_bytes
    end = _middle(share, memory, END_SHARE, 1.0)
    found = {
        "rise_since_30_noise": _compressed((end - _middle(share, memory, 0.25, 0.35)) / noise),
        "rise_half_of_range": (end - _middle(share, memory, 0.45, 0.55)) / (range_bytes + TINY),
        "rise_of_range": float(end - memory[: max(1, memory.size // 20)].mean()) / (range_bytes + TINY),
        "range": float(np.log(range_bytes / budget_bytes + NOISE_OF_RANGE)),
        "noise": float(np.log(noise / budget_bytes)),
    }
    for name, begin, finish in (("70", 0.65, 0.75), ("85", 0.8, 0.88)):
        rise = end - _middle(share, memory, begin, finish)
        found[f"rise_since_{name}"] = _compressed(rise / budget_bytes)
        found[f"rise_since_{name}_noise"] = _compressed(rise / noise)
    # quantiles, not maxima: a lone high point is no level that memory had reached before
    for name, since in (("quarter", 0.75), ("half", 0.5)):
        before = smooth[share <= since]
        found[f"above_before_{name}"] = float(np.mean(memory[share > since] > np.quantile(before, 0.98)))
    found["since_high"] = 1.0 - float(share[int(np.argmax(smooth >= smooth.max() - noise))])
    found["end_rank"] = float(np.mean(smooth <= end))
    late = np.diff(smooth[share >= 0.4])
    found["largest_step"] = float(late.max() / (np.abs(late).sum() + TINY)) if late.size else 0.0
    return found


def _paces(share: Floats, memory: Floats) -> dict[str, float]:
    """The slopes of the quarters of a life, as shares of what they come to without their signs."""
    slopes = []
    for quarter in range(4):
        inside = (share >= quarter / 4) & (share <= (quarter + 1) / 4)
        slopes.append(slope(share[inside], memory[inside]))
    total = float(np.abs(slopes).sum()) + TINY
    return {f"pace_{quarter + 1}": slopes[quarter] / total for quarter in (0, 1, 3)}


def _compressed(value: float) -> float:
    """Return the inverse hyperbolic sine: a logarithm for large values of either sign, a line near 0."""
    return float(np.arcsinh(value))


def _middle(share: Floats, memory: Floats, begin: float, finish: float) -> float:
    inside = (share >= begin) & (share <= finish)
    if inside.any():
        return float(np.median(memory[inside]))
    return float(np.interp(0.5 * (begin + finish), share, memory))


def _tau(memory: Floats) -> float:
    """Return Kendall's tau-a: rising pairs less falling ones, over all, so that ties count for neither."""
    pairs = memory.size * (memory.size - 1) / 2
    if not pairs:
        return 0.0
    return float(np.triu(np.sign(memory[None, :] - memory[:, None]), 1).sum() / pairs)


def _signed_r2(share: Floats, memory: Floats) -> float:
    if share.size < 3 or np.ptp(memory) <= 0:
        return 0.0
    pace = slope(share, memory)
    explained = pace**2 * float(np.var(share)) / float(np.var(memory))
    return float(np.sign(pace)) * min(explained, 1.0)
