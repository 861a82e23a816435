"""From the true memory to what somebody recorded: rounded, with gaps, with few or many columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from soak.analyse.series import Series

if TYPE_CHECKING:
    from benchmarks.verdict.frozen.dice import Dice, Floats
    from benchmarks.verdict.frozen.life import Scene

PAGE = 4096.0
RESOLUTIONS = ((PAGE, 12), (1024.0, 5), (1e6, 4), (2.0**20, 4), (2.0**30 / 10, 1), (2.0**30 / 100, 2))
"""What readings are rounded to, in bytes, and how often of 28."""


def draw_resolution(dice: Dice, level_bytes: float) -> float:
    """Draw what readings are rounded to; nobody reads 50 MB in tenths of a gigabyte."""
    names = [size for size, often in RESOLUTIONS for _ in range(often) if size <= max(PAGE, level_bytes / 8)]
    return dice.one_of(names)


def recorded(scene: Scene, values: Floats, resolution: float) -> Series:
    """Round the memory to what the tool shows, lose some readings, keep the columns that were recorded."""
    dice, plan, load = scene.dice, scene.plan, scene.load
    t_s = np.round(plan.t_s, 3)
    values = np.round(values / resolution) * resolution
    values[_lost(dice, t_s)] = np.nan
    down = np.zeros(t_s.size, dtype=bool)
    for at_s in plan.restarts:
        down |= (t_s >= at_s) & (t_s < at_s + plan.down_s)
    values[down] = np.nan
    columns: dict[str, Any] = {}
    if plan.rests.size:
        columns["phase"] = np.where(plan.resting(t_s), "rest", "load")
    wealth = dice.flat(0.0, 1.0)
    if plan.rests.size or wealth > 0.45:
        order = np.sort(load.close_s)
        columns["connections_completed"] = np.searchsorted(order, t_s, side="right").astype(float)
        if plan.rests.size or wealth > 0.6:
            opened = np.searchsorted(load.open_s, t_s, side="right")
            columns["open_connections"] = opened - columns["connections_completed"]
        if wealth > 0.8:
            columns["audio_s"] = np.round(load.streamed_s(t_s), 3)
    if dice.chance(0.06):
        at, size = dice.whole(1, t_s.size - 1), dice.log(0.02, 0.3) * float(np.nanmedian(values))
        swapped = np.floor(size / PAGE) * PAGE * (np.arange(t_s.size) >= at)
        lowest = float(np.nanmin(values))
        swapped = np.minimum(swapped, np.floor(lowest / 2 / PAGE) * PAGE)
        columns["swap_bytes"] = swapped
        values = values - swapped
    keep = np.ones(t_s.size, dtype=bool)
    if dice.chance(0.15) and t_s.size > 60:
        keep = ~_lost(dice, t_s, always=True)
    offset = t_s[keep][0] if dice.chance(0.9) else 0.0
    return Series(
        np.asarray(np.round(t_s[keep] - offset, 3), dtype=np.float64),
        values[keep],
        **{name: column[keep] for name, column in columns.items()},
    )


def _lost(dice: Dice, t_s: Floats, *, always: bool = False) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Draw readings that failed: single ones, and a stretch in which the monitor was away."""
    lost = np.zeros(t_s.size, dtype=bool)
    if not always and not dice.chance(0.25):
        return lost
    if dice.chance(0.5):
        lost |= dice.rng.uniform(size=t_s.size) < dice.log(0.002, 0.1)
    else:
        for _ in range(dice.whole(1, 3)):
            begin = dice.whole(1, max(1, int(0.9 * t_s.size)))
            lost[begin : begin + dice.whole(1, max(1, t_s.size // 12))] = True
    lost[0] = lost[-1] = False
    return lost
