"""The character error rate over time, and when transcripts changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from soak.report.model.pictures.charts import ErrorRateChart, Line
from soak.report.model.pictures.thinning import thin

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from soak.report.model.readings import Readings

WINDOWS = 30
"""Windows of equal length that a run without blocks of load is cut into."""


@dataclass(frozen=True, eq=False)
class ErrorRates:
    """The character error rate of each window of a run, those with transcripts only."""

    t_s: NDArray[np.float64]
    """When the window's last transcript was counted."""
    rate: NDArray[np.float64]
    """Errors per character of reference: 1 is 100 %."""
    changed: NDArray[np.float64]
    """Transcripts that changed in the window."""


def error_rates(readings: Readings) -> ErrorRates | None:
    """Return the character error rate of each block of load; None where no transcript was checked.

    The blocks of a run send the same recordings, so their rates can be compared. A run of a single block is
    cut into `WINDOWS` windows of equal length.
    """
    errors, characters = readings.column("character_errors"), readings.column("reference_characters")
    if errors is None or characters is None:
        return None
    changed = readings.column("transcripts_changed")
    changed = np.zeros_like(errors) if changed is None else changed
    known = np.isfinite(errors) & np.isfinite(characters) & np.isfinite(changed)
    t_s = readings.t_s[known]
    # the last row of each window holds its counts so far; windows follow each other, so they are sorted
    windows = _windows(readings)[known]
    last = np.flatnonzero(np.diff(windows, append=np.inf))
    sums = np.stack([values[known][last] for values in (errors, characters, changed)])
    in_window = np.diff(sums, axis=1, prepend=0.0)
    spoken = in_window[1] > 0
    if not spoken.any():
        return None
    ends_s = np.array([t_s[np.searchsorted(characters[known], total)] for total in sums[1][spoken]])
    return ErrorRates(ends_s, in_window[0][spoken] / in_window[1][spoken], in_window[2][spoken])


def _windows(readings: Readings) -> NDArray[np.float64]:
    """Return the number of the window of each sample, ascending."""
    blocks = readings.column("block")
    if blocks is not None and np.nanmax(blocks) > 1:
        return np.maximum.accumulate(np.nan_to_num(blocks))
    length_s = max(readings.last_s - readings.first_s, 1.0)
    numbers = np.floor((readings.t_s - readings.first_s) / length_s * WINDOWS)
    return np.maximum.accumulate(np.nan_to_num(numbers))


def error_rate_chart(readings: Readings) -> ErrorRateChart | None:
    """Draw the character error rate of each block of load, and where transcripts changed."""
    rates = error_rates(readings)
    if rates is None:
        return None
    caption, changes = "Errors per character of what is said, over each block of load.", None
    if (changed := rates.changed > 0).any():
        changes = Line("transcripts changed", "failed", rates.t_s[changed], rates.changed[changed])
        caption += " Right: transcripts that changed."
    return ErrorRateChart(
        key="error_rate",
        title="Character error rate",
        caption=caption,
        rate=Line("character error rate", "resource", *thin(rates.t_s, rates.rate * 100)),
        changes=changes,
    )
