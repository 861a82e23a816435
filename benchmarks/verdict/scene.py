"""What families share: a clock, a load, a noise and the choice of the columns that are recorded."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.verdict import load as loads
from benchmarks.verdict import shapes
from benchmarks.verdict.draw import LONGEST_S, SHORTEST_S, Clock, Draw, draw_clock
from benchmarks.verdict.noise import draw_noise
from benchmarks.verdict.sketch import Leak, Sketch

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from benchmarks.verdict.load import Load


@dataclass(frozen=True, eq=False)
class Scene:
    """The ground a family draws its shape on."""

    draw: Draw
    clock: Clock
    load: Load
    columns: frozenset[str]
    noise: NDArray[np.float64]
    """Noise and open sessions, relative to the level."""

    @property
    def x(self) -> NDArray[np.float64]:
        """The share of the trace that has passed, 0 to 1."""
        return self.clock.share

    def warm_up(self, chance: float = 0.6, latest_end: float = 0.35) -> NDArray[np.float64]:
        """Give some traces a warm-up, others none."""
        if not self.draw.chance(chance):
            return np.zeros_like(self.x)
        return shapes.draw_warm_up(self.draw, self.x, latest_end)

    def sketch(
        self,
        settled: NDArray[np.float64] | None = None,
        disturbance: NDArray[np.float64] | None = None,
        leak: Leak | None = None,
    ) -> Sketch:
        """Sketch a trace whose own disturbance, if any, comes on top of the scene's noise."""
        return Sketch(
            clock=self.clock,
            load=self.load,
            settled=np.zeros_like(self.x) if settled is None else settled,
            disturbance=self.noise if disturbance is None else self.noise + disturbance,
            leak=leak,
            columns=self.columns,
            proportional=self.draw.chance(0.2),
        )

    def with_columns(self, *names: str) -> Scene:
        """Record these columns for certain."""
        return replace(self, columns=self.columns | set(names))

    def without_columns(self, *names: str) -> Scene:
        """Record these columns on no account."""
        return replace(self, columns=self.columns - set(names))


def set_scene(
    draw: Draw,
    *,
    shortest_s: float = SHORTEST_S,
    longest_s: float = LONGEST_S,
    fewest_connections: float = 20,
    resting: float = 0.15,
) -> Scene:
    """Draw clock, load and noise; `resting` is the probability of rest windows."""
    clock = draw_clock(draw, shortest_s, longest_s)
    pauses = loads.rests(draw, clock) if draw.chance(resting) else None
    profile = draw_profile(draw, clock)
    rate_per_s = loads.draw_rate(draw, fewest_connections, clock)
    load = loads.drive(draw, clock, profile, pauses, rate_per_s)
    noise = draw_noise(draw, clock)
    columns = set()
    if draw.chance(0.85):
        columns.add("connections_completed")
    if draw.chance(0.15):
        columns.add("audio_s")
    if pauses is not None:
        columns.add("phase")
        noise = noise + draw.log_between(0.001, 0.03) * loads.held_by(load, clock)
    elif draw.chance(0.3):
        noise = noise + draw.log_between(0.001, 0.02) * loads.held_by(load, clock)
    if draw.chance(0.35):
        columns.add("open_connections")
    return Scene(draw, clock, load, frozenset(columns), noise)


def draw_profile(draw: Draw, clock: Clock) -> NDArray[np.float64] | None:
    """Mostly a fixed arrival rate; else one that wavers slowly by a fifth or so."""
    if draw.chance(0.7):
        return None
    return np.exp(draw.between(0.1, 0.3) * shapes.wander(draw, clock, 0.03 * clock.length_s))
