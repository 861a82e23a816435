"""The columns of a run's samples as a report reads them: filled ones only, gaps as NaN."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Readings:
    """The samples of one run."""

    samples: pd.DataFrame

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(self.samples)

    @cached_property
    def t_s(self) -> Floats:
        """The times of the samples, in seconds."""
        return self.samples["t_s"].to_numpy(dtype=np.float64, na_value=np.nan)

    @cached_property
    def first_s(self) -> float:
        """The time of the earliest sample, in seconds; 0 for none."""
        return float(np.nanmin(self.t_s)) if np.isfinite(self.t_s).any() else 0.0

    @cached_property
    def last_s(self) -> float:
        """The time of the latest sample, in seconds; 0 for none."""
        return float(np.nanmax(self.t_s)) if np.isfinite(self.t_s).any() else 0.0

    @cached_property
    def duration_s(self) -> float:
        """Seconds from the first to the last sample, 0 for none."""
        known = self.t_s[np.isfinite(self.t_s)]
        return float(known[-1] - known[0]) if len(known) else 0.0

    def column(self, name: str) -> Floats | None:
        """Return a numeric column with NaN for gaps, or None when the run lacks it or never filled it."""
        if name not in self.samples.columns:
            return None
        values = self.samples[name].to_numpy(dtype=np.float64, na_value=np.nan)
        return values if np.isfinite(values).any() else None

    def known(self, name: str) -> Floats | None:
        """Return the readings of a column without its gaps, or None when there are none."""
        values = self.column(name)
        return None if values is None else values[np.isfinite(values)]

    def positive(self, name: str) -> Floats | None:
        """Return a column that was above zero at least once, such as one of the load, or None."""
        values = self.column(name)
        return values if values is not None and np.nanmax(values) > 0 else None

    def last(self, name: str) -> float | None:
        """Return the last reading of a column, or None."""
        values = self.known(name)
        return None if values is None else float(values[-1])

    def rest_windows_s(self) -> tuple[tuple[float, float], ...]:
        """Return (start, end) seconds of each quiet window, from the phase of the samples."""
        if "phase" not in self.samples.columns or len(self) < 2:
            return ()
        resting = self.samples["phase"].astype(str).to_numpy() == "rest"
        edges = np.flatnonzero(np.diff(np.concatenate(([False], resting, [False])).astype(np.int8)))
        last = len(self) - 1
        # a window lasts until the first sample that is no longer at rest
        return tuple(
            (float(self.t_s[start]), float(self.t_s[min(stop, last)]))
            for start, stop in zip(edges[::2], edges[1::2], strict=True)
        )
