"""Servers under load, simulated: half of them healthy, half with one leak of the catalogue."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.verdict.frozen import allocator, swings, warming
from benchmarks.verdict.frozen.dice import Dice
from benchmarks.verdict.frozen.leaks import HOW, KINDS, Leak, draw_leak
from benchmarks.verdict.frozen.life import Life, Piece, Role, Scene
from benchmarks.verdict.frozen.load import draw_load
from benchmarks.verdict.frozen.plan import draw_plan
from benchmarks.verdict.frozen.promise import BUDGET_SHARE, budget_bytes, goes_on, kept_promise
from benchmarks.verdict.frozen.reading import draw_resolution, recorded
from benchmarks.verdict.trace import Trace

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.verdict.frozen.dice import Floats

    Build = Callable[[Scene], list[Piece]]

PART = "synthetic"
DAY_S = 86_400.0
UNDER_WAY_EACH = 15
"""Of so many healthy traces one ends before its warm-up does."""
SMALLEST_BYTES, LARGEST_BYTES = 10e6, 10e9
SIZES_TRIED = 8


@dataclass(frozen=True)
class Server:
    """What a healthy trace shows above all."""

    main: tuple[Build, ...]
    patterns: tuple[str, ...] = ()
    """Arrivals that belong to it; none: any."""
    shortest_s: float = 180.0
    restarted: bool = False


SERVERS: dict[str, Server] = {
    "thread_arenas": Server((allocator.arenas,)),
    "delayed_free": Server((allocator.sessions,)),
    "warm_up": Server((warming.warm_up,)),
    "first_run_jump": Server((warming.first_run,)),
    "filling_cache": Server((warming.cache,)),
    "longest_input": Server((warming.longest_input,)),
    "garbage_collector": Server((swings.garbage,)),
    "noisy_plateau": Server((swings.wandering,)),
    "file_pages": Server((warming.file_pages,)),
    "rotated_log": Server((warming.rotated_log,)),
    "lazily_freed": Server((allocator.lazily_freed,)),
    "huge_pages": Server((allocator.huge_pages,)),
    "throughput_change": Server((allocator.sessions,), ("closed_loop", "new_rate")),
    "daily_load": Server((allocator.sessions,), ("day",), shortest_s=1.5 * DAY_S),
    "burst_load": Server((allocator.sessions,), ("bursts",)),
    "one_long_session": Server((swings.chatter,), ("one_long",)),
    "restarted": Server((allocator.arenas, warming.warm_up), restarted=True),
    "spikes": Server((swings.spikes,)),
}
EXTRAS: tuple[tuple[Build, float], ...] = (
    (allocator.sessions, 0.6),
    (allocator.arenas, 0.4),
    (swings.chatter, 0.65),
    (swings.wandering, 0.3),
    (warming.warm_up, 0.25),
    (warming.first_run, 0.2),
    (warming.cache, 0.15),
    (swings.garbage, 0.12),
    (warming.file_pages, 0.15),
    (allocator.huge_pages, 0.1),
    (swings.spikes, 0.08),
)
"""What else may be part of any server, and how often it is."""


def frozen_traces(count: int = 400) -> list[Trace]:
    """Make the first traces of the part, every other one leaking."""
    return [frozen_trace(number) for number in range(count)]


def frozen_trace(number: int) -> Trace:
    """Make one trace. Leaks too small to be one and healthy creeps in surplus are drawn again."""
    dice = Dice(PART, number)
    made = None
    while made is None:
        made = _leaking(dice, number) if number % 2 else _healthy(dice, number)
    return made


@dataclass(frozen=True, eq=False)
class _Memory:
    """The memory of a scene without leak, and what of it is no trend; one entry for each reading."""

    scene: Scene
    healthy: Floats
    warming: Floats
    disturbance: Floats
    level_bytes: float


@dataclass(frozen=True)
class Largest:
    """How plain a leak may be; most leaks of the catalogue would hide from nobody."""

    noises: float
    budgets: float

    def allows(self, trace: Trace) -> bool:
        """Say whether a leak is hidden as well as was asked for."""
        length_hours = (trace.series.t_s[-1] - trace.series.t_s[0]) / 3600
        gain = trace.growth_bytes_per_hour * length_hours * (1 - trace.onset_share)
        few = trace.signal_to_noise is not None and trace.signal_to_noise <= self.noises
        return few and gain <= self.budgets * BUDGET_SHARE * trace.level_bytes


def _healthy(dice: Dice, number: int) -> Trace | None:
    turn = number // 2
    under_way = turn % UNDER_WAY_EACH == UNDER_WAY_EACH // 2
    family = list(SERVERS)[turn % len(SERVERS)]
    memory = _memory(dice, SERVERS[family], under_way=under_way)
    if not SMALLEST_BYTES <= memory.level_bytes <= LARGEST_BYTES:
        return None
    final_third = int(memory.warming.size * 2 / 3)
    still = memory.warming[-1] - memory.warming[final_third]
    budget = BUDGET_SHARE * memory.level_bytes
    if (still < budget) if under_way else (still > budget / 2):
        return None
    name = "warm_up_under_way" if under_way else family
    series = recorded(memory.scene, memory.healthy, draw_resolution(dice, memory.level_bytes))
    return Trace(f"{name}/{number:04d}", name, False, series, 0.0, level_bytes=memory.level_bytes)


def _leaking(dice: Dice, number: int) -> Trace | None:
    kind = KINDS[number // 2 % len(KINDS)]
    server = SERVERS[dice.one_of(list(SERVERS))]
    if server.patterns == ("one_long",) and kind.unit not in ("audio", "hour"):
        return None
    memory = _memory(dice, server, under_way=False)
    if not SMALLEST_BYTES <= memory.level_bytes <= LARGEST_BYTES:
        return None
    how = "steady" if memory.scene.load.pattern == "one_long" else dice.one_of(HOW)
    resolution = draw_resolution(dice, memory.level_bytes)
    most = Largest(noises=dice.log(5, 2000), budgets=dice.log(8, 1200))
    for _ in range(SIZES_TRIED):
        leak = draw_leak(memory.scene, kind, how)
        trace = _with(memory, leak, resolution, number)
        if trace is not None and most.allows(trace):
            return trace
    return None


def _with(memory: _Memory, leak: Leak, resolution: float, number: int) -> Trace | None:
    """Add a leak; None unless it keeps the promise of a leak, or when no host could hold it."""
    scene = memory.scene
    grown = [leak.bytes_in(life) for life in scene.lives]
    last = grown[-1]
    leaked = np.concatenate(grown)
    gains = sum(float(life[-1] - life[0]) for life in grown if life.size)
    gain = float(last[-1] - last[0])
    values = memory.healthy + leaked
    noise = np.hypot(np.std(memory.disturbance[-last.size :]), resolution / np.sqrt(12))
    if not kept_promise(gain, noise, budget_bytes(values, memory.level_bytes), resolution):
        return None
    if gains > 3 * memory.level_bytes or not goes_on(last):
        return None
    t_s = scene.plan.t_s
    since_s = max(float(t_s[0]), leak.onset_s)
    closed = np.searchsorted(np.sort(scene.load.close_s), [since_s, float(t_s[-1])])
    connections = int(closed[1] - closed[0])
    by_connection = leak.kind.unit in ("connection", "request") and connections > 0
    family = leak.kind.name if leak.how == "steady" else leak.how
    return Trace(
        f"{family}/{number:04d}" + ("" if leak.how == "steady" else f"-{leak.kind.name}"),
        family,
        True,
        recorded(scene, values, resolution),
        growth_bytes_per_hour=gains / (float(t_s[-1]) - since_s) * 3600,
        growth_bytes_per_connection=gains / connections if by_connection else None,
        signal_to_noise=gain / noise,
        level_bytes=memory.level_bytes,
        onset_share=(since_s - float(t_s[0])) / (float(t_s[-1]) - float(t_s[0])),
    )


def _memory(dice: Dice, server: Server, *, under_way: bool) -> _Memory:
    restarted = server.restarted or dice.chance(0.03)
    plan = draw_plan(dice, restarted=restarted, shortest_s=server.shortest_s)
    load = draw_load(dice, plan, dice.one_of(server.patterns) if server.patterns else None)
    scene = Scene(dice, plan, load, level_bytes=dice.log(10e6, 6e9))
    pieces = [piece for build in server.main for piece in build(scene)]
    for build, share in EXTRAS:
        if dice.chance(share) and build not in server.main:
            pieces += build(scene)
    if under_way:
        pieces += dice.one_of((warming.warm_up, warming.cache))(scene, under_way=True)
    pieces.append(_loading(scene))
    sums = {role: _total(scene, [piece for piece in pieces if piece.role is role]) for role in Role}
    healthy = np.asarray(scene.level_bytes + sum(sums.values()), dtype=np.float64)
    return _Memory(
        scene,
        healthy,
        sums[Role.WARMING],
        sums[Role.SWING] + sums[Role.STEP],
        level_bytes=float(np.median(healthy[healthy.size // 2 :])),
    )


def _total(scene: Scene, pieces: list[Piece]) -> Floats:
    whole = [sum((piece.bytes_in(life) for piece in pieces), np.zeros(life.t_s.size)) for life in scene.lives]
    return np.concatenate(whole)


def _loading(scene: Scene) -> Piece:
    """Load the model when the process starts, unless the recording waited for it."""
    dice = scene.dice
    takes_s = min(dice.log(0.5, 40.0), scene.plan.end_s / 40)
    peak = dice.flat(0.0, 0.3) if dice.chance(0.3) else 0.0
    waited_s = 0.0 if dice.chance(0.2) else takes_s

    def missing(life: Life) -> Floats:
        done = (life.t_s - life.start_s + (waited_s if life.start_s == 0 else 0.0)) / takes_s
        over = peak * ((done > 0.7) & (done < 1))
        return scene.level_bytes * (over - 0.95 * (1 - np.clip(done, 0, 1)))

    return Piece(Role.WARMING, missing)
