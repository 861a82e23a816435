"""Courses that memory takes over a trace, as shares of something: the bricks the families are built of.

A warm-up runs from -1 (the start) to 0 (settled); a swing has a mean of about 0; a saw-tooth lies in 0 to 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtri

from benchmarks.verdict.draw import DAY_S, HOUR_S
from benchmarks.verdict.noise import autoregressive

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from benchmarks.verdict.draw import Clock, Draw


def stairs_at(
    x: NDArray[np.float64], when: NDArray[np.float64], sizes: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Add a step of each size once `x` has passed its time."""
    order = np.argsort(when)
    heights = np.concatenate([[0.0], np.cumsum(sizes[order])])
    return heights[np.searchsorted(when[order], x, side="right")]


def ladder(draw: Draw, x: NDArray[np.float64], end: float) -> NDArray[np.float64]:
    """First touch of each thread's arena: steps dense at first, rarer later, the last at `end` (§3, §7)."""
    steps = draw.count(4, 40)
    when = end * draw.rng.uniform(0.0, 1.0, steps) ** draw.between(1.5, 4.0)
    when[0] = end
    return stairs_at(x, when, draw.rng.dirichlet(np.full(steps, 1.5))) - 1.0


def exponential(draw: Draw, x: NDArray[np.float64], end: float) -> NDArray[np.float64]:
    """Approach the level with one time constant, 3 to 6 of which pass by `end`."""
    return -np.exp(-x / end * draw.between(3.0, 6.0))


def two_time_constants(draw: Draw, x: NDArray[np.float64], end: float) -> NDArray[np.float64]:
    """A quick warm-up, then one 5 to 20 times slower, as ONNX Runtime's arena after the first inputs."""
    slow = end / draw.between(3.0, 5.0)
    quick = slow / draw.between(5.0, 20.0)
    part = draw.between(0.3, 0.8)
    return -part * np.exp(-x / quick) - (1.0 - part) * np.exp(-x / slow)


def logarithmic(draw: Draw, x: NDArray[np.float64], end: float) -> NDArray[np.float64]:
    """300/510/630/690 MB at 0/3:40/7:20/11 min (vosk-api#209): a logarithm of time that stops at `end`."""
    quickness = draw.log_between(30.0, 1000.0)
    passed = np.minimum(x / end, 1.0)
    return np.asarray(np.log1p(passed * quickness) / np.log1p(quickness) - 1.0, dtype=np.float64)


