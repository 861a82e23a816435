"""Times as people and tools write them, brought to seconds since the first reading."""

from __future__ import annotations

import re
import warnings
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

EPOCHS = ((1e17, 1e-9), (1e14, 1e-6), (1e11, 1e-3), (1e8, 1.0))
"""From this size on a number is nanoseconds, microseconds, milliseconds, seconds since 1970."""
SECONDS_IN = {
    "ns": 1e-9,
    "us": 1e-6,
    "ms": 1e-3,
    "s": 1.0,
    "sec": 1.0,
    "secs": 1.0,
    "second": 1.0,
    "seconds": 1.0,
    "m": 60.0,
    "min": 60.0,
    "mins": 60.0,
    "minute": 60.0,
    "minutes": 60.0,
    "h": 3600.0,
    "hr": 3600.0,
    "hrs": 3600.0,
    "hour": 3600.0,
    "hours": 3600.0,
    "d": 86400.0,
    "day": 86400.0,
    "days": 86400.0,
}
DAY_S = 86400.0
PAGE_BYTES = 4096
"""Numbers that are all multiples of it are bytes of memory."""
MOSTLY = 0.8
"""Share of the cells that must be times for a column to hold the time."""
CLOCK = r"\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?:\s?[AaPp][Mm])?"
STAMP = re.compile(
    r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}[T ]\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?\s?(?:Z|UTC|[+-]\d{2}:?\d{2})?"
    rf"|\d{{1,2}}[./-]\d{{1,2}}[./-]\d{{2,4}},?\s+{CLOCK}"
    r"|\d{1,2}[/-][A-Z][a-z]{2}[/-]\d{4}[: ]\d{2}:\d{2}:\d{2}(?:\s[+-]\d{4})?"
    r"|(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),?\s+)?(?:\d{1,2}\s+)?(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*\.?"
    rf"\s+(?:\d{{1,2}}\s+)?{CLOCK}(?:\s+[A-Z]{{3,4}})?(?:\s+\d{{4}})?"
    rf"|(?<![\d:]){CLOCK}(?![\d:])"
    r"|(?<![\d.])1\d{9}(?:\.\d+|\d{3}|\d{6}|\d{9})?(?![\d.])"
)
"""A time within a line."""
_DURATION = re.compile(r"(?:t\s*\+\s*|after\s+|\+)?((?:\d+(?:[.,]\d+)?\s*[a-z]+\s*)+)", re.IGNORECASE)
_PART = re.compile(r"(\d+(?:[.,]\d+)?)\s*([a-z]+)", re.IGNORECASE)
_OFFSET = re.compile(r"(?:t\s*\+?\s*|\+)?(\d{1,3}(?:,\d{3})+|\d+(?:\.\d+)?)", re.IGNORECASE)
_EPOCH = re.compile(r"(?:1[4-9]|2[01])\d{8}(?:\.\d+|\d{3}|\d{6}|\d{9})?")
_UNIT_IN_NAME = re.compile(
    r"(?:^|[\s_(\[])(" + "|".join(sorted(SECONDS_IN, key=len, reverse=True)) + r")[)\]]?$"
)


def are_epochs(cells: Sequence[str]) -> bool:
    """Whether bare numbers are seconds since 1970, or parts of them, and no bytes: 2014 to 2039, in order."""
    if not all(_EPOCH.fullmatch(cell.strip()) for cell in cells):
        return False
    values = np.array([float(cell) for cell in cells])
    return bool(np.all(np.diff(values) >= 0)) and not np.all(values % PAGE_BYTES == 0)


def seconds_named(name: str) -> float | None:
    """Return the seconds in the unit that a column's name ends with: ``elapsed_ms``, ``minute``; or None."""
    found = _UNIT_IN_NAME.search(name.strip().lower())
    return None if found is None else SECONDS_IN[found[1]]


