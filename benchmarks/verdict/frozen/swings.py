"""What comes and goes: garbage, wandering, spikes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from benchmarks.verdict.frozen.life import Life, Piece, Role, Scene
from benchmarks.verdict.frozen.load import total_until

if TYPE_CHECKING:
    from benchmarks.verdict.frozen.dice import Dice, Floats


def wander(dice: Dice, t_s: Floats, tau_s: float) -> Floats:
    """Return a wandering of standard deviation 1 that forgets itself within `tau_s` (Ornstein-Uhlenbeck)."""
    if not t_s.size:
        return np.zeros(0)
    stays = np.exp(-np.diff(t_s) / tau_s)
    pushes = np.sqrt(1 - stays**2)
    draws = dice.rng.standard_normal(t_s.size)
    value = float(draws[0])
    values = [value]
    for stay, push, draw in zip(stays.tolist(), pushes.tolist(), draws[1:].tolist(), strict=True):
        value = stay * value + push * draw
        values.append(value)
    return np.array(values)


def saw_tooth(dice: Dice, made: Floats, threshold: float, jitter: float) -> Floats:
    """Return what is left of `made` (a rising amount) when it is thrown away at each threshold."""
    total = float(made.max(initial=0.0))
    count = int(total / threshold * 2) + 10
    ends = np.cumsum(threshold * np.maximum(dice.rng.normal(1.0, jitter, count), 0.2))
    ends = np.concatenate([[0.0], ends])
    return made - ends[np.searchsorted(ends, made, side="right") - 1]


def garbage(scene: Scene) -> list[Piece]:
    """Make garbage with each connection, or all the time; collect it when there is enough."""
    dice = scene.dice
    size = dice.log(0.01, 0.5) * scene.level_bytes
    teeth = dice.log(4, 0.5 * max(20, scene.plan.t_s.size))
    jitter = dice.flat(0.02, 0.25)
    idle = dice.chance(0.3)
    minor = dice.flat(0.05, 0.4) if dice.chance(0.4) else 0.0

    def held(life: Life) -> Floats:
        each = size * teeth / scene.load.open_s.size
        made = total_until(life.t_s, life.load.open_s, each * life.load.weight)
        if idle:
            made = size * teeth * (life.t_s - life.start_s).clip(min=0) / scene.plan.end_s
        value = saw_tooth(life.dice, made, size, jitter)
        if minor:
            value += saw_tooth(life.dice, made * 7, minor * size, jitter)
        return value

    return [Piece(Role.SWING, held)]


def wandering(scene: Scene) -> list[Piece]:
    """Wander around a level, for seconds or for hours."""
    dice = scene.dice
    size = dice.log(0.001, 0.03) * scene.level_bytes
    tau_s = scene.plan.end_s * dice.log(0.0005, 0.06)
    return [Piece(Role.SWING, lambda life: size * wander(life.dice, life.t_s, tau_s))]


def chatter(scene: Scene) -> list[Piece]:
    """Differ a little from reading to reading: scratch buffers caught or not."""
    dice = scene.dice
    size = dice.log(0.0001, 0.02) * scene.level_bytes
    busy = dice.flat(0.1, 0.9)

    def held(life: Life) -> Floats:
        caught = life.dice.rng.uniform(size=life.t_s.size) < busy
        caught &= ~scene.plan.resting(life.t_s)
        return size * caught * life.dice.rng.gamma(2.0, 0.5, life.t_s.size)

    return [Piece(Role.SWING, held)]


def spikes(scene: Scene) -> list[Piece]:
    """Need far more for a while, seldom: a long file, a reload, a dump."""
    dice = scene.dice
    begins_s = dice.moments(dice.log(1, 20), 0.0, scene.plan.end_s)
    lasts_s = scene.plan.end_s * dice.log(0.001, 0.02) * dice.rng.exponential(1.0, begins_s.size)
    sizes = dice.log(0.01, 0.5) * scene.level_bytes * dice.rng.uniform(0.3, 1.0, begins_s.size)

    def held(life: Life) -> Floats:
        begun = total_until(life.t_s, begins_s, sizes)
        return begun - total_until(life.t_s, begins_s + lasts_s, sizes)

    return [Piece(Role.SWING, held)]
