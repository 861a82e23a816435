"""What all the models say together: whether growth goes on, how fast, and what else explains the points."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import logsumexp

from soak.analyse.posterior.belief import Belief
from soak.analyse.posterior.search import PRUNE, prepare, search
from soak.analyse.posterior.shapes import Kind

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from soak.analyse.posterior.noise import NoiseGrid
    from soak.analyse.posterior.search import Bench, Models
    from soak.analyse.posterior.shapes import Shape

    Floats = NDArray[np.float64]

LEAST_STAIRS = 3
"""Steps upward from which they may be a staircase that goes on."""
STAIRS_SHARE = 0.15
"""Share of the belief in lasting growth that is for staircases."""
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
    bench = prepare(clock_s, share, memory, nuisance, grid=grid, noise_floor=noise_floor)
    found = search(bench)
    best = max(float((models.log_evidence[:, :, None] + models.lasting_gain).max()) for models in found)
    multiples = np.geomspace(1.0, LARGEST_GROWTH, PRIOR_STEPS)
    weights = np.exp(-0.5 * (np.log(multiples / TYPICAL_GROWTH) / TYPICAL_SPREAD) ** 2)
    large = Sizes(budget * multiples, np.log(weights / weights.sum()))
    negligible = np.array(NEGLIGIBLE_SIZES)
    small = Sizes(budget * negligible, np.full(negligible.size, -np.log(negligible.size)))
    weighed = [_weigh(models, large, small, best) for models in found]
    joined = _Weighed(*(np.concatenate(parts, axis=1) for parts in zip(*weighed, strict=True)))
    names = [name for models in found for name in models.members]
    return _explanation(bench, joined, names, prior_lasting, budget)


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


def _weigh(models: Models, large: Sizes, small: Sizes, best: float) -> _Weighed:
    bench = models.bench
    units = bench.lasting_units / bench.unit
    hold = np.where(models.told, models.hold, 1.0)
    degrees = max(models.degrees - 1, 1)
    centre, scale = models.pace / units, np.sqrt(models.left / degrees / hold) / units
    likely = models.sensible_with & (models.log_evidence[:, :, None] + models.lasting_gain > best - PRUNE)

    def against_none(sign: float, sizes: Sizes) -> Floats:
        factors = np.full(centre.shape, -np.inf)
        factors[likely] = _log_bayes_factor(sign * centre[likely], scale[likely], degrees, sizes)
        return factors

    stairs, risen, spread = _staircase(models)
    return _Weighed(
        log_evidence=np.broadcast_to(models.log_evidence[:, :, None], centre.shape),
        alone=np.broadcast_to(models.sensible_alone[:, :, None], centre.shape),
        centre=centre,
        scale=scale,
        degrees=np.full(centre.shape, float(degrees)),
        rising=against_none(1.0, large),
        negligible=against_none(1.0, small),
        falling=against_none(-1.0, large),
        stairs=stairs,
        risen=risen,
        spread=spread,
        known=models.sensible_with,
        told=models.told,
    )


def _staircase(models: Models) -> tuple[Floats, Floats, Floats]:
    """Return the log evidence of the steps being a staircase, their sum and spread, (noises, models, 1).

    Steps that go on come evenly: the ladder's density is taken back, and the sum of a compound Poisson
    process is as uncertain as the root of the sum of its squares.
    """
    bench, steps = models.bench, models.steps[None, :, :]
    heights = np.where(steps, models.coefficients * models.heights[None, :, :], 0.0)
    upward = (np.where(steps, heights, 1.0) > 0).all(axis=2) & (steps.sum(axis=2) >= LEAST_STAIRS)
    odds = np.where(models.steps, -bench.log_ladder[models.indices], 0.0).sum(axis=1)
    stairs = np.where(upward, odds[None, :], -np.inf)
    risen = heights.sum(axis=2) * bench.unit
    spread = np.maximum(np.sqrt((heights**2).sum(axis=2)), 1e-9) * bench.unit
    return stairs[:, :, None], risen[:, :, None], spread[:, :, None]


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
    bench: Bench, joined: _Weighed, names: list[tuple[int, ...]], prior_lasting: float, budget: float
) -> Explanation:
    log_none = float(np.log(1.0 - prior_lasting - PRIOR_NEGLIGIBLE - PRIOR_FALLING))
    shaped = joined.log_evidence + bench.log_lasting
    none = np.where(joined.alone, joined.log_evidence, -np.inf)[:, :, 0] + log_none
    rising = shaped + joined.rising + np.log(prior_lasting)
    rest = shaped + np.logaddexp(
        joined.negligible + np.log(PRIOR_NEGLIGIBLE), joined.falling + np.log(PRIOR_FALLING)
    )
    stairs = np.where(
        joined.alone[:, :, :1] & (joined.risen > budget),
        joined.log_evidence[:, :, :1] + joined.stairs + np.log(prior_lasting * STAIRS_SHARE),
        -np.inf,
    )
    log_line, log_stairs = float(logsumexp(rising)), float(logsumexp(stairs))
    log_rising = float(np.logaddexp(log_line, log_stairs))
    total = float(logsumexp([float(logsumexp(none)), log_rising, float(logsumexp(rest))]))
    told = joined.known if joined.known.any() else joined.told
    # every pace is weighed, also those whose best value is none
    log_pace = np.where(told, np.logaddexp(np.logaddexp(rising, rest), shaped + log_none), -np.inf)
    reference = max(float(log_pace.max()), float(stairs.max()))
    belief = Belief.of(
        np.concatenate([joined.centre, joined.risen], axis=2),
        np.concatenate([joined.scale, joined.spread], axis=2),
        np.concatenate([joined.degrees, np.full(stairs.shape, STAIRS_DEGREES)], axis=2),
        np.exp(np.concatenate([log_pace, stairs], axis=2) - reference),
    )
    likeliest = Kind.STAIRS
    if log_line >= log_stairs and np.isfinite(log_line):
        likeliest = _likeliest(bench.lasting, np.exp(logsumexp(rising, axis=(0, 1)) - log_line))
    noise, model = np.unravel_index(int(np.argmax(none)), none.shape)
    beside_noise, beside_model, lasting = np.unravel_index(int(np.argmax(rising)), rising.shape)
    return Explanation(
        lasting=float(np.exp(log_rising - total)),
        belief=belief,
        ending=_gains(bench, int(noise), names[int(model)]),
        beside=_gains(bench, int(beside_noise), names[int(beside_model)], int(lasting)),
        likeliest_lasting=likeliest,
        log_evidence=total,
    )


def _gains(
    bench: Bench, noise: int, members: tuple[int, ...], lasting: int | None = None
) -> tuple[tuple[Shape, float], ...]:
    """Return the ending shapes of one model, each with its gain in bytes over the run."""
    if not members:
        return ()
    chosen = list(members) if lasting is None else [*members, len(bench.ending) + lasting]
    moments = bench.moments[noise]
    coefficients = np.linalg.lstsq(moments[np.ix_(chosen, chosen)], moments[chosen, -1], rcond=None)[0]
    return tuple(
        (bench.ending[i], float(coefficient * bench.heights[i] * bench.unit))
        for i, coefficient in zip(members, coefficients, strict=False)
    )


def _likeliest(lastings: list[Shape], weights: Floats) -> Kind:
    by_kind: dict[Kind, float] = {}
    for shape, weight in zip(lastings, weights, strict=True):
        by_kind[shape.kind] = by_kind.get(shape.kind, 0.0) + float(weight)
    return max(by_kind, key=lambda kind: by_kind[kind])
