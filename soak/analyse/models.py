"""Which shapes explain the points: every combination weighed on autocorrelated noise, none believed alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import logsumexp, ndtr, stdtr

from soak.analyse.noise import whiten
from soak.analyse.shapes import Kind, ending_shapes, ladder_density, lasting_shapes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from soak.analyse.noise import NoiseGrid
    from soak.analyse.shapes import Shape

    Floats = NDArray[np.float64]

MAX_ENDING = 8
"""Ending shapes one model may combine: a ladder has several steps."""
BEAM = 4
"""Models of one size that are extended by one more ending shape."""
NARROW_BEAM = 2
"""The same from `NARROW_FROM` shapes on."""
NARROW_FROM = 4
LEAST_STAIRS = 3
"""Steps upward from which they may be a staircase that goes on."""
STAIRS_SHARE = 0.15
"""Share of the belief in lasting growth that is for staircases."""
LOG_PRIOR_PER_SHAPE = float(np.log(0.4))
"""Belief in each further ending shape."""
PRUNE = 12.0
"""Models this much less likely (log) than the best are forgotten."""
COLLINEAR = 1e-5
"""A column of which less than this share is left beside the others tells nothing new."""
BISECTIONS = 45
"""Halvings of the bracket when a quantile is looked for: to 1e-11 of the widest interval."""
EXACT_BELOW = 20.0
"""Degrees of freedom below which a t distribution is not approximated."""
MOST_PARTS = 2000
"""Distributions an interval is made of, at most; the likeliest are kept."""
NEGLECTED = 1e-3
"""Weight of the least likely models that is left out of intervals."""
STAIRS_DEGREES = 4.0
"""Degrees of freedom of the interval of a staircase: it is known by few steps."""
PRIOR_STEPS = 12
"""Sizes of lasting growth that are weighed."""
LARGEST_GROWTH = 800.0
"""The largest of them, in budgets: with the default budget, twice the level over the run."""
TYPICAL_GROWTH = 32.0
"""The size a leak is believed to have before it is seen, in budgets: with the default one, 8 % of the level
over the run. A leak that is looked for with a soak test was noticed, or is feared, because it adds up."""
TYPICAL_SPREAD = 1.6
"""Standard deviation of the logarithm of that size: two of three leaks are within a factor of 5."""
NEGLIGIBLE_SIZES = (0.15, 0.4, 0.8)
"""Sizes of lasting growth below the budget that are weighed, as shares of it."""
PRIOR_NEGLIGIBLE = 0.1
PRIOR_FALLING = 0.1
"""Belief in lasting growth below the budget, and in a lasting fall, before the data is seen."""
LEAST_TEETH = 2
"""Steps down from which they may be the teeth of a saw."""
MOST_TAKEN_BACK = 0.5
"""Share of lasting growth that steps down may take back: a tooth of a saw rises, too, and is no growth."""


@dataclass(frozen=True, eq=False)
class Belief:
    """What is believed of growth that goes on: a mixture of Student t's, in bytes over the run."""

    centre: Floats
    scale: Floats
    degrees: Floats
    weight: Floats

    def quantile(self, probability: float) -> float:
        """Return the value that the growth is below with this probability."""
        reach = 60.0 * float(self.scale.max())
        low, high = float(self.centre.min()) - reach, float(self.centre.max()) + reach
        for _ in range(BISECTIONS):
            middle = 0.5 * (low + high)
            if self.probability_below(middle) < probability:
                low = middle
            else:
                high = middle
        return 0.5 * (low + high)

    def probability_below(self, value: float) -> float:
        """Return the probability that the growth is below `value`."""
        z = (value - self.centre) / self.scale
        exact = self.degrees < EXACT_BELOW
        # Abramowitz and Stegun 26.7.8: a t distribution of many degrees of freedom by the normal one
        near = z * (1.0 - 0.25 / self.degrees) / np.sqrt(1.0 + 0.5 * z**2 / self.degrees)
        below = ndtr(near)
        below[exact] = stdtr(self.degrees[exact], z[exact])
        return float(self.weight @ below)


