"""Amounts of memory as people and tools write them: ``300.0MiB``, ``7.4g``, ``1,031 K``, ``216-217 MB``."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

UNITS: dict[str, float] = {"B": 1.0, "KB": 1024.0, "MB": 1024.0**2, "GB": 1024.0**3, "TB": 1024.0**4}
"""Bytes in each. Tools that write kB or MB of memory nearly all count in 1024s."""
PAGE_BYTES = 4096
NUMBER = r"(?:\d[\d., '\u00a0\u202f]*\d|\d)"
_AMOUNT = re.compile(
    rf"[~≈<>+\s]*({NUMBER})(?:\s*[-–]\s*({NUMBER}))?\s*((?:[kKmMgGtT]i?)?[bBoO]?|[bB]ytes?|[kKmMgGtT]i?[bB]ytes?)\b[\s*]*(?:/.*)?"
)
_EXPONENT = re.compile(r"\d+(?:\.\d+)?[eE][+-]?\d{1,2}")
_UNIT_IN_NAME = re.compile(
    r"(?:^|[\s_.(\[/-])(bytes?|b|[kmgt]i?b?)[)\]]?$|^(?:kb|mb)(?=mem)|(?<=[a-z])(Bytes|KB|KiB|MB|MiB|GB|GiB)$",
    re.IGNORECASE,
)
ENOUGH_CELLS = 3
"""Cells of one width from which their decimals say how finely they were written."""
ENOUGH_VALUES = 4
"""Different values from which a common divisor is no chance."""


@dataclass(frozen=True)
class Amount:
    """One cell that was read."""

    number: float
    unit: str | None
    """A key of `UNITS`; None where the cell has none."""
    decimals: int
    digits: int
    """Before the decimal point."""
    spread: float = 0.0
    """Width of a range, in the cell's unit."""


def unit_named(text: str) -> str | None:
    """Return the key of `UNITS` that a spelling means: ``MiB``, ``Mi``, ``m``; None for another."""
    letters = text.strip().lower()
    if letters in {"b", "byte", "bytes", "o"}:
        return "B"
    if letters[:1] in "kmgt" and letters[1:] in {"", "b", "i", "ib", "o", "io", "byte", "bytes", "ibytes"}:
        return f"{letters[0].upper()}B" if letters else None
    return None


def unit_in(name: str) -> str | None:
    """Return the unit that a column's name ends with: ``rss_kb``, ``Real (MB)``; None without one."""
    found = _UNIT_IN_NAME.search(name.strip())
    return None if found is None else unit_named(next((each for each in found.groups() if each), found[0]))


def has_decimal_commas(cells: Iterable[str]) -> bool:
    """Whether commas stand before decimals: one is followed by other than three digits, and no point is."""
    read = [found[1] for cell in cells if (found := _AMOUNT.fullmatch(cell.strip())) is not None]
    odd = any(re.search(r"\d,(\d{1,2}|\d{4,})$", each) for each in read)
    return odd and not any(re.search(r"^\d+\.\d+$", each) for each in read)


def amount(cell: str, *, decimal_commas: bool = False) -> Amount | None:
    """Read a cell; None for what is no amount. A range is read as its middle."""
    bare = cell.strip().strip("'\"`")
    if _EXPONENT.fullmatch(bare):
        return Amount(float(bare), None, 0, len(str(int(float(bare)))))
    found = _AMOUNT.fullmatch(bare)
    if found is None:
        return None
    first, decimals, digits = _number(found[1], decimal_commas=decimal_commas)
    unit = unit_named(found[3]) if found[3] else None
    if found[2] is None:
        return Amount(first, unit, decimals, digits)
    second, _, _ = _number(found[2], decimal_commas=decimal_commas)
    return Amount((first + second) / 2, unit, decimals, digits, abs(second - first))


def number(cell: str, *, decimal_commas: bool = False) -> float | None:
    """Read a plain number, also with an exponent; None for anything else."""
    bare = cell.strip().strip("'\"`")
    try:
        value = float(bare) if "_" not in bare else math.nan
    except ValueError:
        read = amount(bare, decimal_commas=decimal_commas)
        return None if read is None or read.unit is not None else read.number
    return value if math.isfinite(value) else None


def _number(text: str, *, decimal_commas: bool) -> tuple[float, int, int]:
    bare = re.sub(r"[ '\u00a0\u202f]", "", text)
    bare = bare.replace(".", "").replace(",", ".") if decimal_commas else bare.replace(",", "")
    if bare.count(".") > 1:
        bare = bare.replace(".", "")
    whole, _, fraction = bare.partition(".")
    return float(bare), len(fraction), len(whole)


def grain_of(amounts: Sequence[Amount], default_unit: str) -> float:
    """Return how finely amounts were written, in bytes: by their decimals, their ranges, their steps."""
    if not amounts:
        return 0.0
    widths: dict[tuple[str, int], list[int]] = defaultdict(list)
    for each in amounts:
        widths[each.unit or default_unit, each.digits].append(each.decimals)
    told = [
        UNITS[unit] * 10.0 ** -max(decimals)
        for (unit, _), decimals in widths.items()
        if len(decimals) >= min(ENOUGH_CELLS, len(amounts))
    ]
    ranges = [each.spread * UNITS[each.unit or default_unit] for each in amounts]
    return max([*told, *ranges, _common_step(amounts, default_unit)])


def _common_step(amounts: Sequence[Amount], default_unit: str) -> float:
    """Return the step that all amounts are multiples of, in bytes; 0 where there are too few to tell."""
    if any(each.decimals for each in amounts):
        return 0.0
    values = {round(each.number * UNITS[each.unit or default_unit]) for each in amounts} - {0}
    return float(reduce(math.gcd, values)) if len(values) >= ENOUGH_VALUES else 0.0


def _are_whole(values: Sequence[float]) -> bool:
    """Whether all are multiples of a page, or rounded to thousands: so only bytes are."""
    return any(all(value % step == 0 for value in values) for step in (PAGE_BYTES, 1000))


def likely_unit(amounts: Sequence[Amount]) -> str:
    """Return the unit in which bare numbers make a process of ordinary size."""
    values = sorted(each.number for each in amounts)
    middle = values[len(values) // 2] if values else 0.0
    if any(value % 1 for value in values):
        return "MB" if middle >= 1e-3 * 1024 else "GB"
    if middle >= 1e8 or (middle >= 1e6 and _are_whole(values)):
        return "B"
    return "KB" if middle >= 1e4 else "MB"
