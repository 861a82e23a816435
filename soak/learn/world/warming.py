"""Growth that ends: warm-ups, caches, threads, records, steps, and what is given back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from soak.learn.world.process import Part, healthy

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from soak.learn.world.draw import Draw
    from soak.learn.world.scene import Scene

    Floats = NDArray[np.float64]

GAIN = (3e-4, 2.0)
"""Of a warm-up, in shares of the level: onnxruntime 11627 went from 206 to 5,792 MB; most add a few per
cent."""
CONSTANT = (1.0, 1e6)
"""Of a warm-up, in connections or seconds: FunASR's is mostly over after 50 connections, the tail of 32
decoder threads after 3,300; a page cache fills for days."""


def _gain(draw: Draw) -> float:
    return draw.log_between(*GAIN)


def _constant(draw: Draw, whole: float) -> float:
    """Return a constant of a warm-up: physical, but seldom so far off that nothing of it is seen."""
    if draw.chance(0.2):
        return draw.log_between(*CONSTANT)
    return whole * draw.log_between(0.003, 0.5)


@healthy(weight=3.0)
def exponential(scene: Scene) -> Part:
    """Fill towards a level (a cache with random hits, pools, JITs; vosk-api 209: 300/510/630/690 MB)."""
    x, draw = scene.work(), scene.draw
    return Part(_gain(draw) * -np.expm1(-x / _constant(draw, x[-1])))


@healthy(weight=1.1)
def logarithmic(scene: Scene) -> Part:
    """Grow by as much with every doubling of the work, until it stops (hash tables, ever rarer shapes)."""
    x, draw = scene.work(), scene.draw
    bend = min(0.1 * _constant(draw, x[-1]), 0.1 * x[-1])
    last = np.minimum(x, bend * draw.log_between(10, 1e5)) if draw.chance(0.7) else x
    grown = np.log1p(last / bend)
    return Part(_gain(draw) * grown / max(float(grown[-1]), 1e-9))


@healthy(weight=0.8)
def power(scene: Scene) -> Part:
    """Grow like a power below one and stop (new words, new shapes: Heaps' law over a bounded corpus)."""
    x, draw = scene.work(), scene.draw
    stop = x[-1] * draw.log_between(0.05, 1.2)
    return Part(_gain(draw) * np.minimum(x / stop, 1.0) ** draw.between(0.25, 0.8))


@healthy(weight=2.0)
def arenas(scene: Scene) -> Part:
    """Each thread's arena is touched first at some connection, and grows at ever rarer moments.

    glibc: 1 to 16 threads 14 to 74 MB; FunASR at 32/8/4 threads: 894 to 1,030 MiB in 50 connections, 1,041
    after 500; 6.1 kB a connection over connections 500 to 1,500, 4.1 over 1,500 to 3,000, then exactly none.
    """
    x, draw = scene.work(), scene.draw
    threads = draw.whole(1, 64)
    first = draw.rng.exponential(threads * draw.log_between(0.3, 30), threads)
    later = draw.whole(1, 150)
    begin, end = threads * draw.log_between(0.3, 3), threads * draw.log_between(10, 3000)
    moments = np.exp(np.log(begin) + draw.uniform(later) * np.log(end / begin))
    sizes = np.exp(draw.between(0.2, 1.2) * draw.normal(threads + later))
    sizes[threads:] *= draw.log_between(0.02, 1.0) * threads / later
    return Part(_gain(draw) * _staircase(x, np.concatenate([first, moments]), sizes))


@healthy(weight=1.2)
def records(scene: Scene) -> Part:
    """Memory follows the largest input, or the highest concurrency, so far (FunASR 2643: 1.4 GB at once)."""
    draw = scene.draw
    each = np.diff(scene.connections, prepend=0.0) + 1e-3
    tail = draw.log_between(0.8, 6.0)
    past = max(scene.ran_before * scene.connections[-1], 1.0)
    each[0] += past
    # the largest of k draws from a Pareto distribution, by inverting its cumulative distribution
    largest = (-np.expm1(np.log(draw.uniform(scene.size)) / each)) ** (-1.0 / tail)
    highest = np.maximum.accumulate(largest)
    if draw.chance(0.7):
        highest = np.minimum(highest, past ** (1.0 / tail) * draw.log_between(1.2, 30))
    return Part(_gain(draw) * (highest - highest[0]) / max(float(highest[-1]), 1e-9))


@healthy(weight=1.2)
def bounded_cache(scene: Scene) -> Part:
    """Fill in a straight line to a cap that is reached within the trace, or was before."""
    x, draw = scene.work(), scene.draw
    cap = x[-1] * draw.log_between(0.02, 0.9)
    return Part(_gain(draw) * np.minimum(x / cap, 1.0))


@healthy(weight=0.25)
def cut_short(scene: Scene) -> Part:
    """Fill in a straight line, or nearly, to a cap that lies beyond the trace: to the eye, a small leak.

    Of the corpus' healthy servers one in fifteen did so over twelve minutes, by 1 to 8 % of its level.
    """
    x, draw = scene.work(), scene.draw
    cap = x[-1] * draw.log_between(1.0, 4.0)
    return Part(draw.log_between(1e-3, 0.08) * (x / cap) ** draw.between(0.6, 1.0))


@healthy(weight=1.0)
def steps(scene: Scene) -> Part:
    """Step up and stay: a model loaded late, a pool that doubled, a timer's thread."""
    draw = scene.draw
    count = draw.whole(1, 6)
    places = draw.uniform(count) ** draw.between(1.3, 4.0)
    return Part(_gain(draw) * _staircase(scene.t_s / scene.length_s, places, draw.uniform(count) + 0.1))


@healthy(weight=0.6)
def given_back(scene: Scene) -> Part:
    """Fall: what start-up took is freed, by and by or at once (malloc_trim: 478 to 375 MiB; 22 %)."""
    draw = scene.draw
    share = scene.t_s / scene.length_s
    size = draw.log_between(1e-3, 0.25)
    if draw.chance(0.5):
        return Part(size * np.exp(-share / draw.log_between(0.01, 0.7)))
    places = draw.uniform(draw.whole(1, 4))
    return Part(-size * _staircase(share, places, np.ones(places.size)))


@healthy(weight=0.5)
def given_back_and_taken(scene: Scene) -> Part:
    """Fall and come back: trimmed while idle, touched again with the next load."""
    draw = scene.draw
    share = scene.t_s / scene.length_s
    begin, width = draw.between(0.05, 0.9), draw.log_between(0.01, 0.4)
    gone: Floats = np.where((share > begin) & (share < begin + width), 1.0, 0.0)
    return Part(-draw.log_between(1e-3, 0.2) * gone)


@healthy(weight=1.5)
def sessions(scene: Scene) -> Part:
    """What open connections hold, given back some time after they close (FunASR: within 5 s, or later)."""
    draw = scene.draw
    most = float(scene.open.max())
    if most <= 0:
        return Part(np.zeros(scene.size))
    held = scene.open / most
    if draw.chance(0.5):
        held = np.maximum(held, np.concatenate([held[:1], held[:-1]]))
    return Part(draw.log_between(1e-4, 0.5) * held)


def _staircase(x: Floats, places: Floats, sizes: Floats) -> Floats:
    """Return the sum of steps at these places, scaled to 1 for all of them."""
    order = np.argsort(places)
    heights = np.concatenate([[0.0], np.cumsum(sizes[order])])
    climbed: Floats = heights[np.searchsorted(places[order], x)] / heights[-1]
    return climbed
