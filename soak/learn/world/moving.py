"""What moves about a level and comes back: noise of every colour, collectors, swings, spikes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.signal import lfilter

from soak.learn.world.process import Part, noise
from soak.learn.world.scene import DAY_S

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from soak.learn.world.scene import Scene

    Floats = NDArray[np.float64]


@noise(weight=3.0)
def white(scene: Scene) -> Part:
    """Each reading by itself."""
    return Part(scene.draw.normal(scene.size))


@noise(weight=3.0)
def wandering(scene: Scene) -> Part:
    """Readings that remember: an autoregression whose memory is of one reading to a third of the trace."""
    return Part(_wander(scene, scene.draw.log_between(1.0, max(0.3 * scene.size, 1.5))))


@noise(weight=1.0)
def of_every_scale(scene: Scene) -> Part:
    """The sum of wanderings of all memories: 1/f noise."""
    memory, total = 1.0, np.zeros(scene.size)
    while memory < 0.3 * scene.size:
        total += _wander(scene, memory)
        memory *= 4.0
    return Part(total / max(float(np.std(total)), 1e-9))


@noise(weight=1.2)
def between_levels(scene: Scene) -> Part:
    """Memory that is at one of a few levels and changes between them (pools, buffers that come and go)."""
    draw = scene.draw
    levels = draw.normal(draw.whole(2, 5))
    changes = draw.uniform(draw.whole(1, 80))
    where = np.searchsorted(np.sort(changes), scene.t_s / scene.length_s)
    return Part(levels[draw.rng.integers(levels.size, size=changes.size + 1)][where])


@noise(weight=1.5)
def collector(scene: Scene) -> Part:
    """A saw-tooth: garbage grows and is collected (only the troughs tell)."""
    draw = scene.draw
    teeth = draw.log_between(1.5, max(0.5 * scene.size, 3.0))
    saw = _teeth(scene, teeth)
    if draw.chance(0.4):
        saw = saw + draw.between(0.3, 3.0) * _teeth(scene, max(teeth / draw.log_between(3, 20), 1.2))
    return Part(3.0 * saw)


@noise(weight=1.5)
def swing(scene: Scene) -> Part:
    """Come and go with the hour, the day, the week, or a period of its own."""
    draw = scene.draw
    period_s = draw.pick((3600.0, DAY_S, 7 * DAY_S, scene.length_s * draw.log_between(0.02, 1.5)))
    if period_s > 2 * scene.length_s:
        period_s = scene.length_s * draw.log_between(0.05, 1.0)
    turn = 2 * np.pi * (scene.t_s / period_s + draw.rng.random())
    wave = np.sin(turn) + draw.between(0, 0.6) * np.sin(2 * turn + draw.between(0, 6))
    return Part(1.4 * (wave if draw.chance(0.7) else np.clip(wave, -0.3, 0.5)))


@noise(weight=1.5)
def load(scene: Scene) -> Part:
    """What the open connections weigh, closely or loosely followed."""
    spread = float(np.std(scene.open))
    if spread <= 0:
        return Part(np.zeros(scene.size))
    return Part((scene.open - scene.open.mean()) / spread)


@noise(weight=1.0)
def rate(scene: Scene) -> Part:
    """What is kept until the next sweep: it follows the rate of closes (FunASR: 453 to 472 MiB as the
    throughput rose from 12 to 32 connections a second)."""
    spread = float(np.std(scene.profile))
    if spread <= 0:
        return Part(np.zeros(scene.size))
    follows = lfilter([0.3], [1.0, -0.7], scene.profile - scene.profile[0])
    return Part(follows / max(float(np.std(follows)), 1e-9))


@noise(weight=1.2)
def spikes(scene: Scene) -> Part:
    """Lone readings far up: a request that took much, a report, a backup."""
    draw = scene.draw
    often = draw.log_between(0.002, 0.15)
    heights = draw.rng.exponential(draw.log_between(2, 30), scene.size)
    return Part(np.where(draw.uniform(scene.size) < often, heights, 0.0))


@noise(weight=0.6)
def bursts(scene: Scene) -> Part:
    """Stretches far up: a batch job, a flood of clients."""
    draw = scene.draw
    share, lift = scene.t_s / scene.length_s, np.zeros(scene.size)
    for _ in range(draw.whole(1, 6)):
        begin = draw.between(0.0, 1.0)
        lift[(share > begin) & (share < begin + draw.log_between(0.003, 0.15))] += draw.log_between(1, 12)
    return Part(lift)


def _wander(scene: Scene, memory: float) -> Floats:
    keeps = np.exp(-1.0 / memory)
    shocks = np.sqrt(1.0 - keeps**2) * scene.draw.normal(scene.size)
    shocks[0] /= np.sqrt(1.0 - keeps**2)
    wandered: Floats = lfilter([1.0], [1.0, -keeps], shocks)
    return wandered


def _teeth(scene: Scene, teeth: float) -> Floats:
    """Return a saw-tooth of this many teeth, from 0 to 1; some are even, some are not."""
    draw = scene.draw
    axis = scene.connections if draw.chance(0.5) else scene.t_s
    place = axis / max(float(axis[-1]), 1e-12)
    if draw.chance(0.4):
        saw: Floats = (place * teeth + draw.rng.random()) % 1.0
        return saw
    lengths = np.exp(draw.between(0.1, 0.8) * draw.normal(int(teeth) + 3))
    ends = np.cumsum(lengths) - draw.rng.random() * lengths[0]
    ends = ends / ends[-1] * 1.05
    which = np.minimum(np.searchsorted(ends, place), ends.size - 1)
    begins = np.concatenate([[ends[0] - lengths[0] / lengths.sum()], ends[:-1]])
    uneven: Floats = (place - begins[which]) / np.maximum(ends[which] - begins[which], 1e-9)
    return uneven
