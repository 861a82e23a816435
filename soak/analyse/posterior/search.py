"""The models worth weighing: which shapes that end, by themselves and beside one that goes on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import logsumexp

from soak.analyse.posterior.moments import swept, whitened_moments
from soak.analyse.posterior.shapes import Kind, ending_shapes, ladder_density, lasting_shapes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from soak.analyse.posterior.noise import NoiseGrid
    from soak.analyse.posterior.shapes import Shape

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]

MAX_ENDING = 8
"""Ending shapes one model may combine: a ladder has several steps."""
BEAM = 4
"""Models of one size that are extended by one more ending shape."""
NARROW_BEAM = 2
"""The same from `NARROW_FROM` shapes on."""
NARROW_FROM = 4
LOG_PRIOR_PER_SHAPE = float(np.log(0.4))
"""Belief in each further ending shape."""
PRUNE = 12.0
"""Models this much less likely (log) than the best are forgotten."""
COLLINEAR = 1e-5
"""A column of which less than this share is left beside the others tells nothing new."""
LEAST_TEETH = 2
"""Steps down from which they may be the teeth of a saw."""
MOST_TAKEN_BACK = 0.5
"""Share of a rise that what falls may take back: a tooth of a saw rises, too, and is no growth."""


@dataclass(frozen=True, eq=False)
class Bench:
    """What all models share: moments of every column per candidate noise, the nuisance taken out.

    Columns are shapes of unit spread; the memory is in units of `unit` bytes.
    """

    ending: list[Shape]
    lasting: list[Shape]
    unit: float
    """Bytes."""
    moments: Floats
    """(noises, columns, columns); ending shapes, then lasting shapes, then the memory."""
    log_noise: Floats
    """Log belief in each noise before shapes are looked at."""
    degrees: int
    """Points less nuisance columns."""
    price: float
    """Half the log of the number of points: what a coefficient must add to the log likelihood (BIC)."""
    least_squares: float
    """Squares below which a model does not fit any better."""
    ending_units: Floats
    lasting_units: Floats
    """What each shape was divided by to become a column."""

    @cached_property
    def original(self) -> Floats:
        """The diagonal of the moments, (noises, columns)."""
        return np.asarray(np.maximum(np.einsum("gii->gi", self.moments), 1e-300))

    @cached_property
    def slow(self) -> Flags:
        """Ending shapes that last through much of the run."""
        return np.array([shape.slow for shape in self.ending])

    @cached_property
    def unfinished(self) -> Flags:
        """Ending shapes that hardly bend within the run."""
        return np.array([shape.unfinished for shape in self.ending])

    @cached_property
    def steps(self) -> Flags:
        """Ending shapes that are steps."""
        return np.array([shape.kind is Kind.STEP for shape in self.ending])

    @cached_property
    def log_ladder(self) -> Floats:
        """Log of how likely a step of a healthy server is where each step is, against evenly spread ones."""
        return np.log([ladder_density(shape.begin) for shape in self.ending])

    @cached_property
    def heights(self) -> Floats:
        """What each ending shape gains over the run, per unit of its column."""
        return np.array([shape.gain() for shape in self.ending]) / self.ending_units

    @cached_property
    def gains(self) -> Floats:
        """The same of each lasting shape."""
        return np.array([shape.gain() for shape in self.lasting]) / self.lasting_units

    @cached_property
    def log_ending(self) -> Floats:
        """Log belief in each ending shape."""
        return np.log([shape.prior for shape in self.ending]) + LOG_PRIOR_PER_SHAPE

    @cached_property
    def log_lasting(self) -> Floats:
        """Log belief in each lasting shape."""
        return np.log([shape.prior for shape in self.lasting])


def prepare(
    clock_s: Floats,
    share: Floats,
    memory: Floats,
    nuisance: Floats,
    *,
    grid: NoiseGrid,
    noise_floor: float,
) -> Bench:
    """Bring shapes over `share` and `memory` to moments, with the constant and the nuisance taken out."""
    ending, lasting = ending_shapes(share, memory), lasting_shapes()
    unit = float(np.std(memory)) or 1.0
    ending_columns = np.column_stack([shape.at(share) for shape in ending])
    lasting_columns = np.column_stack([shape.at(share) for shape in lasting])
    ending_units, lasting_units = _spread(ending_columns), _spread(lasting_columns)
    base = np.column_stack([np.ones_like(share), nuisance])
    y = (memory - memory.mean()) / unit
    moments, log_noise = whitened_moments(
        clock_s,
        np.column_stack([base, ending_columns / ending_units, lasting_columns / lasting_units, y]),
        grid,
    )
    width = base.shape[1]
    for column in range(width):
        log_noise = log_noise - 0.5 * np.log(moments[:, column, column])
        moments = swept(moments, column)
    return Bench(
        ending=ending,
        lasting=lasting,
        unit=unit,
        moments=np.ascontiguousarray(moments[:, width:, width:]),
        log_noise=log_noise,
        degrees=y.size - width,
        price=0.5 * float(np.log(y.size)),
        least_squares=y.size * (noise_floor / unit) ** 2,
        ending_units=ending_units,
        lasting_units=lasting_units,
    )


def _spread(columns: Floats) -> Floats:
    spread = np.std(columns, axis=0)
    return np.where(spread > 0, spread, 1.0)


@dataclass(frozen=True, eq=False)
class Models:
    """Models with equally many ending shapes, each also with one lasting shape beside them."""

    bench: Bench
    members: list[tuple[int, ...]]
    """Indices of the ending shapes."""
    log_prior: Floats
    """(models)."""
    log_evidence: Floats
    """(noises, models), without lasting growth."""
    squares: Floats
    """(noises, models): what is left of the memory, without lasting growth."""
    pull: Floats
    """(noises, models, lasting): what is left of the moment of lasting shape and memory."""
    hold: Floats
    """(noises, models, lasting): what is left of the lasting shape's squares; infinite for nothing."""
    coefficients: Floats
    """(noises, models, ending shapes of one model), without lasting growth."""
    tilt: Floats
    """(noises, models, ending shapes of one model, lasting): what one unit of it takes from those."""
    degrees: int

    def chosen(self, which: NDArray[np.intp]) -> Models:
        """Return some of the models."""
        return Models(
            self.bench,
            [self.members[i] for i in which],
            self.log_prior[which],
            self.log_evidence[:, which],
            self.squares[:, which],
            self.pull[:, which],
            self.hold[:, which],
            self.coefficients[:, which],
            self.tilt[:, which],
            self.degrees,
        )

    @cached_property
    def indices(self) -> NDArray[np.intp]:
        """The members as an array, (models, ending shapes of one model); so are the four below."""
        return np.array(self.members, dtype=np.intp).reshape(len(self.members), -1)

    @cached_property
    def slow(self) -> Flags:
        """Which ending shapes last through much of the run."""
        return self.bench.slow[self.indices]

    @cached_property
    def steps(self) -> Flags:
        """Which are steps."""
        return self.bench.steps[self.indices]

    @cached_property
    def quick(self) -> Flags:
        """Which are neither."""
        return ~self.slow & ~self.steps

    @cached_property
    def heights(self) -> Floats:
        """What a coefficient of one is worth over the run."""
        return self.bench.heights[self.indices]

    @cached_property
    def told(self) -> Flags:
        """Whether a lasting shape can be told from the others, (noises, models, lasting) as the next."""
        return np.isfinite(self.hold)

    @cached_property
    def pace(self) -> Floats:
        """The coefficient of each lasting shape; 0 where it is not told."""
        return np.where(self.told, self.pull / self.hold, 0.0)

    @cached_property
    def left(self) -> Floats:
        """The squares left beside each lasting shape."""
        return np.maximum(self.squares[:, :, None] - self.pull**2 / self.hold, self.bench.least_squares)

    @cached_property
    def lasting_gain(self) -> Floats:
        """The log likelihood each lasting shape adds."""
        return 0.5 * self.degrees * (np.log(self.squares)[:, :, None] - np.log(self.left))

    @cached_property
    def sensible_with(self) -> Flags:
        """Whether beside each lasting shape nothing takes back what something else gave.

        Slow shapes all go the way the lasting one goes, steps do not undo it like the teeth of a saw, and no
        warm-up that has hardly begun to bend shares one straight rise with it.
        """
        beside = self.coefficients[:, :, :, None] - self.tilt * self.pace[:, :, None, :]
        gains = beside * self.heights[None, :, :, None]
        opposed = np.sign(beside) * np.sign(self.pace)[:, :, None, :] < 0
        slow, steps, quick = (which[None, :, :, None] for which in (self.slow, self.steps, self.quick))
        saw = _saw(np.abs(gains), steps & opposed, np.abs(self.pace) * self.bench.gains)
        twin = np.asarray(self.bench.unfinished[self.indices].any(axis=1))[None, :, None]
        return np.asarray(self.told & ~(slow & opposed).any(axis=2) & ~saw & ~_wriggles(gains, quick) & ~twin)

    @cached_property
    def sensible_alone(self) -> Flags:
        """The same without a lasting shape, (noises, models)."""
        gains = self.coefficients * self.heights
        up, down = _ups_and_downs(gains, self.slow)
        saw = _saw(-gains, self.steps & (gains < 0), up) & (up > 0)
        return np.asarray(~((up > 0) & (down > 0)) & ~saw & ~_wriggles(gains, self.quick))

    @cached_property
    def scores(self) -> Floats:
        """Each model's log evidence, the best lasting growth priced like any coefficient (BIC)."""
        gain = np.where(self.sensible_with, self.lasting_gain, -np.inf)
        gain += self.bench.log_lasting - self.bench.price
        without = np.where(self.sensible_alone, 0.0, -np.inf)
        return np.asarray(logsumexp(self.log_evidence + np.maximum(gain.max(axis=2), without), axis=0))


