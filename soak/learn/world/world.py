"""One trace of the world: a scene, processes that end, perhaps some that last, noise, and how it is read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from soak.learn.world import leaking, moving, warming  # noqa: F401  their processes register themselves
from soak.learn.world.draw import Draw
from soak.learn.world.process import HEALTHY, LEAKS, NOISES, Axis
from soak.learn.world.reading import Recorded, record
from soak.learn.world.scene import set_scene

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from soak.learn.world.process import Part, Registered
    from soak.learn.world.scene import Scene

    Floats = NDArray[np.float64]

LEAKING = 0.5
"""Share of the traces that leak: who asks, suspects one, and about as often it is none."""
LEAST_NOISE, MOST_NOISE = 2e-6, 0.04
"""Standard deviation in shares of the level: from what a program holds to a machine of many services."""
SIZE_IN_NOISE = (1.5, 600.0)
"""What a leak adds over the trace, in standard deviations of what moves,"""
SIZE_IN_LEVELS = (1e-3, 4.0)
"""or in shares of the level."""


@dataclass(frozen=True, eq=False)
class Example:
    """A recorded trace and the truth about it."""

    recorded: Recorded
    growth: float
    """Growth that lasts, over the trace, in the unit of its values; 0 for none."""
    axis: Axis | None
    """What that growth follows; None for none, or where two follow different things."""


def example(seed: Sequence[int]) -> Example:
    """Return the trace of this seed, the same wherever it is made."""
    draw = Draw(np.random.Generator(np.random.PCG64DXSM(np.random.SeedSequence(seed))))
    return trace(draw)


def trace(draw: Draw) -> Example:
    """Draw one trace."""
    scene = set_scene(draw)
    moved = _noise(draw, scene)
    memory = moved.copy()
    for registered in _some(draw, HEALTHY, draw.pick((0, 1, 2, 3, 4), (0.2, 0.32, 0.26, 0.14, 0.08))):
        memory += registered.process(scene).memory
    growth, axis = 0.0, None
    if draw.chance(LEAKING):
        leaks = [one.process(scene) for one in _some(draw, LEAKS, 2 if draw.chance(0.07) else 1)]
        size = _size(draw, float(np.std(moved)))
        memory += size * sum(part.memory for part in leaks)
        growth = size * sum(part.lasting for part in leaks)
        axis = _axis(leaks)
    recorded = record(scene, 1.0 + memory)
    return Example(recorded, growth * recorded.level, axis)


def _some(draw: Draw, kind: list[Registered], count: int) -> list[Registered]:
    weights = [registered.weight for registered in kind]
    return [draw.pick(kind, weights) for _ in range(count)]


def _noise(draw: Draw, scene: Scene) -> Floats:
    total = np.zeros(scene.size)
    size = draw.log_between(LEAST_NOISE, MOST_NOISE)
    for registered in _some(draw, NOISES, draw.pick((1, 2, 3), (0.5, 0.35, 0.15))):
        total += size * registered.process(scene).memory
        size *= draw.log_between(0.05, 2.0)
    return total


def _size(draw: Draw, spread: float) -> float:
    if draw.chance(0.6):
        return min(max(spread, LEAST_NOISE) * draw.log_between(*SIZE_IN_NOISE), SIZE_IN_LEVELS[1])
    return draw.log_between(*SIZE_IN_LEVELS)


def _axis(leaks: list[Part]) -> Axis | None:
    axes = {part.axis for part in leaks}
    return axes.pop() if len(axes) == 1 else None
