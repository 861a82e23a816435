"""Heap in use, read from outside: sessions, caches and a little garbage, no allocator in between."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.verdict.frozen import allocator, swings, warming
from benchmarks.verdict.frozen.dice import Dice
from benchmarks.verdict.frozen.life import Life, Piece, Role, Scene
from benchmarks.verdict.frozen.load import draw_load, total_until
from benchmarks.verdict.frozen.plan import Plan
from benchmarks.verdict.frozen.promise import BUDGET_SHARE, LEAST_BUDGETS, budget_bytes, goes_on, kept_promise
from benchmarks.verdict.trace import Trace
from soak.analyse.series import Series
from soak.verdict.quantities import Quantity

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from benchmarks.verdict.frozen.dice import Floats

PART = "heap"
SMALLEST_LEAK, LARGEST_LEAK = 64.0, 1e6
"""Bytes kept with a connection."""
READ = ("quiet_only", "both", "both", "load_only")
"""When the heap is read: in quiet windows, all the time with quiet windows, under load alone."""
HEALTHY = ("flat", "caches", "first_runs", "longest_input", "python_garbage", "many_sessions")
LEAKING = ("each_connection", "each_connection", "rare", "starting_late", "beside_caches", "in_busy_hours")
UNDER_WAY_EACH = 15
ALIGNED = 16.0
"""What malloc rounds a request up to."""
ENOUGH_QUIET = 5
"""Quiet readings from which a leak is measured on them alone."""


def frozen_heaps(count: int = 120) -> list[Trace]:
    """Make the first traces of the part, every other one leaking."""
    return [frozen_heap(number) for number in range(count)]


def frozen_heap(number: int) -> Trace:
    """Make one trace."""
    dice = Dice(PART, number)
    made = None
    while made is None:
        made = _made(dice, number)
    return made


def _made(dice: Dice, number: int) -> Trace | None:
    leaking = number % 2 == 1
    turn = number // 2
    under_way = not leaking and turn % UNDER_WAY_EACH == UNDER_WAY_EACH // 2
    family = (LEAKING if leaking else HEALTHY)[turn % 6]
    scene = _scene(dice)
    character = {"beside_caches": "caches"}.get(family, family)
    if leaking and family != "beside_caches":
        character = dice.one_of(HEALTHY)
    pieces = _pieces(scene, character, under_way)
    life = scene.lives[0]
    sums = {
        role: sum((piece.bytes_in(life) for piece in pieces if piece.role is role), np.zeros(life.t_s.size))
        for role in Role
    }
    values = scene.level_bytes + sums[Role.WARMING] + sums[Role.SWING] + sums[Role.STEP]
    level = float(np.median(values[values.size // 2 :]))
    if leaking:
        return _with_leak(scene, values, sums[Role.SWING] + sums[Role.STEP], family, number)
    still = float(sums[Role.WARMING][-1] - sums[Role.WARMING][int(values.size * 2 / 3)])
    if (still < BUDGET_SHARE * level) if under_way else (still > BUDGET_SHARE * level / 2):
        return None
    name = "warm_up_under_way" if under_way else family
    return Trace(f"{name}/{number:04d}", name, False, _recorded(scene, values), 0.0, level_bytes=level)


def _with_leak(scene: Scene, values: Floats, disturbance: Floats, family: str, number: int) -> Trace | None:
    dice, load, t_s = scene.dice, scene.load, scene.plan.t_s
    first_s, last_s = float(t_s[0]), float(t_s[-1])
    each = dice.log(SMALLEST_LEAK, LARGEST_LEAK)
    onset_s = first_s + dice.flat(0.15, 0.55) * (last_s - first_s) if family == "starting_late" else 0.0
    happens = load.close_s >= onset_s
    if family == "rare":
        happens &= load.key < 0.02
    if family == "in_busy_hours":
        happens &= (load.close_s / (last_s / dice.flat(3, 8))) % 1 < dice.flat(0.3, 0.7)
    leaked = total_until(t_s, load.close_s, np.ceil(each * load.weight / ALIGNED) * ALIGNED * happens)
    measured = _measured(scene)
    gain = float(leaked[-1] - leaked[0])
    noise = max(float(np.std(disturbance[measured])), ALIGNED)
    level = float(np.median(values[values.size // 2 :]))
    most = dice.log(LEAST_BUDGETS, 400) * BUDGET_SHARE * level
    kept = kept_promise(gain, noise, budget_bytes(values + leaked, level))
    if not kept or not goes_on(leaked) or gain > most:
        return None
    since_s = max(first_s, onset_s)
    closed = np.searchsorted(np.sort(load.close_s), [since_s, last_s])
    return Trace(
        f"{family}/{number:04d}",
        family,
        True,
        _recorded(scene, values + leaked),
        growth_bytes_per_hour=gain / (last_s - since_s) * 3600,
        growth_bytes_per_connection=gain / max(1, int(closed[1] - closed[0])),
        signal_to_noise=gain / noise,
        level_bytes=level,
        onset_share=(since_s - first_s) / (last_s - first_s),
    )


def _measured(scene: Scene) -> NDArray[np.bool_]:
    """Return the readings on which a leak is measured: the quiet ones where there are enough."""
    quiet = scene.plan.resting(scene.plan.t_s)
    return quiet if quiet.sum() >= ENOUGH_QUIET else np.ones(quiet.size, dtype=bool)


def _scene(dice: Dice) -> Scene:
    read = dice.one_of(READ)
    blocks = dice.whole(5, 14) if read != "load_only" else 0
    shortest_s = max(120.0, blocks * 45.0)
    length_s = dice.log(shortest_s, 43_200.0)
    before_s = dice.log(0.01, 1.0) * length_s if dice.chance(0.5) else 0.0
    end_s = before_s + length_s
    rests = np.zeros((0, 2))
    if blocks:
        share = dice.flat(0.3, 0.5) if length_s < 90 * blocks else dice.flat(0.1, 0.4)
        ends_s = before_s + length_s / blocks * np.arange(1, blocks + 1)
        rests = np.stack([ends_s - share * length_s / blocks, ends_s], axis=1)
        first = before_s * np.asarray([[0.7, 1.0]]) if before_s and dice.chance(0.5) else np.zeros((0, 2))
        rests = np.concatenate([first, rests])
    if read == "quiet_only":
        each = dice.whole(1, 4)
        at = np.linspace(1.0, 0.6, each + 1)[:0:-1] if each > 1 else np.asarray([0.9])
        t_s = (rests[:, :1] + (rests[:, 1:] - rests[:, :1]) * np.clip(at, 0.6, 0.98)).ravel()
    else:
        count = int(dice.log(max(8, 3 * blocks), 300))
        t_s = before_s + (np.arange(count) + 0.5) * length_s / count
    plan = Plan(end_s, t_s, rests, np.zeros(0), 0.0)
    load = draw_load(dice, plan, dice.one_of(("constant", "poisson", "closed_loop", "new_rate")))
    return Scene(dice, plan, load, level_bytes=dice.log(8e6, 600e6))


def _pieces(scene: Scene, character: str, under_way: bool) -> list[Piece]:
    dice = scene.dice
    small = replace(scene, level_bytes=scene.level_bytes * dice.log(0.005, 0.2))
    pieces = [
        _sessions(scene, dice.log(0.02, 0.5) if character == "many_sessions" else dice.log(0.0005, 0.05))
    ]
    pieces.append(_thread_caches(scene))
    if character in ("caches", "python_garbage") or dice.chance(0.2):
        pieces += warming.cache(small)
    if character == "first_runs" or dice.chance(0.2):
        pieces += warming.first_run(replace(scene, level_bytes=scene.level_bytes * 0.3))
    if character == "longest_input" or dice.chance(0.1):
        pieces += warming.longest_input(scene)
    if character == "python_garbage":
        pieces += swings.garbage(small)
    if dice.chance(0.4):
        pieces += allocator.arenas(small)
    if under_way:
        pieces += dice.one_of((warming.warm_up, warming.cache))(scene, under_way=True)
    return pieces


def _sessions(scene: Scene, share: float) -> Piece:
    """Hold each open session, and each closed one until the sweep."""
    each = min(share * scene.level_bytes / scene.most_open, scene.dice.log(5e3, 20e6))
    sweep_s = scene.dice.one_of((0.0, 0.0, 1.0, 5.0))

    def held(life: Life) -> Floats:
        load = life.load
        freed_s = np.ceil(load.close_s / sweep_s) * sweep_s if sweep_s else load.close_s
        sizes = each * load.weight
        return total_until(life.t_s, load.open_s, sizes) - total_until(life.t_s, freed_s, sizes)

    return Piece(Role.SWING, held)


def _thread_caches(scene: Scene) -> Piece:
    """Count the chunks that each thread has put aside: a few kilobytes, now more, now less."""
    most = scene.dice.one_of((1, 4, 16, 64)) * scene.dice.log(0.5e3, 30e3)
    return Piece(Role.SWING, lambda life: most * life.dice.rng.beta(8.0, 4.0, life.t_s.size))


def _recorded(scene: Scene, values: Floats) -> Series:
    dice, plan, load = scene.dice, scene.plan, scene.load
    resolution = ALIGNED if dice.chance(0.8) else 1024.0
    columns: dict[str, Any] = {}
    if plan.rests.size:
        columns["phase"] = np.where(plan.resting(plan.t_s), "rest", "load")
    if plan.rests.size or dice.chance(0.7):
        completed = np.searchsorted(np.sort(load.close_s), plan.t_s, side="right").astype(float)
        columns["connections_completed"] = completed
        columns["open_connections"] = np.searchsorted(load.open_s, plan.t_s, side="right") - completed
    values = np.round(values / resolution) * resolution
    if dice.chance(0.2) and values.size > 10:
        values[1 + dice.rng.permutation(values.size - 2)[: dice.whole(1, 3)]] = np.nan
    return Series(np.round(plan.t_s - plan.t_s[0], 3), values, quantity=Quantity.HEAP, **columns)
