"""What looks wrong in a series, with the likely reading."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from soak.quantity import format_bytes, format_count, format_duration
from soak.recordings.recording import Axis

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from soak.recordings.recording import Reading

LEAST_PROCESS_BYTES = 256 * 1024.0
"""No process of a server was seen with less; the smallest static program takes about as much."""
MOST_PROCESS_BYTES = 16 * 1024.0**4
"""No machine that is common has more."""
FASTEST_S = 0.005
"""Seconds between readings below which the unit of time is doubted: tools read 10 times a second at most."""
SLOWEST_S = 900.0
"""The same above, where every step is whole thousands."""
GAP_INTERVALS, GAP_SHARE = 10.0, 0.25
"""How many usual steps, and which share of the whole, a gap is that is worth a word."""
SMALLER_UNITS = (("KB", 1024.0), ("MB", 1024.0**2), ("GB", 1024.0**3))


def doubts(reading: Reading) -> tuple[str, ...]:
    """Return what looks wrong in a series, a sentence each."""
    found = [*_of_memory(reading.memory_bytes)]
    if reading.axis is Axis.TIME:
        known = np.isfinite(reading.along) & np.isfinite(reading.memory_bytes)
        found += [*_of_time(reading.along), *_of_gaps(reading.along[known])]
    return tuple(found)


def _of_memory(memory_bytes: NDArray[np.float64]) -> Iterator[str]:
    known = memory_bytes[np.isfinite(memory_bytes) & (memory_bytes > 0)]
    if not known.size:
        return
    middle = float(np.median(known))
    if middle < LEAST_PROCESS_BYTES:
        unit, size = next(
            (each for each in SMALLER_UNITS if middle * each[1] >= 8 * 1024.0**2), SMALLER_UNITS[-1]
        )
        yield (
            f"A process of {format_bytes(middle)} is too small: these are likely {unit} "
            f"({format_bytes(middle * size)}); say --unit {unit}."
        )
    elif middle > MOST_PROCESS_BYTES:
        yield f"A process of {format_bytes(middle)} is too large: these are likely bytes; say --unit B."


def _of_gaps(seconds: NDArray[np.float64]) -> Iterator[str]:
    steps = np.diff(seconds)
    if steps.size < 2:
        return
    longest = float(steps.max())
    if longest > GAP_INTERVALS * float(np.median(steps)) and longest > GAP_SHARE * float(np.ptp(seconds)):
        before = int(np.argmax(steps)) + 1
        yield (
            f"A gap of {format_duration(longest)} stands after {format_count(before)} of "
            f"{format_count(len(seconds))} readings: record evenly for a better verdict."
        )


def _of_time(seconds: NDArray[np.float64]) -> Iterator[str]:
    known = seconds[np.isfinite(seconds)]
    steps = np.diff(known)
    steps = steps[steps > 0]
    if steps.size < 2:
        return
    typical = float(np.median(steps))
    if typical < FASTEST_S:
        yield (
            f"{format_count(1 / typical)} readings a second are too many: the time is likely in another "
            "unit; say how far apart they are with --every, such as --every 1s."
        )
    elif typical >= SLOWEST_S and np.all(np.abs(steps / 1000.0 - np.round(steps / 1000.0)) < 0.05):
        length = format_duration(float(known[-1] - known[0]))
        yield (
            f"One reading every {format_duration(typical)}, {length} in all: "
            f"the time is likely in milliseconds; say --every {typical / 1000:g}s."
        )
