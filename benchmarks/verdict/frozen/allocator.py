"""What sessions and the allocator behind them hold: freed late, kept by threads, returned under pressure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from benchmarks.verdict.frozen.life import Life, Piece, Role, Scene
from benchmarks.verdict.frozen.load import total_until

if TYPE_CHECKING:
    from benchmarks.verdict.frozen.dice import Floats

MIB = float(2**20)


def sessions(scene: Scene) -> list[Piece]:
    """Hold memory for each open connection; free it at once, by a sweep, or when its backlog is decoded.

    The allocator keeps a share of the most that was ever needed.
    """
    dice = scene.dice
    most = dice.log(0.002, 0.25) * scene.level_bytes
    each = min(dice.log(20e3, 20e6), most / scene.most_open)
    how = dice.one_of(("at_once", "sweep", "backlog"))
    sweep_s, backlog_s = dice.flat(1.0, 5.0), dice.log(0.2, 5.0)
    kept = dice.one_of((0.0, 0.4, 0.8, 1.0))

    def freed_s(life: Life) -> Floats:
        if how == "sweep":
            return np.ceil(life.load.close_s / sweep_s) * sweep_s
        return life.load.close_s + (life.load.backlog_s * backlog_s if how == "backlog" else 0.0)

    def live(life: Life, at_s: Floats) -> Floats:
        held = each * life.load.weight
        return total_until(at_s, life.load.open_s, held) - total_until(at_s, freed_s(life), held)

    def most_so_far(life: Life) -> Floats:
        records = np.maximum.accumulate(np.append(0.0, live(life, life.load.open_s)))
        return np.asarray(records[life.opened.astype(int)])

    return [
        Piece(Role.SWING, lambda life: (1 - kept) * live(life, life.t_s)),
        Piece(Role.WARMING, lambda life: kept * most_so_far(life)),
    ]


def arenas(scene: Scene) -> list[Piece]:
    """Give each thread an arena, touched at its first connection and as large as its largest need."""
    dice = scene.dice
    threads = dice.one_of((1, 2, 4, 8, 16, 32, 64))
    each = min(dice.log(0.3e6, 16e6), dice.log(0.02, 0.8) * scene.level_bytes / threads)
    skew = dice.one_of((1.0, 1.0, 1.5, 2.5))
    at_first = dice.flat(0.3, 0.8)

    def held(life: Life) -> Floats:
        thread = np.minimum((threads * life.load.pick**skew).astype(int), threads - 1)
        need = each * (at_first + (1 - at_first) * life.load.need)
        added = np.zeros(need.size)
        for one in range(threads):
            mine = np.flatnonzero(thread == one)
            records = np.maximum.accumulate(need[mine])
            added[mine] = np.diff(records, prepend=0.0)
        return total_until(life.t_s, life.load.open_s, added)

    return [Piece(Role.WARMING, held)]


def lazily_freed(scene: Scene) -> list[Piece]:
    """Count pages that are free (MADV_FREE) until the kernel is short of memory or all are in use again."""
    dice = scene.dice
    most = dice.log(0.02, 0.3) * scene.level_bytes
    per_connection = most / (scene.load.open_s.size * dice.flat(0.03, 0.4))
    plan = scene.plan
    pressures_s = dice.moments(dice.one_of((0.0, 2.0, 8.0)), 0.0, plan.end_s)
    left = dice.flat(0.0, 0.6)

    def held(life: Life) -> Floats:
        freed = total_until(life.t_s, life.load.close_s, per_connection * life.load.weight)
        value = np.minimum(freed, most)
        for at_s in pressures_s[(pressures_s > life.start_s) & (pressures_s < life.end_s)]:
            later = life.t_s >= at_s
            if later.any():
                first = np.flatnonzero(later)[0]
                value[later] = np.minimum(left * value[first] + freed[later] - freed[first], most)
        return value

    return [Piece(Role.SWING if pressures_s.size else Role.WARMING, held)]


def huge_pages(scene: Scene) -> list[Piece]:
    """Let khugepaged make huge pages of touched ranges, 2 MiB each, until there are none left."""
    dice = scene.dice
    candidates = int(np.clip(dice.log(0.02, 0.3) * scene.level_bytes / (2 * MIB), 2, 400))
    usual_s = scene.plan.end_s * dice.log(0.02, 0.25)
    filled = dice.rng.uniform(0.1, 0.9, candidates)
    after_s = dice.rng.exponential(usual_s, candidates)

    def held(life: Life) -> Floats:
        return total_until(life.t_s, life.start_s + after_s, filled * 2 * MIB)

    return [Piece(Role.WARMING, held)]
