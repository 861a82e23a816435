"""Bytes and durations in words a person reads."""

from __future__ import annotations

import math

UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


def bytes_in_words(size_bytes: float) -> str:
    """Return a size such as "1.5 MiB" or "-12 KiB"; three significant digits, binary units."""
    if not math.isfinite(size_bytes):
        return "an unknown amount"
    size = abs(size_bytes)
    unit = 0
    # 999.5 would be printed as a four-digit number, so the next unit is taken from there
    while size >= 999.5 and unit < len(UNITS) - 1:
        size /= 1024.0
        unit += 1
    digits = 0 if size >= 99.95 or (unit == 0 and size >= 10) else 1 if size >= 9.995 or unit == 0 else 2
    text = f"{size:.{digits}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    sign = "-" if size_bytes < 0 and text != "0" else ""
    return f"{sign}{text} {UNITS[unit]}"


def duration_in_words(duration_s: float) -> str:
    """Return a duration such as "45 s", "12 minutes", "3.5 hours" or "9 days"."""
    if not math.isfinite(duration_s):
        return "an unknown time"
    for limit_s, unit_s, name in ((90, 1, "s"), (90 * 60, 60, "minutes"), (48 * 3600, 3600, "hours")):
        if duration_s < limit_s:
            return f"{_short(duration_s / unit_s)} {name}"
    return f"{_short(duration_s / 86400)} days"


def count_in_words(count: float) -> str:
    """Return a count with thousands separated, rounded up to two significant digits above 100."""
    if count <= 100:
        return f"{math.ceil(count):,}"
    step = 10.0 ** (math.floor(math.log10(count)) - 1)
    return f"{math.ceil(count / step) * step:,.0f}"


def _short(value: float) -> str:
    return f"{value:.0f}" if value >= 10 or value == round(value) else f"{value:.1f}"
