"""Numbers as a person reads them: sizes, rates, durations, counts.

Every figure a person sees, in a reason, a report, a picture or on the terminal, is written here, so that the
same number never appears in two spellings. Sizes use binary units (1 MiB = 1024 * 1024 B), three significant
digits and a plain ASCII minus sign. A value that is missing, NaN or infinite is written as ``n/a``.
"""

from __future__ import annotations

import math
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

STEP_S = 3600.0
"""Seconds that one step stands for where readings are in order of steps: growth per hour is per step."""
_step: ContextVar[str | None] = ContextVar("step", default=None)
MISSING = "n/a"
"""What a person sees in place of a number that is not known."""

_BYTE_UNITS = (("TiB", 1024.0**4), ("GiB", 1024.0**3), ("MiB", 1024.0**2), ("KiB", 1024.0), ("B", 1.0))
_NEXT_UNIT_AT = 999.5 / 1024  # 1010 KiB would need a fourth digit: 0.99 MiB does not


@contextmanager
def counted_in(step: str | None) -> Iterator[None]:
    """Within the block, write lengths of time in steps of that name, where a recording knows no seconds.

    None leaves them in seconds.
    """
    token = _step.set(step)
    try:
        yield
    finally:
        _step.reset(token)


def growth_unit() -> str:
    """Return what growth is given per: `hour`, or one step (see `counted_in`)."""
    return _step.get() or "hour"


def is_known(value: float | None) -> bool:
    """Whether there is a finite number to show."""
    return value is not None and math.isfinite(value)


def format_bytes(value: float | None, *, signed: bool = False) -> str:
    """Write a size: ``894 MiB``, ``1.5 GiB``, ``64 KiB``; with `signed` also ``+12.5 MiB``.

    `value` is in bytes.
    """
    if value is None or not math.isfinite(value):
        return MISSING
    unit, size = _byte_unit(value)
    return f"{_signed(value, _three_digits(abs(value) / size, whole=unit == 'B'), plus=signed)} {unit}"


def format_level(value: float | None) -> str:
    """Write how much memory a process holds, in whole MiB from 100 MiB to 10 GiB: ``894 MiB``, ``1,041 MiB``.

    Levels are compared with each other, so they keep one unit where `format_bytes` would change it.
    """
    if value is None or not math.isfinite(value):
        return MISSING
    mebibyte = 1024.0**2
    if 100 * mebibyte <= value < 10 * 1024 * mebibyte:
        return f"{value / mebibyte:,.0f} MiB"
    return format_bytes(value)


def format_rate(value: float | None, per: str = "h", *, signed: bool = True) -> str:
    """Write a growth rate in bytes per something: ``+3.2 MiB/h``; `per` names the something."""
    if value is None or not math.isfinite(value):
        return MISSING
    return f"{format_bytes(value, signed=signed)}/{_per(per)}"


def format_interval(low: float | None, high: float | None, per: str | None = None) -> str:
    """Write an interval of sizes in one unit: ``-0.12 to 0.7 MiB``, with `per` also ``…/h``.

    Both ends are in bytes; the unit is that of the larger end.
    """
    if low is None or high is None or not (math.isfinite(low) and math.isfinite(high)):
        return MISSING
    unit, size = _byte_unit(max(abs(low), abs(high)))
    ends = [_signed(end, _three_digits(abs(end) / size, whole=unit == "B")) for end in (low, high)]
    suffix = f"/{_per(per)}" if per else ""
    return f"{ends[0]} to {ends[1]} {unit}{suffix}"


