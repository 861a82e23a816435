"""How memory is read: in which unit and steps, and what of the load is recorded beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from soak.learn.world.draw import Draw
    from soak.learn.world.scene import Scene

    Floats = NDArray[np.float64]

PAGE_BYTES = 4096.0
GRAINS_BYTES = (1024.0, 1e5, 1e6, 2.0**20, 2.0**21, 1e7, 0.1 * 2.0**30, 2.0**30)
"""KB, 0.1 MB, MB, MiB, huge pages, 10 MB, top's 0.1g and whole Gi."""
LEVEL_BYTES = (1e6, 6e10)
COUNTS = (2.0, 3000.0)
"""Descriptors, threads, sockets, sessions."""


@dataclass(frozen=True, eq=False)
class Recorded:
    """A trace as it is handed to the judge; arrays have an entry for each reading."""

    t_s: Floats
    values: Floats
    """Bytes, or counts."""
    grain: float
    """Values are known to this much, in their own unit."""
    level: float
    """The unit the world's shares are of."""
    connections: Floats | None
    open: Floats | None
    at_rest: NDArray[np.bool_]


def record(scene: Scene, memory: Floats) -> Recorded:
    """Read memory, given in shares of a level, as some tool would."""
    draw = scene.draw
    grain, level = _grain(draw)
    values = level * memory
    # nothing holds less than a tenth of its level: what would, stands there
    values = np.maximum(values, 0.1 * level)
    values = np.floor(values / grain + 0.5) * grain
    counted = (draw.chance(0.55) or scene.load_ends) and float(np.ptp(scene.connections)) > 0
    seen = scene.at_rest if draw.chance(0.8) else np.zeros(scene.size, dtype=bool)
    return Recorded(
        t_s=scene.t_s,
        values=values,
        grain=grain,
        level=level,
        connections=scene.connections if counted else None,
        open=scene.open if draw.chance(0.4) else None,
        at_rest=seen,
    )


def _grain(draw: Draw) -> tuple[float, float]:
    kind = draw.rng.random()
    if kind < 0.1:
        return 1.0, draw.log_between(*COUNTS)
    level = draw.log_between(*LEVEL_BYTES)
    if kind < 0.65:
        return PAGE_BYTES, level
    if kind < 0.78:
        return 16.0, level  # heap in use
    if kind < 0.82:
        return level * draw.pick((0.01, 0.001)), level  # per cent
    fitting = [grain for grain in GRAINS_BYTES if grain < 0.3 * level]
    return draw.pick(fitting or (PAGE_BYTES,)), level
