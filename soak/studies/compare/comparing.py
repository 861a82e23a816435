"""Two sides compared, figure by figure: better, worse, or no difference shown."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np

from soak.analyse.repeats import moderated_difference
from soak.json_values import without_nan
from soak.quantity import (
    MISSING,
    format_bytes,
    format_interval,
    format_level,
    is_known,
)
from soak.studies.compare import DEFAULT_TOLERANCE
from soak.studies.compare.figures import FIGURES, PER_CONNECTION, PER_CONNECTION_AT, short_name

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from soak.studies.compare.run_figures import RunFigures
    from soak.studies.compare.side import Side
    from soak.verdict.verdict import Estimate

SPEED_TOLERANCE = 0.15
"""The same of latency and processor time, which shared machines do not keep still."""
INTERVAL_WIDTHS = 3.92
"""Standard errors in a 95 % interval of a normal estimate, end to end."""


class Change(StrEnum):
    """What a comparison shows."""

    BETTER = "better"
    WORSE = "worse"
    NOT_SHOWN = "no difference shown"
    UNKNOWN = "not known"


@dataclass(frozen=True)
class Compared:
    """One figure on both sides; for all of them less is better."""

    name: str
    """Stable and short, as `level`."""
    words: str
    """For a person."""
    is_memory: bool
    """Whether a change for the worse stops a check."""
    before: str
    """The baseline's mean, written."""
    after: str
    difference: Estimate
    """After minus before, in the figure's unit, with its 95 % interval."""
    written: str
    """The same for a person."""
    relative: float
    """The difference as a share of the baseline's; NaN where that means nothing."""
    change: Change

    def to_json_object(self) -> dict[str, Any]:
        """Return it as JSON-ready data; NaN is null."""
        return {
            "name": self.name,
            "before": self.before,
            "after": self.after,
            "difference": without_nan(asdict(self.difference)),
            "change": str(self.change),
        }


def compare(before: Side, after: Side, *, tolerance: float = DEFAULT_TOLERANCE) -> list[Compared]:
    """Return every figure of `after` against that of `before`.

    A difference is shown when its 95 % interval leaves out nothing and the estimate is beyond the tolerance:
    for memory that share of the baseline's level, start and growth alike, so that a small growth is not made
    much of.
    """
    level = _mean(before.runs, "level_bytes")
    rows = []
    for name, figure in FIGURES.items():
        old, new = _mean(before.runs, name), _mean(after.runs, name)
        scale = level if figure.is_memory else old
        difference = moderated_difference(
            _values(after.runs, name), _values(before.runs, name), expected_spread=figure.spread * scale
        )
        rows.append(
            Compared(
                name=short_name(name),
                words=figure.words,
                is_memory=figure.is_memory,
                before=figure.write(old),
                after=figure.write(new),
                difference=difference,
                written=_written(difference, figure.write),
                relative=difference.estimate / old if old > 0 else math.nan,
                change=_change(difference, (tolerance if figure.is_memory else SPEED_TOLERANCE) * scale),
            )
        )
    rows.insert(PER_CONNECTION_AT, _per_connection(before, after, tolerance * level))
    return rows


def _per_connection(before: Side, after: Side, tolerance_bytes: float) -> Compared:
    """Compare growth per connection; how far runs differ follows from their own intervals."""
    name = "bytes_per_connection"
    errors = [
        (run.bytes_per_connection_high - run.bytes_per_connection_low) / INTERVAL_WIDTHS
        for run in (*before.runs, *after.runs)
    ]
    known = [error for error in errors if math.isfinite(error)]
    difference = moderated_difference(
        _values(after.runs, name),
        _values(before.runs, name),
        expected_spread=math.sqrt(float(np.mean(np.square(known)))) if known else math.nan,
    )
    connections = _mean(after.runs, "connections")
    return Compared(
        name="per-connection",
        words=PER_CONNECTION,
        is_memory=True,
        before=format_bytes(_mean(before.runs, name)),
        after=format_bytes(_mean(after.runs, name)),
        difference=difference,
        written=_written(difference, format_bytes),
        relative=math.nan,
        change=_change(difference, tolerance_bytes / connections if connections > 0 else math.nan),
    )


def _values(runs: Sequence[RunFigures], name: str) -> list[float]:
    return [float(getattr(run, name)) for run in runs]


def _mean(runs: Sequence[RunFigures], name: str) -> float:
    known = [value for value in _values(runs, name) if math.isfinite(value)]
    return float(np.mean(known)) if known else math.nan


def _change(difference: Estimate, tolerance: float) -> Change:
    if not (is_known(difference.low) and is_known(tolerance)):
        return Change.UNKNOWN
    if difference.low > 0 and difference.estimate > tolerance:
        return Change.WORSE
    return Change.BETTER if difference.high < 0 and -difference.estimate > tolerance else Change.NOT_SHOWN


def _written(difference: Estimate, write: Callable[[float], str]) -> str:
    if not is_known(difference.estimate):
        return MISSING
    if write in {format_bytes, format_level}:
        interval = format_interval(difference.low, difference.high)
        return f"{format_bytes(difference.estimate, signed=True)} ({interval})"
    sign = "+" if difference.estimate > 0 else ""
    return f"{sign}{write(difference.estimate)} ({write(difference.low)} to {write(difference.high)})"
