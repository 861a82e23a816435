"""Leaks: what is kept with each connection, request, second of audio or tick, and never given back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.verdict.frozen.load import total_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.verdict.frozen.dice import Dice, Floats
    from benchmarks.verdict.frozen.life import Life, Scene

KB, MB = 1e3, 1e6
GRAINS = (1.0, 4096.0, 132 * 1024.0, 2.0**20, 2.0**21, 2.0**23)
"""By how much memory grows at a time: pages, the top of a heap, arenas, huge pages."""


@dataclass(frozen=True)
class Kind:
    """A kind of leak of the catalogue."""

    name: str
    unit: str
    """What it grows with: connection, audio or hour."""
    low: float
    high: float
    """Bytes for each connection, second of audio, or second of time."""
    share: float = 1.0
    """Of how many connections."""


KINDS = (
    Kind("session_kept", "connection", 12 * KB, 150 * KB),
    Kind("large_state_kept", "connection", 1 * MB, 100 * MB),
    Kind("kept_after_abrupt_close", "connection", 10 * KB, 150 * KB, share=0.2),
    Kind("audio_buffer", "audio", 1 * KB, 64 * KB),
    Kind("native_segment", "audio", 50.0, 2 * KB),
    Kind("each_inference", "request", 0.1 * MB, 11 * MB),
    Kind("hotword_lists", "connection", 20 * KB, 20 * MB),
    Kind("compression_context", "connection", 17 * KB, 40 * KB),
    Kind("socket", "connection", 2 * KB, 10 * KB),
    Kind("thread", "connection", 10 * KB, 100 * KB),
    Kind("native_handle", "request", 0.2 * MB, 2 * MB),
    Kind("python_cycles", "request", 0.1 * MB, 5 * MB),
    Kind("result_list", "request", 0.2 * KB, 2 * KB),
    Kind("deleted_files", "request", 1 * MB, 20 * MB),
    Kind("timer_while_idle", "hour", 0.05 * KB, 50 * KB),
    Kind("rare_event", "connection", 0.1 * MB, 50 * MB, share=0.02),
)
HOW = ("steady", "steady", "starting_late", "in_bursts")


@dataclass(frozen=True)
class Leak:
    """A leak drawn for a scene."""

    kind: Kind
    how: str
    onset_s: float
    bytes_in: Callable[[Life], Floats]


def draw_leak(scene: Scene, kind: Kind, how: str) -> Leak:
    """Draw its size, at full or a tenth, and when it happens."""
    dice, plan = scene.dice, scene.plan
    size = dice.log(kind.low, kind.high) * dice.one_of((1.0, 1.0, 0.1))
    requests = dice.whole(1, 6) if kind.unit == "request" else 1
    first_s, length_s = float(plan.t_s[0]), plan.end_s - float(plan.t_s[0])
    onset_s = first_s + dice.flat(0.15, 0.6) * length_s if how == "starting_late" else 0.0
    windows = _bursts(dice, first_s, plan.end_s) if how == "in_bursts" else None
    grain = dice.one_of(GRAINS)
    hidden = dice.log(1e-4, 0.01) * scene.level_bytes if dice.chance(0.3) else 0.0

    def counts(at_s: Floats) -> Floats:
        inside = at_s >= onset_s
        if windows is not None:
            inside &= np.searchsorted(windows.ravel(), at_s) % 2 == 1
        return inside.astype(np.float64)

    def kept(life: Life) -> Floats:
        if kind.unit == "hour":
            edges_s = np.linspace(life.start_s, min(life.end_s, plan.end_s), 4001)
            grown = np.cumsum(counts((edges_s[1:] + edges_s[:-1]) / 2)) * (edges_s[1] - edges_s[0])
            return np.asarray(size * np.interp(life.t_s, edges_s, np.concatenate([[0.0], grown])))
        load = life.load
        if kind.unit == "audio" and how == "steady":
            return size * load.streamed_s(life.t_s)
        amount = load.audio_s if kind.unit == "audio" else requests * load.weight
        happens = counts(load.close_s) * (load.key < kind.share)
        return total_until(life.t_s, load.close_s, size * amount * happens)

    def seen(life: Life) -> Floats:
        return np.ceil(np.maximum(kept(life) - hidden, 0.0) / grain) * grain

    return Leak(kind, how, onset_s, seen)


def _bursts(dice: Dice, start_s: float, end_s: float) -> Floats:
    """Draw windows in which it leaks, a row each: some faults come and go."""
    count = dice.whole(3, 15)
    cut = np.sort(dice.rng.uniform(start_s, end_s, 2 * count))
    return cut.reshape(count, 2)