@dataclass(frozen=True, eq=False)
class Explanation:
    """What the models say together."""

    lasting: float
    """Probability that growth above the budget goes on."""
    belief: Belief
    """Of the pace at the end of the run, whether or not it is believed to be none."""
    ending: tuple[tuple[Shape, float], ...]
    """Shapes of the best model without lasting growth, each with its gain in bytes over the run."""
    beside: tuple[tuple[Shape, float], ...]
    """Shapes that end in the best model with lasting growth, with their gains."""
    likeliest_lasting: Kind
    """The lasting shape that is believed most, given that growth lasts."""
    log_evidence: float
    """Of all models together; compares workloads that the same points are put against."""


@dataclass(frozen=True, eq=False)
class _Bench:
    """What all models share: moments of every column per candidate noise, the nuisance taken out."""

    moments: Floats
    """(noises, columns, columns); ending shapes, then lasting shapes, then the memory."""
    original: Floats
    """(noises, columns): the diagonal before any shape was taken out."""
    log_noise: Floats
    """Log belief in each noise before shapes are looked at."""
    price: float
    """Half the log of the number of points: what a coefficient must add to the log likelihood (BIC)."""
    endings: int
    degrees: int
    """Points less nuisance columns."""
    least_squares: float
    """Squares that the rounding of the readings alone makes."""
    slow: NDArray[np.bool_]
    """Ending shapes that last through much of the run."""
    unfinished: NDArray[np.bool_]
    """Ending shapes that hardly bend within the run."""
    steps: NDArray[np.bool_]
    """Ending shapes that are steps."""
    log_ladder: Floats
    """Log of how likely a step of a healthy server is where each step is, against evenly spread ones."""
    heights: Floats
    """What each ending shape gains over the run, per unit of its column."""
    gains: Floats
    """The same of each lasting shape."""
    log_ending: Floats
    log_lasting: Floats
    """Log belief in each shape."""