def format_duration(seconds: float | None) -> str:
    """Write a length of time in its two largest units: ``4.2 s``, ``2 h 5 min``, ``3 d 4 h``."""
    if seconds is None or not math.isfinite(seconds):
        return MISSING
    step = _step.get()
    if step is not None:
        return _counted(seconds / STEP_S, step)
    sign = "-" if seconds < 0 else ""
    size_s = abs(seconds)
    if size_s < 0.9995:
        return f"{sign}{size_s * 1000:.0f} ms" if size_s else "0 s"
    if size_s < 9.95:
        return f"{sign}{size_s:.1f}".removesuffix(".0") + " s"
    whole_s = round(size_s)
    for (unit, unit_s), (smaller, smaller_s) in (
        (("d", 86400), ("h", 3600)),
        (("h", 3600), ("min", 60)),
        (("min", 60), ("s", 1)),
    ):
        rounded = round(size_s / smaller_s) * smaller_s
        if rounded >= unit_s:
            units, rest = divmod(rounded, unit_s)
            return f"{sign}{units} {unit}" + (f" {rest // smaller_s} {smaller}" if rest else "")
    return f"{sign}{whole_s} s"


def _counted(steps: float, step: str) -> str:
    count = f"{steps:,.1f}".removesuffix(".0")
    return (
        f"{count} {step}" if count in {"1", "-1"} else f"{count} {step}{'es' if step.endswith('ch') else 's'}"
    )


def _per(unit: str) -> str:
    return _step.get() or unit if unit == "h" else unit


def format_milliseconds(value_ms: float | None) -> str:
    """Write a latency given in milliseconds: ``3.4 ms``, ``128 ms``, ``1.24 s``."""
    if value_ms is None or not math.isfinite(value_ms):
        return MISSING
    if abs(value_ms) < 999.5:
        return f"{_three_digits(value_ms)} ms"
    if abs(value_ms) < 99_950:
        return f"{_three_digits(value_ms / 1000)} s"
    return format_duration(value_ms / 1000)


def format_count(value: float | None) -> str:
    """Write a whole number with thousands separated: ``12,345``."""
    if value is None or not math.isfinite(value):
        return MISSING
    return f"{round(value):,}"


def format_rounded_count(count: float) -> str:
    """Write an estimated count, rounded up to two digits above 100: ``12``, ``440``, ``13,000``."""
    if not math.isfinite(count):
        return MISSING
    step = 1.0 if count <= 100 else 10.0 ** (math.floor(math.log10(count)) - 1)
    return f"{math.ceil(count / step) * step:,.0f}"


def format_count_rate(value: float | None) -> str:
    """Write a growth in counts: ``1.00``, ``0.333``, ``0.021``, ``12.5``."""
    if value is not None and 0.0995 <= abs(value) < 9.995:
        return f"{value:.2f}" if abs(value) >= 0.9995 else f"{value:.3f}"
    return format_number(value)


def format_number(value: float | None) -> str:
    """Write a plain number with three significant digits: ``0.25``, ``7``, ``1,240``."""
    if value is None or not math.isfinite(value):
        return MISSING
    digits = _three_digits(abs(value))
    return f"-{digits}" if value < 0 and digits != "0" else digits


def format_percent(fraction: float | None) -> str:
    """Write a fraction as a percentage: 0.025 is ``2.5 %``."""
    if fraction is None or not math.isfinite(fraction):
        return MISSING
    return f"{format_number(fraction * 100)} %"


def _byte_unit(value: float) -> tuple[str, float]:
    """Pick the largest unit in which the value needs no fourth digit in the next smaller one."""
    for unit, size in _BYTE_UNITS:
        if abs(value) >= size * _NEXT_UNIT_AT:
            return unit, size
    return _BYTE_UNITS[-1]


def _signed(value: float, digits: str, *, plus: bool = False) -> str:
    """Put the sign of `value` before its digits; nothing is neither more nor less than nothing."""
    if digits == "0":
        return digits
    return f"-{digits}" if value < 0 else f"+{digits}" if plus else digits


def _three_digits(value: float, *, whole: bool = False) -> str:
    """Three significant digits without an exponent; `whole` drops the fraction of a value above one."""
    if value == 0:
        return "0"
    if (whole and abs(value) >= 9.995) or abs(value) >= 99.95:
        return f"{value:,.0f}"
    if abs(value) >= 9.995:
        return f"{value:.1f}".removesuffix(".0")
    text = f"{value:.2f}"
    if abs(value) < 0.0995:
        text = f"{value:.2g}" if abs(value) >= 0.0001 else "0"
    return text.rstrip("0").rstrip(".") if "." in text else text
