"""One life of the server's process, and what its memory is made of."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.verdict.frozen.dice import Dice, Floats
    from benchmarks.verdict.frozen.load import Load
    from benchmarks.verdict.frozen.plan import Plan


class Role(Enum):
    """What a piece of memory means for the truth of a trace."""

    SWING = "swing"
    """Comes and goes."""
    WARMING = "warming"
    """Rises and ends."""
    STEP = "step"
    """Rises once, at one moment."""


@dataclass(frozen=True, eq=False)
class Life:
    """One process from its start to its end."""

    start_s: float
    end_s: float
    t_s: Floats
    """Readings within it."""
    load: Load
    """Connections within it."""
    dice: Dice

    @property
    def opened(self) -> Floats:
        """Connections opened until each reading."""
        return np.searchsorted(self.load.open_s, self.t_s, side="right").astype(np.float64)


@dataclass(frozen=True)
class Piece:
    """A part of the memory."""

    role: Role
    bytes_in: Callable[[Life], Floats]


@dataclass(frozen=True, eq=False)
class Scene:
    """What pieces are drawn for."""

    dice: Dice
    plan: Plan
    load: Load
    level_bytes: float
    """What the program needs before any load."""

    @property
    def lives(self) -> list[Life]:
        """The processes, one after the other."""
        starts = np.concatenate([[0.0], self.plan.restarts])
        ends = np.append(self.plan.restarts, np.inf)
        found = []
        for start_s, end_s in zip(starts, ends, strict=True):
            up_s = start_s + (self.plan.down_s if start_s > 0 else 0.0)
            inside = (self.plan.t_s >= start_s) & (self.plan.t_s < end_s)
            load = self.load.between(up_s, end_s)
            found.append(Life(float(up_s), float(end_s), self.plan.t_s[inside], load, self.dice))
        return found

    @property
    def most_open(self) -> float:
        """The most connections open at once."""
        closed = np.searchsorted(np.sort(self.load.close_s), self.load.open_s, side="right")
        return float(np.max(np.arange(1, closed.size + 1) - closed))
