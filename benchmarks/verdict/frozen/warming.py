"""Benign growth that ends: warm-ups, first runs, caches with an end, a new longest input."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from benchmarks.verdict.frozen.life import Life, Piece, Role, Scene
from benchmarks.verdict.frozen.load import total_until

if TYPE_CHECKING:
    from benchmarks.verdict.frozen.dice import Floats

UNDER_WAY = (0.5, 4.0)
"""Ends of a warm-up that a trace is too short to see, as a share of the run."""
ENDED = (0.005, 0.25)


def _progress(scene: Scene, life: Life, by_time: bool) -> Floats:
    """Return how far a life has come, where 1 is as much as the whole run brings."""
    if by_time:
        return (life.t_s - life.start_s).clip(min=0) / scene.plan.end_s
    return life.opened / scene.load.open_s.size


def warm_up(scene: Scene, under_way: bool = False) -> list[Piece]:
    """Grow by the logarithm, exponentially, in stretched steps or evenly, and end."""
    dice = scene.dice
    shape = dice.one_of(("log", "exponential", "steps", "straight", "root"))
    size = dice.log(0.04, 1.0) * scene.level_bytes
    end = dice.log(*(UNDER_WAY if under_way else ENDED))
    by_time = dice.chance(0.3)
    bend = dice.log(0.01, 0.3) * end
    steps = dice.whole(3, 12)

    def held(life: Life) -> Floats:
        done = _progress(scene, life, by_time)
        until = np.minimum(done / end, 1.0)
        if shape == "log":
            return np.asarray(size * np.log1p(np.minimum(done, end) / bend) / np.log1p(end / bend))
        if shape == "exponential":
            return np.asarray(size * (1 - np.exp(-3 * done / end)))
        if shape == "steps":
            return np.asarray(size * np.ceil((1 - (1 - until) ** 2) * steps) / steps)
        return np.asarray(size * (np.sqrt(until) if shape == "root" else until))

    return [Piece(Role.WARMING, held)]


def first_run(scene: Scene) -> list[Piece]:
    """Jump at the first connection, and a little at the next few."""
    dice = scene.dice
    size = dice.log(0.1, 3.0) * scene.level_bytes
    more = np.sort(dice.rng.integers(2, 9, dice.whole(0, 4)))
    shares = np.concatenate([[1.0], dice.rng.uniform(0.03, 0.5, more.size)])
    at = np.concatenate([[1.0], more])

    def held(life: Life) -> Floats:
        return size * np.asarray([shares[at <= count].sum() for count in np.minimum(life.opened, 9)])

    return [Piece(Role.STEP, held)]


def cache(scene: Scene, under_way: bool = False) -> list[Piece]:
    """Keep an entry for each thing asked for, until all are known or the cache is full."""
    dice = scene.dice
    asked = scene.load.open_s.size
    share = dice.log(0.3, 3.0) if under_way else dice.log(0.002, 0.1)
    things = max(4, int(asked * share))
    rare = dice.flat(1.0, 3.0)
    full = max(2, int(things * dice.flat(0.4, 1.0)))
    each = dice.log(0.03, 0.5) * scene.level_bytes / full

    def held(life: Life) -> Floats:
        _, first = np.unique((things * life.load.key**rare).astype(int), return_index=True)
        known = np.searchsorted(np.sort(first), life.opened - 0.5)
        return each * np.minimum(known, full).astype(np.float64)

    return [Piece(Role.WARMING, held)]


def longest_input(scene: Scene) -> list[Piece]:
    """Keep buffers for the longest input so far, by buckets; in some traces one far longer comes late."""
    dice = scene.dice
    size = dice.log(0.01, 0.3) * scene.level_bytes
    bucket = dice.one_of((1.25, 1.5, 2.0))
    usual = float(np.median(scene.load.audio_s)) + 1e-9
    longest = usual * 4
    late = dice.flat(0.25, 0.93) * scene.plan.end_s if dice.chance(0.7) else np.inf
    late_size = dice.log(0.01, 0.25) * scene.level_bytes

    def held(life: Life) -> Floats:
        seconds = np.clip(life.load.audio_s, usual / 4, longest)
        rung = np.ceil(np.log(seconds / (usual / 4)) / np.log(bucket))
        records = np.maximum.accumulate(np.append(0.0, size * rung * np.log(bucket) / np.log(16)))
        return np.asarray(records[life.opened.astype(int)] + late_size * (life.t_s >= late))

    return [Piece(Role.STEP, held)]


def file_pages(scene: Scene) -> list[Piece]:
    """Map a model file page by page; the kernel takes some back now and then, and they come again."""
    dice = scene.dice
    size = dice.log(0.05, 1.0) * scene.level_bytes
    usual = dice.log(0.003, 0.08)
    taken_s = dice.moments(dice.one_of((0.0, 1.0, 4.0)), 0.0, scene.plan.end_s)
    shares = dice.rng.uniform(0.02, 0.5, taken_s.size)

    def mapped(life: Life) -> Floats:
        return size * (1 - np.exp(-_progress(scene, life, by_time=False) / usual))

    def missing(life: Life) -> Floats:
        value = np.zeros(life.t_s.size)
        for at_s, share in zip(taken_s, shares, strict=True):
            since = (life.t_s - at_s) / scene.plan.end_s
            value -= np.where(since >= 0, share * size * np.exp(-since.clip(min=0) / usual), 0.0)
        return np.maximum(value, -size)

    return [Piece(Role.WARMING, mapped), Piece(Role.SWING, missing)]


def rotated_log(scene: Scene) -> list[Piece]:
    """Keep what is logged until it is rotated."""
    dice = scene.dice
    size = dice.log(0.005, 0.15) * scene.level_bytes
    rotations = dice.log(3, 40)
    per_connection = size * rotations / scene.load.open_s.size

    def held(life: Life) -> Floats:
        logged = total_until(life.t_s, life.load.close_s, per_connection * life.load.weight)
        return logged % size

    return [Piece(Role.SWING, held)]