def _ups_and_downs(gains: Floats, which: Flags) -> tuple[Floats, Floats]:
    """Return what these ending shapes of each model gain, and what they lose, in all."""
    up, down = (np.where(which & (sign * gains > 0), sign * gains, 0.0).sum(axis=2) for sign in (1, -1))
    return up, down


def _wriggles(gains: Floats, quick: Flags) -> Flags:
    """Tell where quick warm-ups undo each other: such a crowd can be bent into any shape."""
    up, down = _ups_and_downs(gains, quick)
    return np.asarray(np.minimum(up, down) > MOST_TAKEN_BACK * np.maximum(up, down))


def _saw(falls: Floats, which: Flags, rise: Floats) -> Flags:
    """Tell where these falls, all positive, take back so much of a rise that they are a saw's teeth."""
    undone = np.where(which, falls, 0.0).sum(axis=2)
    return np.asarray((which.sum(axis=2) >= LEAST_TEETH) & (undone >= MOST_TAKEN_BACK * rise))


class _Grown(NamedTuple):
    """A model that may be extended by one more ending shape."""

    score: float
    members: tuple[int, ...]
    moments: Floats
    """With all but the last member swept out."""
    log_prior: float


def search(bench: Bench) -> list[Models]:
    """Return the models worth weighing, none to `MAX_ENDING` ending shapes, the best ones extended.

    The first are the one model without any ending shape, which can always be weighed.
    """
    alone = _evaluate(bench, bench.moments, (), 0.0, None)
    found: list[tuple[Models, Floats]] = []
    known: set[frozenset[int]] = set()
    best = float(alone.scores[0])
    beam = [_Grown(best, (), bench.moments, 0.0)]
    for size in range(min(MAX_ENDING, bench.degrees - 4)):
        width = BEAM if size < NARROW_FROM else NARROW_BEAM
        stage: list[_Grown] = []
        for parent in beam:
            moments = swept(parent.moments, parent.members[-1]) if parent.members else parent.moments
            models = _extended(bench, moments, parent.members, parent.log_prior, known)
            if models is None:
                continue
            scores = models.scores
            best = max(best, float(scores.max()))
            near = np.flatnonzero(scores > best - PRUNE)
            found.append((models.chosen(near), scores[near]))
            known.update(frozenset(names) for names in models.members)
            stage += [
                _Grown(float(scores[i]), models.members[i], moments, float(models.log_prior[i]))
                for i in np.argsort(scores)[::-1][:width].tolist()
            ]
        stage.sort(key=lambda grown: -grown.score)
        beam = [grown for grown in stage[:width] if grown.score > best - PRUNE]
        if not beam:
            break
    kept = [models.chosen(np.flatnonzero(scores > best - PRUNE)) for models, scores in found]
    return [alone, *(models for models in kept if models.members)]