def slowing_touches(draw: Draw, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """First touches whose rate falls as 1 / time, as that of records does, to the very end.

    1030, 1036, 1041 MiB after 50, 200, 500 connections (§7); late touches are as large as early ones.
    """
    touches = draw.count(10, 120)
    when = draw.log_between(0.005, 0.05) ** draw.rng.random(touches)
    sizes = draw.rng.gamma(draw.between(0.7, 4.0), 1.0, touches)
    return stairs_at(x, when, sizes / sizes.sum()) - 1.0


def few_large_steps(draw: Draw, x: NDArray[np.float64], end: float) -> NDArray[np.float64]:
    """0.6 → 1.2 → 1.5 GB (onnxruntime_backend#102), 3 or 4 sessions and then flat (onnxruntime#17451)."""
    steps = int(draw.rng.integers(2, 5))
    when = end * np.sort(draw.rng.uniform(0.1, 1.0, steps))
    sizes = 0.5 ** np.arange(steps) * draw.rng.uniform(0.6, 1.4, steps)
    return stairs_at(x, when, sizes / sizes.sum()) - 1.0


WARM_UPS: tuple[Callable[[Draw, NDArray[np.float64], float], NDArray[np.float64]], ...] = (
    ladder,
    exponential,
    two_time_constants,
    logarithmic,
    few_large_steps,
)


def draw_warm_up(draw: Draw, x: NDArray[np.float64], latest_end: float = 0.35) -> NDArray[np.float64]:
    """One kind of warm-up over by `latest_end`, that lifts memory by 2 to 45 % of the level it settles at."""
    end = draw.log_between(0.02, latest_end, widen=0.1)
    return draw.log_between(0.02, 0.45) * draw.one_of(WARM_UPS)(draw, x, end)


def saw_tooth(draw: Draw, x: NDArray[np.float64], teeth: float, irregular: float) -> NDArray[np.float64]:
    """Garbage collection: rises, is collected; `irregular` is the relative spread of the teeth's lengths."""
    lengths = draw.rng.gamma(1.0 / irregular**2, irregular**2, round(teeth * 1.5) + 8) / teeth
    bounds = np.cumsum(lengths) - draw.between(0.0, 1.0) * lengths[0]
    bounds = np.concatenate([bounds, [bounds[-1] + 1e9]])
    at = np.searchsorted(bounds, x, side="right")
    tooth_begins = np.where(at > 0, bounds[at - 1], bounds[0] - lengths[0])
    left = draw.rng.uniform(0.0, 0.15, bounds.size)[at]
    risen = np.clip((x - tooth_begins) * teeth, 0.0, 2.5)
    return left + (1.0 - left) * risen ** draw.between(0.7, 1.2)


def daily(draw: Draw, t_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """A day of load: a hump with a second harmonic, uneven days, quieter week-ends; mean about 0."""
    days = t_s / DAY_S + draw.between(0.0, 7.0)
    angle = 2 * np.pi * days
    wave = np.sin(angle) + draw.between(0.1, 0.5) * np.sin(2 * angle + draw.between(0.0, 6.3))
    height = draw.rng.uniform(0.75, 1.25, 20)
    weekend = np.where(np.floor(days) % 7 >= 5, draw.between(0.3, 1.0), 1.0)
    uneven = wave * height[np.floor(days).astype(int)] * weekend
    return np.asarray(uneven - draw.between(0.0, 1.0) * (1.0 - weekend), dtype=np.float64)


def hourly(draw: Draw, t_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """A job or a traffic pattern that returns every hour or so: a wave or a raised block, mean about 0."""
    cycles = t_s / (HOUR_S * draw.one_of((0.5, 1.0, 1.0, 1.0, 2.0))) + draw.between(0.0, 1.0)
    if draw.chance(0.5):
        return np.asarray(np.sin(2 * np.pi * cycles), dtype=np.float64)
    duty = draw.between(0.15, 0.6)
    return np.where(cycles % 1.0 < duty, 2.0, 0.0) - 2.0 * duty


def records(draw: Draw, arrivals: NDArray[np.float64], longest: float) -> NDArray[np.float64]:
    """The longest input so far, 0 to 1, over lognormal lengths cut at `longest` times the median.

    The maximum of `arrivals` draws between two readings is drawn at once, by the inverse of its distribution.
    """
    drawn = draw.rng.random(arrivals.size) ** (1.0 / np.maximum(arrivals, 1.0))
    lengths = np.exp(draw.between(0.4, 0.8) * ndtri(np.clip(drawn, 1e-12, 1.0 - 1e-12)))
    lengths = np.where(arrivals > 0, np.minimum(lengths, longest), 0.0)
    return np.maximum.accumulate(lengths) / longest


def wander(draw: Draw, clock: Clock, memory_s: float) -> NDArray[np.float64]:
    """A slow, bounded wander of standard deviation 1 with a memory of `memory_s`."""
    return autoregressive(draw, clock.t_s.size, memory_s / clock.interval_s)


def jobs(draw: Draw, x: NDArray[np.float64], most: int) -> NDArray[np.float64]:
    """Jobs that come and go on a shared machine, each holding its memory from its start to its end."""
    held = np.zeros(x.size)
    for _ in range(draw.count(3, most)):
        begin = draw.between(-0.2, 1.0)
        lasts = draw.log_between(0.01, 0.25)
        held += draw.rng.gamma(2.0) * ((x >= begin) & (x < begin + lasts))
    return held
