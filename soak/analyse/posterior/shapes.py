"""The shapes memory takes: those that end (warm-up, a step, a cache that fills) and those that go on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

EXPONENTIAL_SHARES = (0.004, 0.008, 0.016, 0.03, 0.06, 0.1, 0.16, 0.25, 0.4, 0.6, 0.9, 1.4, 2.5)
"""Time constants of exponential warm-ups, as shares of the run."""
LOGARITHMIC_SHARES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3)
"""Times after which logarithmic warm-ups bend, as shares of the run."""
UNFINISHED = ((0.5, 0.02), (0.2, 0.2))
"""Pace at the end of the run, as a share of the gain, from which a shape is unfinished, and what its belief
is multiplied with: it takes a run that was cut within its warm-up, and the less it bends the earlier."""
LEAST_UNFINISHED = 0.02
"""Scale below which a logarithmic warm-up is no unfinished one, though it never ends."""
LADDER_SHARE = 0.8
"""Share of the steps of a healthy server that come ever more seldom (the others come at any time)."""
LADDER_BEGIN = 0.003
"""Share of the run from which they do: their times are even on a logarithmic clock."""
SEEN_FLAT = 0.12
"""Share of the run that must have passed since a step before it is believed to have been the last."""
EVEN_STEPS = 10
"""Places at even distances where a step is looked for."""
JUMP_WIDTHS = (1, 3, 8)
"""Points on either side whose means are compared to find a jump."""
JUMPS_PER_WIDTH = 4
"""Largest jumps that are looked at, for each width."""
FILL_EDGES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
"""Where a straight rise that ends may begin and end, as shares of the run."""
SHORT_FILLS = (0.02, 0.04, 0.06, 0.08, 0.1, 0.13)
"""Where one that begins with the run may end, too."""
SLOW_SHARE = 0.1
"""Warm-ups with a time constant, and rises with a length, from this share of the run on are slow."""
ONSETS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)
"""Where growth that goes on may begin late, as shares of the run."""
POWERS = (0.5, 0.65, 0.8)
"""Exponents of growth that slows down but never ends."""


class Kind(StrEnum):
    """What a shape is called in words."""

    EXPONENTIAL = "exponential warm-up"
    LOGARITHMIC = "logarithmic warm-up"
    STEP = "step"
    FILL = "straight rise that ended"
    LINE = "straight rise"
    LATE = "straight rise that began late"
    POWER = "rise that slows down without ending"
    STAIRS = "staircase"


@dataclass(frozen=True)
class Shape:
    """One shape over the run, the run's workload being 0 to 1."""

    kind: Kind
    begin: float
    """Where it begins, as a share of the run."""
    scale: float
    """Time constant, share at which it ends, or exponent, by kind."""
    prior: float
    """Belief in it among the shapes of its sort, before the data is seen."""

    def at(self, share: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the shape at these shares of the run; a shape that goes on ends with slope 1."""
        match self.kind:
            case Kind.EXPONENTIAL:
                return -np.exp(-share / self.scale)
            case Kind.LOGARITHMIC:
                return np.log1p(share / self.scale)
            case Kind.STEP:
                return (share >= self.begin).astype(np.float64)
            case Kind.FILL:
                return np.clip((share - self.begin) / (self.scale - self.begin), 0.0, 1.0)
            case Kind.LINE | Kind.LATE:
                return np.maximum(share - self.begin, 0.0)
            case Kind.POWER:
                return np.asarray(share**self.scale / self.scale)
            case Kind.STAIRS:
                raise ValueError(
                    "a staircase is found in the steps of the others and has no shape of its own"
                )

    @property
    def slow(self) -> bool:
        """Tell whether it lasts through much of the run, so that two of them could pass for a line."""
        match self.kind:
            case Kind.EXPONENTIAL:
                return self.scale >= SLOW_SHARE
            case Kind.STEP:
                return False
            case Kind.FILL:
                return self.scale - self.begin >= SLOW_SHARE
            case _:
                return True

    @property
    def unfinished(self) -> bool:
        """Tell whether it hardly bends within the run, so that it could pass for a line itself."""
        return self.kind in (Kind.EXPONENTIAL, Kind.LOGARITHMIC) and self.end_pace() > UNFINISHED[0][0]

    def gain(self) -> float:
        """Return what it gains from the beginning to the end of the run."""
        first, last = self.at(np.array([0.0, 1.0]))
        return float(last - first)

    def gained_by(self, share: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the share of that gain made by then; for shapes that end."""
        first = self.at(np.zeros(1))[0]
        return np.asarray((self.at(share) - first) / self.gain())

    def end_pace(self) -> float:
        """Return what it would gain over another run at the pace of its end, as a share of its gain.

        A step or a straight rise that ended has a pace until it has been over for `SEEN_FLAT` of the run.
        """
        match self.kind:
            case Kind.EXPONENTIAL:
                return float(np.exp(-1.0 / self.scale) / self.scale) / self.gain()
            case Kind.LOGARITHMIC:
                return 1.0 / (1.0 + self.scale) / self.gain()
            case Kind.STEP:
                return 1.0 if self.begin > 1.0 - SEEN_FLAT else 0.0
            case Kind.FILL:
                return 1.0 / (self.scale - self.begin) if self.scale > 1.0 - SEEN_FLAT else 0.0
            case _:
                return 1.0 / self.gain()


def ending_shapes(share: NDArray[np.float64], memory: NDArray[np.float64]) -> list[Shape]:
    """Return the shapes of growth that ends, for points at these shares of the run.

    `memory` tells where steps are worth a look: at its largest jumps, and at some even distances.
    """
    even = np.linspace(0, share.size - 1, EVEN_STEPS + 2).astype(np.intp)[1:-1]
    places = share[np.union1d(even, _jumps(memory))]
    fills = [(begin, end) for begin in FILL_EDGES for end in FILL_EDGES if begin + 0.15 < end]
    fills += [(0.0, end) for end in SHORT_FILLS]
    shapes = [
        *(Shape(Kind.EXPONENTIAL, 0.0, at, 0.4 / len(EXPONENTIAL_SHARES)) for at in EXPONENTIAL_SHARES),
        *(Shape(Kind.LOGARITHMIC, 0.0, at, 0.2 / len(LOGARITHMIC_SHARES)) for at in LOGARITHMIC_SHARES),
        *(Shape(Kind.STEP, float(at), 0.0, 0.25 * ladder_density(float(at)) / share.size) for at in places),
        *(Shape(Kind.FILL, begin, end, 0.15 / len(fills)) for begin, end in fills),
    ]
    return [replace(shape, prior=shape.prior * _believed(shape)) for shape in shapes]


def _believed(shape: Shape) -> float:
    """Return how much less a shape is believed because it would not have ended."""
    if shape.kind not in (Kind.EXPONENTIAL, Kind.LOGARITHMIC) or shape.scale < LEAST_UNFINISHED:
        return 1.0
    return next((share for pace, share in UNFINISHED if shape.end_pace() > pace), 1.0)


def ladder_density(share: float) -> float:
    """Return how likely a healthy server's step is at this share of the run, against evenly spread ones."""
    later = 1.0 / (max(share, LADDER_BEGIN) * np.log(1.0 / LADDER_BEGIN))
    return float(LADDER_SHARE * later + 1.0 - LADDER_SHARE)


def _jumps(memory: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the indices after which memory differs most from before, at several widths."""
    found: set[int] = set()
    for width in JUMP_WIDTHS:
        if memory.size < 4 * width:
            break
        means = np.convolve(memory, np.full(width, 1.0 / width), mode="valid")
        rises = np.abs(means[width:] - means[:-width])
        for _ in range(JUMPS_PER_WIDTH):
            at = int(np.argmax(rises))
            if rises[at] <= 0:
                break
            found.add(at + width)
            rises[max(0, at - 2 * width) : at + 2 * width + 1] = 0.0
    return np.array(sorted(found), dtype=np.intp)


def lasting_shapes() -> list[Shape]:
    """Return the shapes of growth that goes on."""
    shapes = [Shape(Kind.LINE, 0.0, 1.0, 0.65)]
    shapes += [Shape(Kind.LATE, onset, 1.0, 0.2 / len(ONSETS)) for onset in ONSETS]
    shapes += [Shape(Kind.POWER, 0.0, power, 0.15 / len(POWERS)) for power in POWERS]
    return shapes