def _extended(
    bench: Bench, moments: Floats, members: tuple[int, ...], log_prior: float, known: set[frozenset[int]]
) -> Models | None:
    """Return the models with one more ending shape, less those that tell nothing new or are known."""
    endings = slice(len(bench.ending))
    left = np.einsum("gii->gi", moments)[:, endings]
    useful = (left > COLLINEAR * bench.original[:, endings]).all(axis=0)
    singles = [
        int(single)
        for single in np.flatnonzero(useful)
        if single not in members and frozenset((*members, int(single))) not in known
    ]
    if not singles:
        return None
    return _evaluate(bench, moments, members, log_prior, np.array(singles))


def _evaluate(
    bench: Bench,
    moments: Floats,
    members: tuple[int, ...],
    log_prior: float,
    singles: NDArray[np.intp] | None,
) -> Models:
    """Evaluate the models of `members`, whose columns are swept out of `moments`, with each of `singles`."""
    lasting = slice(len(bench.ending), -1)
    squares = moments[:, -1, -1][:, None]
    pull = moments[:, lasting, -1][:, None, :]
    hold = np.einsum("gii->gi", moments)[:, lasting][:, None, :]
    held = list(members)
    coefficients = moments[:, held, -1][:, None, :]
    tilt = moments[:, held, lasting][:, None, :, :]
    names = [members]
    log_priors = np.array([log_prior])
    if singles is not None:
        pivot = np.einsum("gii->gi", moments)[:, singles]
        towards = moments[:, singles, -1] / pivot
        across = moments[:, singles, lasting]
        squares = squares - moments[:, singles, -1] * towards
        pull = pull - across * towards[:, :, None]
        hold = hold - across**2 / pivot[:, :, None]
        shared = moments[:, held][:, :, singles].transpose(0, 2, 1)
        coefficients = np.concatenate(
            [coefficients - shared * towards[:, :, None], towards[:, :, None]], axis=2
        )
        own = (across / pivot[:, :, None])[:, :, None, :]
        tilt = np.concatenate([tilt - shared[:, :, :, None] * own, own], axis=2)
        names = [(*members, int(single)) for single in singles]
        log_priors = log_prior + bench.log_ending[singles]
    squares = np.maximum(squares, bench.least_squares)
    hold = np.where(hold > COLLINEAR * bench.original[:, None, lasting], hold, np.inf)
    size = len(names[0])
    log_evidence = (
        bench.log_noise[:, None] + log_priors - 0.5 * bench.degrees * np.log(squares) - size * bench.price
    )
    return Models(
        bench, names, log_priors, log_evidence, squares, pull, hold, coefficients, tilt, bench.degrees - size
    )