@dataclass(frozen=True, eq=False)
class _Models:
    """Models with equally many ending shapes, each also with one lasting shape beside them."""

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

    def chosen(self, which: NDArray[np.intp]) -> _Models:
        """Return some of the models."""
        return _Models(
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

    def slow(self, bench: _Bench) -> NDArray[np.bool_]:
        """Return which ending shapes of each model are slow ones, (models, ending shapes of one model)."""
        return bench.slow[self.indices()]

    def steps(self, bench: _Bench) -> NDArray[np.bool_]:
        """Return which ending shapes of each model are steps, (models, ending shapes of one model)."""
        return bench.steps[self.indices()]

    def heights(self, bench: _Bench) -> Floats:
        """Return what a coefficient of one is worth over the run, (models, ending shapes of one model)."""
        return bench.heights[self.indices()]

    def indices(self) -> NDArray[np.intp]:
        """Return the members as an array, (models, ending shapes of one model)."""
        return np.array(self.members, dtype=np.intp).reshape(len(self.members), -1)

    def pace(self) -> Floats:
        """Return the coefficient of each lasting shape, (noises, models, lasting); 0 where it is not told."""
        return np.where(np.isfinite(self.hold), self.pull / self.hold, 0.0)

    def makes_sense(self, bench: _Bench) -> NDArray[np.bool_]:
        """Tell per noise, model and lasting shape whether nothing takes back what something else gave.

        Slow shapes all go the way the lasting one goes, steps do not undo it like the teeth of a saw, and no
        warm-up that has hardly begun to bend shares one straight rise with it.
        """
        pace = self.pace()
        beside = self.coefficients[:, :, :, None] - self.tilt * pace[:, :, None, :]
        opposed = np.sign(beside) * np.sign(pace)[:, :, None, :] < 0
        steps = self.steps(bench)[None, :, :, None] & opposed
        undone = np.where(steps, np.abs(beside) * self.heights(bench)[None, :, :, None], 0.0).sum(axis=2)
        saw = (steps.sum(axis=2) >= LEAST_TEETH) & (undone >= MOST_TAKEN_BACK * np.abs(pace) * bench.gains)
        slow = (self.slow(bench)[None, :, :, None] & opposed).any(axis=2)
        quick = (~self.slow(bench) & ~self.steps(bench))[None, :, :, None]
        gains = beside * self.heights(bench)[None, :, :, None]
        up, down = (np.where(quick & (sign * gains > 0), sign * gains, 0.0).sum(axis=2) for sign in (1, -1))
        wriggles = np.minimum(up, down) > MOST_TAKEN_BACK * np.maximum(up, down)
        twin = np.asarray(bench.unfinished[self.indices()].any(axis=1))[None, :, None]
        return np.asarray(np.isfinite(self.hold) & ~slow & ~saw & ~wriggles & ~twin)

    def of_one_sign(self, bench: _Bench) -> NDArray[np.bool_]:
        """Tell per noise and model whether, without lasting growth, nothing takes back what another gave."""
        gains = self.coefficients * self.heights(bench)
        slow, steps = self.slow(bench), self.steps(bench)
        up, down = (np.where(slow & (sign * gains > 0), sign * gains, 0.0).sum(axis=2) for sign in (1, -1))
        quick = ~slow & ~steps
        fast_up, fast_down = (
            np.where(quick & (sign * gains > 0), sign * gains, 0.0).sum(axis=2) for sign in (1, -1)
        )
        wriggles = np.minimum(fast_up, fast_down) > MOST_TAKEN_BACK * np.maximum(fast_up, fast_down)
        falls = steps & (gains < 0)
        undone = np.where(falls, -gains, 0.0).sum(axis=2)
        saw = (falls.sum(axis=2) >= LEAST_TEETH) & (undone >= MOST_TAKEN_BACK * up) & (up > 0)
        return np.asarray(~((up > 0) & (down > 0)) & ~saw & ~wriggles)

    def left(self, bench: _Bench) -> Floats:
        """Return the squares left beside each lasting shape, (noises, models, lasting)."""
        return np.maximum(self.squares[:, :, None] - self.pull**2 / self.hold, bench.least_squares)

    def lasting_gain(self, bench: _Bench) -> Floats:
        """Return the log likelihood each lasting shape adds, (noises, models, lasting)."""
        return np.asarray(0.5 * self.degrees * (np.log(self.squares)[:, :, None] - np.log(self.left(bench))))

    def scores(self, bench: _Bench) -> Floats:
        """Return each model's log evidence, the best lasting growth priced like any coefficient (BIC)."""
        gain = self.lasting_gain(bench)
        gain[~self.makes_sense(bench)] = -np.inf
        gain += bench.log_lasting - bench.price
        without = np.where(self.of_one_sign(bench), 0.0, -np.inf)
        return np.asarray(logsumexp(self.log_evidence + np.maximum(gain.max(axis=2), without), axis=0))


def explain(
    clock_s: Floats,
    share: Floats,
    memory: Floats,
    nuisance: Floats,
    *,
    grid: NoiseGrid,
    noise_floor: float,
    budget: float,
    prior_lasting: float,
) -> Explanation:
    """Weigh all models of `memory` over `share` (the workload, 0 to 1), with noise along `clock_s`.

    `budget` is in bytes over the run, as growth is. `nuisance` (points × k) is fitted in
    every model. Needs at least 3 points more than nuisance columns and one.
    """
    endings, lastings = ending_shapes(share, memory), lasting_shapes()
    unit = float(np.std(memory)) or 1.0
    ending_columns = np.column_stack([shape.at(share) for shape in endings])
    lasting_columns = np.column_stack([shape.at(share) for shape in lastings])
    ending_units, lasting_units = _spread(ending_columns), _spread(lasting_columns)
    bench = _prepare(
        clock_s,
        np.column_stack([np.ones_like(share), nuisance]),
        np.column_stack([ending_columns / ending_units, lasting_columns / lasting_units]),
        (memory - memory.mean()) / unit,
        endings,
        lastings,
        ending_units,
        lasting_units,
        grid=grid,
        noise_floor=noise_floor / unit,
    )
    found = _kept(_search(bench), bench)
    best = max(
        float((models.log_evidence[:, :, None] + models.lasting_gain(bench)).max()) for models in found
    )
    sizes = np.geomspace(1.0, LARGEST_GROWTH, PRIOR_STEPS)
    weights = np.exp(-0.5 * (np.log(sizes / TYPICAL_GROWTH) / TYPICAL_SPREAD) ** 2)
    believed = Sizes(budget * sizes, np.log(weights / weights.sum()))
    small = Sizes(
        budget * np.array(NEGLIGIBLE_SIZES), np.full(len(NEGLIGIBLE_SIZES), -np.log(len(NEGLIGIBLE_SIZES)))
    )
    weighed = [_weigh(bench, models, lasting_units / unit, believed, small, best) for models in found]
    joined = _Weighed(*(np.concatenate(parts, axis=1) for parts in zip(*weighed, strict=True)))
    return _explanation(
        bench, joined, found, prior_lasting, endings, lastings, ending_units / unit, unit=unit, budget=budget
    )


def _spread(columns: Floats) -> Floats:
    spread = np.std(columns, axis=0)
    return np.where(spread > 0, spread, 1.0)


def _prepare(
    clock_s: Floats,
    base: Floats,
    shapes: Floats,
    y: Floats,
    endings: list[Shape],
    lastings: list[Shape],
    ending_units: Floats,
    lasting_units: Floats,
    *,
    grid: NoiseGrid,
    noise_floor: float,
) -> _Bench:
    white = whiten(clock_s, np.column_stack([base, shapes, y]), grid)
    moments = np.matmul(white.columns.transpose(0, 2, 1), white.columns)
    log_noise = grid.log_prior - 0.5 * white.log_determinant
    width = base.shape[1]
    for column in range(width):
        log_noise = log_noise - 0.5 * np.log(moments[:, column, column])
        moments = _swept(moments, column)
    moments = np.ascontiguousarray(moments[:, width:, width:])
    return _Bench(
        moments=moments,
        original=np.maximum(np.einsum("gii->gi", moments), 1e-300),
        log_noise=log_noise,
        price=0.5 * float(np.log(y.size)),
        endings=len(endings),
        degrees=y.size - width,
        least_squares=y.size * noise_floor**2,
        slow=np.array([shape.slow for shape in endings]),
        unfinished=np.array([shape.unfinished for shape in endings]),
        steps=np.array([shape.kind is Kind.STEP for shape in endings]),
        log_ladder=np.log([ladder_density(shape.begin) for shape in endings]),
        heights=np.array([shape.gain() for shape in endings]) / ending_units,
        gains=np.array([shape.gain() for shape in lastings]) / lasting_units,
        log_ending=np.log([shape.prior for shape in endings]) + LOG_PRIOR_PER_SHAPE,
        log_lasting=np.log([shape.prior for shape in lastings]),
    )


def _swept(moments: Floats, column: int) -> Floats:
    """Take what one column explains out of all moments; its row then holds the regressions on it."""
    row = moments[:, column, :] / moments[:, column, column][:, None]
    left = moments - moments[:, :, column, None] * row[:, None, :]
    left[:, column, :] = row
    return left


class _Grown(NamedTuple):
    """A model that may be extended by one more ending shape."""

    score: float
    members: tuple[int, ...]
    moments: Floats
    """With all but the last member swept out."""
    log_prior: float


def _search(bench: _Bench) -> list[_Models]:
    """Return the models worth weighing: none to `MAX_ENDING` ending shapes, the best ones extended."""
    alone = _evaluate(bench, bench.moments, (), 0.0, None)
    found = [alone]
    known: set[frozenset[int]] = set()
    best = float(alone.scores(bench)[0])
    beam = [_Grown(best, (), bench.moments, 0.0)]
    for size in range(min(MAX_ENDING, bench.degrees - 4)):
        width = BEAM if size < NARROW_FROM else NARROW_BEAM
        stage: list[_Grown] = []
        for parent in beam:
            moments = _swept(parent.moments, parent.members[-1]) if parent.members else parent.moments
            models = _extended(bench, moments, parent.members, parent.log_prior, known)
            if models is None:
                continue
            scores = models.scores(bench)
            best = max(best, float(scores.max()))
            keep = np.flatnonzero(scores > best - PRUNE)
            if keep.size:
                found.append(models.chosen(keep))
            known.update(frozenset(names) for names in models.members)
            stage += [
                _Grown(float(scores[i]), models.members[i], moments, float(models.log_prior[i]))
                for i in np.argsort(scores)[::-1][:width].tolist()
            ]
        stage.sort(key=lambda grown: -grown.score)
        beam = [grown for grown in stage[:width] if grown.score > best - PRUNE]
        if not beam:
            break
    return found


def _extended(
    bench: _Bench, moments: Floats, members: tuple[int, ...], log_prior: float, known: set[frozenset[int]]
) -> _Models | None:
    """Return the models with one more ending shape, less those that tell nothing new or are known."""
    left = np.einsum("gii->gi", moments)[:, : bench.endings]
    useful = (left > COLLINEAR * bench.original[:, : bench.endings]).all(axis=0)
    singles = [
        int(single)
        for single in np.flatnonzero(useful)
        if single not in members and frozenset((*members, int(single))) not in known
    ]
    if not singles:
        return None
    return _evaluate(bench, moments, members, log_prior, np.array(singles))


def _evaluate(
    bench: _Bench,
    moments: Floats,
    members: tuple[int, ...],
    log_prior: float,
    singles: NDArray[np.intp] | None,
) -> _Models:
    """Evaluate the models of `members`, whose columns are swept out of `moments`, with each of `singles`."""
    lasting = slice(bench.endings, -1)
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
    return _Models(
        names, log_priors, log_evidence, squares, pull, hold, coefficients, tilt, bench.degrees - size
    )


def _kept(found: list[_Models], bench: _Bench) -> list[_Models]:
    """Return the models near the best, and the one without any ending shape, which can always be weighed."""
    alone, *others = found
    best = max(float(models.scores(bench).max()) for models in found)
    kept = [models.chosen(np.flatnonzero(models.scores(bench) > best - PRUNE)) for models in others]
    return [alone, *(models for models in kept if models.members)]


class Sizes(NamedTuple):
    """Sizes growth may have, in bytes over the run, rising evenly on a logarithmic scale."""

    size: Floats
    log_belief: Floats
    """Log belief in each before the data is seen; they add up to one."""


class _Weighed(NamedTuple):
    """Every model with every lasting shape, under every noise: arrays of (noises, models, lasting)."""

    log_evidence: Floats
    """Without lasting growth."""
    alone: NDArray[np.bool_]
    """Whether the model makes sense without lasting growth."""
    centre: Floats
    """Growth over the run in bytes at the pace of its end."""
    scale: Floats
    degrees: Floats
    rising: Floats
    """Log evidence of growth above the budget, against none (Bayes factor)."""
    negligible: Floats
    """Log evidence of growth below the budget, against none."""
    falling: Floats
    """Log evidence of a fall, against none."""
    stairs: Floats
    """Log of how much better evenly spread steps fit its steps than a ladder's; -inf for no staircase."""
    risen: Floats
    """What the steps of the staircase come to in bytes, and the root of the sum of their squares below."""
    spread: Floats
    known: NDArray[np.bool_]
    """Whether the lasting shape can be told from the others, and none takes back what another gave."""
    told: NDArray[np.bool_]
    """Whether it can be told from the others at all."""


def _weigh(
    bench: _Bench, models: _Models, units: Floats, sizes: Sizes, small: Sizes, best: float
) -> _Weighed:
    told = np.isfinite(models.hold)
    hold = np.where(told, models.hold, 1.0)
    degrees = max(models.degrees - 1, 1)
    known = models.makes_sense(bench)
    centre, scale = models.pace() / units, np.sqrt(models.left(bench) / degrees / hold) / units
    likely = known & (models.log_evidence[:, :, None] + models.lasting_gain(bench) > best - PRUNE)

    def against_none(sign: float, weighed: Sizes) -> Floats:
        factors = np.full(centre.shape, -np.inf)
        factors[likely] = _log_bayes_factor(sign * centre[likely], scale[likely], degrees, weighed)
        return factors

    rising, negligible, falling = (
        against_none(sign, weighed) for sign, weighed in ((1.0, sizes), (1.0, small), (-1.0, sizes))
    )
    stairs, risen, spread = _staircase(bench, models)
    return _Weighed(
        stairs=stairs,
        risen=risen,
        spread=spread,
        log_evidence=np.broadcast_to(models.log_evidence[:, :, None], centre.shape),
        alone=np.broadcast_to(models.of_one_sign(bench)[:, :, None], centre.shape),
        centre=centre,
        scale=scale,
        degrees=np.full(centre.shape, float(degrees)),
        rising=rising,
        negligible=negligible,
        falling=falling,
        known=known,
        told=told,
    )


def _staircase(bench: _Bench, models: _Models) -> tuple[Floats, Floats, Floats]:
    """Return the log evidence of the steps being a staircase, their sum and spread, (noises, models, 1).

    Steps that go on come evenly: the ladder's density is taken back, and the sum of a compound Poisson
    process is as uncertain as the root of the sum of its squares.
    """
    steps = models.steps(bench)[None, :, :]
    heights = np.where(steps, models.coefficients * models.heights(bench)[None, :, :], 0.0)
    upward = (np.where(steps, heights, 1.0) > 0).all(axis=2) & (steps.sum(axis=2) >= LEAST_STAIRS)
    odds = np.where(models.steps(bench), -bench.log_ladder[models.indices()], 0.0).sum(axis=1)
    stairs = np.where(upward, odds[None, :], -np.inf)
    return stairs[:, :, None], heights.sum(axis=2)[:, :, None], np.sqrt((heights**2).sum(axis=2))[:, :, None]


def _log_bayes_factor(centre: Floats, scale: Floats, degrees: int, sizes: Sizes) -> Floats:
    """Return the log of how much better growth of one of `sizes` explains the data than none."""
    half_step = 0.5 * np.log(sizes.size[1] / sizes.size[0])
    power = -0.5 * (degrees + 1)
    total = np.full(centre.shape, -np.inf)
    for size, log_belief in zip(sizes.size, sizes.log_belief, strict=True):
        # a size stands for all between it and its neighbours: the likelihood is widened by that much
        wide = np.hypot(scale, half_step * size)
        log_likelihood = power * np.log1p(((size - centre) / wide) ** 2 / degrees) + np.log(scale / wide)
        total = np.logaddexp(total, log_likelihood + log_belief)
    return np.asarray(total - power * np.log1p((centre / scale) ** 2 / degrees))


def _explanation(
    bench: _Bench,
    joined: _Weighed,
    found: list[_Models],
    prior_lasting: float,
    endings: list[Shape],
    lastings: list[Shape],
    ending_units: Floats,
    *,
    unit: float,
    budget: float,
) -> Explanation:
    log_shape = bench.log_lasting
    priors = {
        "none": 1.0 - prior_lasting - PRIOR_NEGLIGIBLE - PRIOR_FALLING,
        "rising": prior_lasting,
        "negligible": PRIOR_NEGLIGIBLE,
        "falling": PRIOR_FALLING,
    }
    none = np.where(joined.alone, joined.log_evidence, -np.inf)[:, :, 0] + np.log(priors["none"])
    shaped = joined.log_evidence + log_shape
    rising = shaped + joined.rising + np.log(priors["rising"])
    rest = shaped + np.logaddexp(
        joined.negligible + np.log(priors["negligible"]), joined.falling + np.log(priors["falling"])
    )
    sizes_ok = joined.risen * unit > budget
    with np.errstate(divide="ignore"):
        stairs = np.where(
            joined.alone[:, :, :1] & sizes_ok,
            joined.log_evidence[:, :, :1] + joined.stairs + np.log(priors["rising"] * STAIRS_SHARE),
            -np.inf,
        )
    log_line, log_stairs = float(logsumexp(rising)), float(logsumexp(stairs))
    log_rising = float(np.logaddexp(log_line, log_stairs))
    total = float(logsumexp([float(logsumexp(none)), log_rising, float(logsumexp(rest))]))
    told = joined.known if joined.known.any() else joined.told
    # every pace is weighed, also those whose best value is none
    log_pace = np.logaddexp(np.logaddexp(rising, rest), shaped + np.log(priors["none"]))
    log_pace = np.where(told, log_pace, -np.inf)
    reference = max(float(log_pace.max()), float(stairs.max()))
    pace, climb = np.exp(log_pace - reference), np.exp(stairs - reference)
    belief = _belief(
        np.concatenate([joined.centre, joined.risen * unit], axis=2),
        np.concatenate([joined.scale, np.maximum(joined.spread, 1e-9) * unit], axis=2),
        np.concatenate([joined.degrees, np.full(climb.shape, STAIRS_DEGREES)], axis=2),
        np.concatenate([pace, climb], axis=2),
    )
    lasting_kind = Kind.STAIRS
    if log_line >= log_stairs and np.isfinite(log_line):
        lasting_kind = _likeliest(lastings, np.exp(logsumexp(rising, axis=(0, 1)) - log_line))
    names = [name for models in found for name in models.members]
    noise, model = np.unravel_index(int(np.argmax(none)), none.shape)
    return Explanation(
        lasting=float(np.exp(log_rising - total)),
        belief=belief,
        ending=_gains(bench, int(noise), names[int(model)], endings, ending_units),
        likeliest_lasting=lasting_kind,
        beside=_beside(bench, rising, names, endings, ending_units),
        log_evidence=total,
    )


def _belief(centre: Floats, scale: Floats, degrees: Floats, weight: Floats) -> Belief:
    parts = np.column_stack([part.ravel() for part in (weight / weight.sum(), centre, scale, degrees)])
    parts = parts[np.argsort(-parts[:, 0])]
    used = min(int(np.searchsorted(np.cumsum(parts[:, 0]), 1.0 - NEGLECTED)) + 1, MOST_PARTS)
    weight, centre, scale, degrees = parts[:used].T
    return Belief(centre, scale, degrees, weight / weight.sum())


def _beside(
    bench: _Bench, rising: Floats, names: list[tuple[int, ...]], endings: list[Shape], units: Floats
) -> tuple[tuple[Shape, float], ...]:
    noise, model, lasting = np.unravel_index(int(np.argmax(rising)), rising.shape)
    return _gains(bench, int(noise), names[int(model)], endings, units, int(lasting))


def _gains(
    bench: _Bench,
    noise: int,
    members: tuple[int, ...],
    endings: list[Shape],
    units: Floats,
    lasting: int | None = None,
) -> tuple[tuple[Shape, float], ...]:
    """Return the ending shapes of one model, each with its gain in bytes over the run."""
    if not members:
        return ()
    chosen = list(members) if lasting is None else [*members, bench.endings + lasting]
    moments = bench.moments[noise]
    coefficients = np.linalg.lstsq(moments[np.ix_(chosen, chosen)], moments[chosen, -1], rcond=None)[0]
    return tuple(
        (endings[i], float(coefficient / units[i] * endings[i].gain()))
        for i, coefficient in zip(members, coefficients, strict=False)
    )


def _likeliest(lastings: list[Shape], weights: Floats) -> Kind:
    by_kind: dict[Kind, float] = {}
    for shape, weight in zip(lastings, weights, strict=True):
        by_kind[shape.kind] = by_kind.get(shape.kind, 0.0) + float(weight)
    return max(by_kind, key=lambda kind: by_kind[kind])
