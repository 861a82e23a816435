"""The chart of the character error rate over time, and of the transcripts that changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from soak.report.charts import SMALL_HEIGHT_PX, Chart, base_layout, run_time_axis, whole_steps
from soak.report.evidence import column, times_s
from soak.report.palette import LIGHT
from soak.report.thinning import thin

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from soak.record import Run

WINDOWS = 30
"""Windows of equal length that a run without blocks of load is cut into."""


@dataclass(frozen=True)
class ErrorRates:
    """The character error rate of each window of a run, those with transcripts only."""

    t_s: NDArray[np.float64]
    """When the window's last transcript was counted."""
    rate: NDArray[np.float64]
    """Errors per character of reference: 1 is 100 %."""
    changed: NDArray[np.float64]
    """Transcripts that changed in the window."""


def error_rates(run: Run) -> ErrorRates | None:
    """Return the character error rate of each block of load; None where no transcript was checked.

    The blocks of a run send the same recordings, so their rates can be compared. A run of a single block is
    cut into `WINDOWS` windows of equal length.
    """
    errors, characters = column(run, "character_errors"), column(run, "reference_characters")
    if errors is None or characters is None:
        return None
    changed = column(run, "transcripts_changed")
    changed = np.zeros_like(errors) if changed is None else changed
    known = np.isfinite(errors) & np.isfinite(characters) & np.isfinite(changed)
    t_s = times_s(run)[known]
    # the last row of each window holds its counts so far; windows follow each other, so they are sorted
    windows = _windows(run)[known]
    last = np.flatnonzero(np.diff(windows, append=np.inf))
    sums = np.stack([values[known][last] for values in (errors, characters, changed)])
    in_window = np.diff(sums, axis=1, prepend=0.0)
    spoken = in_window[1] > 0
    if not spoken.any():
        return None
    ends_s = np.array([t_s[np.searchsorted(characters[known], total)] for total in sums[1][spoken]])
    return ErrorRates(ends_s, in_window[0][spoken] / in_window[1][spoken], in_window[2][spoken])


def _windows(run: Run) -> NDArray[np.float64]:
    """Return the number of the window of each sample, ascending."""
    blocks = column(run, "block")
    if blocks is not None and np.nanmax(blocks) > 1:
        return np.maximum.accumulate(np.nan_to_num(blocks))
    t_s = times_s(run)
    first_s, last_s = float(np.nanmin(t_s)), float(np.nanmax(t_s))
    numbers = np.floor((t_s - first_s) / max(last_s - first_s, 1.0) * WINDOWS)
    return np.maximum.accumulate(np.nan_to_num(numbers))


def error_rate_chart(run: Run) -> Chart | None:
    """Draw the character error rate of each block of load, and where transcripts changed."""
    rates = error_rates(run)
    if rates is None:
        return None
    axis = run_time_axis(run)
    figure = go.Figure(layout=base_layout(run, SMALL_HEIGHT_PX))
    t_s, percent = thin(rates.t_s, rates.rate * 100)
    figure.add_scatter(
        x=t_s / axis.unit_s,
        y=percent,
        name="character error rate",
        mode="lines+markers" if len(t_s) <= WINDOWS else "lines",
        line={"width": 1.4, "color": LIGHT["resource"]},
        marker={"size": 5},
        hovertemplate="%{y:.3~g} %",
    )
    figure.update_layout(
        showlegend=False,
        yaxis={"ticksuffix": " %", "range": [0, max(1.0, float(percent.max()) * 1.15)]},
    )
    caption = "Errors per character of what is said, over each block of load."
    if (changes := rates.changed > 0).any():
        _add_changes(figure, rates.t_s[changes] / axis.unit_s, rates.changed[changes])
        caption += " Right: transcripts that changed."
    return Chart("error_rate", "Character error rate", caption, figure)


def _add_changes(figure: go.Figure, x: NDArray[np.float64], counts: NDArray[np.float64]) -> None:
    """Draw the transcripts that changed as points on an axis of their own."""
    figure.add_scatter(
        x=x,
        y=counts,
        yaxis="y2",
        name="transcripts changed",
        mode="markers",
        marker={"size": 9, "symbol": "x", "color": LIGHT["failed"]},
        hovertemplate="%{y:,.0f}",
    )
    highest = float(counts.max())
    figure.update_layout(
        showlegend=True,
        yaxis2={
            "overlaying": "y",
            "side": "right",
            "showgrid": False,
            "range": [0, highest * 1.15 + 0.5],
            "dtick": whole_steps(highest),
            "nticks": 6,
            "automargin": True,
            "color": LIGHT["failed"],
        },
    )