def duration_s(text: str) -> float | None:
    """Read a length of time such as ``60s``, ``4.5 h``, ``1 h 30 min``, ``t+15s``; None for anything else."""
    found = _DURATION.fullmatch(text.strip().strip("()"))
    if found is None:
        return None
    parts = [(value, SECONDS_IN.get(unit.lower())) for value, unit in _PART.findall(found[1])]
    if any(size is None for _, size in parts):
        return None
    return sum(float(value.replace(",", ".")) * (size or 0.0) for value, size in parts)


def offset(text: str) -> float | None:
    """Read a bare count such as ``60`` or ``t+60``; None for anything else."""
    found = _OFFSET.fullmatch(text.strip())
    return None if found is None else float(found[1].replace(",", ""))


def seconds_of(cells: Sequence[str], name: str = "") -> NDArray[np.float64] | None:
    """Return the seconds of every cell, NaN where it has none; None where the column holds no time.

    Plain numbers are seconds, unless `name` or their size says otherwise. Times of the day that go back are
    of the next day.
    """
    for read in (_numbers, _durations, _clocks, _dates):
        seconds = read(cells, name)
        if seconds is not None and np.isfinite(seconds).sum() >= max(1, MOSTLY * sum(map(bool, cells))):
            return seconds
    return None


def _numbers(cells: Sequence[str], name: str) -> NDArray[np.float64] | None:
    try:
        values = np.array([float(cell.replace(",", ".")) if cell.strip() else np.nan for cell in cells])
    except ValueError:
        return None
    known = values[np.isfinite(values)]
    if not known.size:
        return None
    middle = float(np.median(known))
    size = next((size for least, size in EPOCHS if middle >= least), None)
    return values * (size if size is not None else seconds_named(name) or 1.0)


def _durations(cells: Sequence[str], _name: str) -> NDArray[np.float64] | None:
    read = [duration_s(cell) for cell in cells]
    return np.array([np.nan if each is None else each for each in read])


def _clocks(cells: Sequence[str], _name: str) -> NDArray[np.float64] | None:
    if not all(re.fullmatch(CLOCK, cell.strip()) for cell in cells if cell.strip()):
        return None
    seconds = np.array([_clock_s(cell.strip()) if cell.strip() else np.nan for cell in cells])
    known = np.flatnonzero(np.isfinite(seconds))
    days = np.cumsum(np.diff(seconds[known], prepend=seconds[known[:1]]) < -DAY_S / 2)
    seconds[known] += DAY_S * days
    return seconds


def _clock_s(text: str) -> float:
    half = text[-2:].lower()
    bare = text[:-2].strip() if half in {"am", "pm"} else text
    hours, minutes, *rest = bare.replace(",", ".").split(":")
    hour = int(hours) % 12 + (12 if half == "pm" else 0) if half in {"am", "pm"} else int(hours)
    return hour * 3600.0 + int(minutes) * 60.0 + (float(rest[0]) if rest else 0.0)


def _dates(cells: Sequence[str], _name: str) -> NDArray[np.float64] | None:
    """Read dates; where day and month may be swapped, that reading holds in which time goes on."""
    texts = pd.Series(
        [re.sub(r"(\d{4})[:](\d{2}:)", r"\1 \2", cell.strip()).replace("/", "-") for cell in cells]
    )
    found = [_parsed(texts, day_first=False), _parsed(texts, day_first=True)]
    return min(found, key=lambda seconds: (int(np.isnan(seconds).sum()), _disorder(seconds)))


def _parsed(texts: pd.Series[str], *, day_first: bool) -> NDArray[np.float64]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        read = pd.to_datetime(texts, errors="coerce", format="mixed", utc=True, dayfirst=day_first)
    # nanoseconds would overflow: newer pandas reads years far from ours
    seconds = read.to_numpy(dtype="datetime64[us]").astype(np.int64) / 1e6
    return np.where(read.isna(), np.nan, seconds)


def _disorder(seconds: NDArray[np.float64]) -> tuple[int, float]:
    steps = np.diff(seconds[np.isfinite(seconds)])
    return int((steps < 0).sum()), float(np.abs(steps).sum())
