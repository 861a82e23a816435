"""A process that was restarted has several lives; a line through all of them means nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from soak.analyse.series import part_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from soak.analyse.series import Series
    from soak.analyse.settings import JudgeSettings


NEAR_SHARE = 0.25
"""Memory within this share of a fall is where it fell from."""
LEFT_OPEN = 0.2
"""Share of the connections that may be left where memory falls because they closed."""
MIN_LIFE = 8
"""Readings a life must have had for that to count."""


@dataclass(frozen=True, eq=False)
class Readings:
    """A series without gaps: only readings that have a time and a memory, times rising strictly."""

    t_s: NDArray[np.float64]
    memory_bytes: NDArray[np.float64]
    """RSS, plus swap where any was used."""
    connections: NDArray[np.float64] | None
    """Connections completed; gaps filled along the counter; None when it is not there or never moves."""
    audio_s: NDArray[np.float64] | None
    """Seconds of audio streamed, as the connections."""
    open_connections: NDArray[np.float64] | None
    at_rest: NDArray[np.bool_]
    swapped: bool
    """Whether swap was in use, so that it had to be added."""

    def part(self, chosen: slice) -> Readings:
        """Return a stretch of the readings."""
        return Readings(
            t_s=self.t_s[chosen],
            memory_bytes=self.memory_bytes[chosen],
            connections=part_of(self.connections, chosen),
            audio_s=part_of(self.audio_s, chosen),
            open_connections=part_of(self.open_connections, chosen),
            at_rest=self.at_rest[chosen],
            swapped=self.swapped,
        )


def read(series: Series) -> Readings:
    """Drop the gaps, add swap, and keep the last of readings that share a time."""
    values = series.values
    good = np.isfinite(series.t_s) & np.isfinite(values)
    if series.quantity.unit.zero_is_a_gap:
        good &= values > 0
    chosen = np.flatnonzero(good)
    if chosen.size:
        t_s = series.t_s[chosen]
        chosen = chosen[np.append(np.diff(t_s) > 0, True)]
    memory = values[chosen]
    swapped = False
    if series.swap_bytes is not None:
        swap = np.nan_to_num(_filled(series.swap_bytes[chosen], series.t_s[chosen]), nan=0.0)
        swapped = bool(np.any(swap > 0))
        memory = memory + swap
    at_rest = np.zeros(chosen.size, dtype=bool) if series.phase is None else series.phase[chosen] == "rest"
    return Readings(
        t_s=series.t_s[chosen],
        memory_bytes=memory,
        connections=_load(series.connections_completed, series.t_s, chosen),
        audio_s=_load(series.audio_s, series.t_s, chosen),
        open_connections=_load(series.open_connections, series.t_s, chosen),
        at_rest=at_rest,
        swapped=swapped,
    )


def split_lives(readings: Readings, settings: JudgeSettings) -> list[Readings]:
    """Split at every restart; the last element is the life that is still running.

    A restart is a fall of memory, within one step or across a gap, to about where this life began, together
    with one more sign: a gap, a counter that fell, a fall by `restart_bare_share`, or that memory had long
    been where it fell from. What malloc_trim or a garbage collection gives back is none of these, nor is what
    falls with the connections while their counter goes on.
    """
    t_s, memory = readings.t_s, readings.memory_bytes
    if t_s.size < 3:
        return [readings]
    starts = [0]
    gap_s = settings.restart_gap_intervals * float(np.median(np.diff(t_s)))
    counter_fell = np.zeros(t_s.size, dtype=bool)
    if readings.connections is not None:
        counter_fell[1:] = np.diff(readings.connections) < 0
    falls = np.flatnonzero(np.diff(memory) < -settings.restart_drop * memory[:-1]) + 1
    for at in falls:
        begin = starts[-1]
        before = float(memory[at - 1])
        fallen = 1.0 - float(memory[at]) / before
        fresh = memory[at] - memory[begin] < settings.restart_near_start * (before - memory[begin])
        sure = t_s[at] - t_s[at - 1] > gap_s or counter_fell[at]
        likely = fallen > settings.restart_bare_share or _long_there(memory[begin:at], fallen)
        if fresh and (sure or (likely and not _released(readings, int(at)))):
            starts.append(int(at))
    if len(starts) > settings.max_restarts:
        return [_counting_on(readings)]
    ends = [*starts[1:], t_s.size]
    lives = [readings.part(slice(start, end)) for start, end in zip(starts, ends, strict=True)]
    return [_counting_on(life) for life in lives]


def _released(readings: Readings, at: int) -> bool:
    """Tell whether the connections went with the memory: then it was theirs, and given back."""
    opened = readings.open_connections
    if opened is None or not opened[at - 1] > 0:
        return False
    return bool(opened[at] <= LEFT_OPEN * opened[at - 1])


def _long_there(life: NDArray[np.float64], fallen: float) -> bool:
    """Tell whether memory had been where it fell from for most of its life, unlike the tooth of a saw."""
    near = life > (1.0 - NEAR_SHARE * fallen) * life[-1]
    return bool(life.size >= MIN_LIFE and near.mean() > 0.5)


def _counting_on(life: Readings) -> Readings:
    """Carry the counters over where they fell though the process went on (its client was restarted)."""
    return replace(life, connections=_ever_more(life.connections), audio_s=_ever_more(life.audio_s))


def _ever_more(counter: NDArray[np.float64] | None) -> NDArray[np.float64] | None:
    if counter is None:
        return None
    steps = np.maximum(np.diff(counter), 0.0)
    return counter[0] + np.concatenate([[0.0], np.cumsum(steps)]) if steps.sum() > 0 else None


def _load(
    column: NDArray[np.float64] | None, t_s: NDArray[np.float64], chosen: NDArray[np.intp]
) -> NDArray[np.float64] | None:
    if column is None or not chosen.size:
        return None
    filled = _filled(column[chosen], t_s[chosen])
    if not np.isfinite(filled).all() or np.ptp(filled) <= 0:
        return None
    return filled


def _filled(column: NDArray[np.float64], t_s: NDArray[np.float64]) -> NDArray[np.float64]:
    known = np.isfinite(column)
    if known.all() or not known.any():
        return column
    return np.interp(t_s, t_s[known], column[known])
