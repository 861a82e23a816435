"""A trace of the world as the judge would see it: the same floors, the same conditioning."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from soak.analyse.floors.lives import Readings
from soak.analyse.floors.points import points_of
from soak.analyse.posterior.conditioning import conditioned
from soak.learn.world import example

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from soak.learn.world import Example

IN_STEPS = 0.05
"""Share of the traces whose axis is told to be of steps."""
LEAST_TOLD = 1e-7
"""Growth below this share of the spread is none: no reading could show it."""


@dataclass(frozen=True, eq=False)
class Seen:
    """What the network is shown of a trace, and what it should say."""

    channels: NDArray[np.float32]
    scalars: NDArray[np.float32]
    growth: float
    """The logarithm of the growth in units of the spread; -inf for none."""


def seen(seed: Sequence[int]) -> Seen:
    """Return what is seen of the trace of this seed."""
    made = example(seed)
    points = points_of(readings_of(made))
    in_steps = made.recorded.connections is None and seed[-1] % round(1 / IN_STEPS) == 0
    shown = conditioned(points, made.recorded.grain, in_steps=in_steps)
    share = made.growth * points.length_s / made.recorded.t_s[-1] / shown.unit
    return Seen(shown.channels, shown.scalars, math.log(share) if share > LEAST_TOLD else -math.inf)


def readings_of(made: Example) -> Readings:
    """Return a trace as the judge reads it."""
    recorded = made.recorded
    return Readings(
        t_s=recorded.t_s,
        memory_bytes=recorded.values,
        connections=recorded.connections,
        audio_s=None,
        open_connections=recorded.open,
        at_rest=recorded.at_rest,
        swapped=False,
    )
