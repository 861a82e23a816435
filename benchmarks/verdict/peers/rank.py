"""The Mann-Kendall test for a monotonic trend."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from benchmarks.verdict.peers.readings import readings
from soak.verdict.verdict import Label

if TYPE_CHECKING:
    from soak.analyse import Series

ALPHA = 0.05
"""Two-sided level of significance; the default of pymannkendall's `original_test`."""


def mann_kendall(series: Series) -> Label:
    """Climbing if Kendall's tau of the readings with time is above 0 at `ALPHA`, two-sided; else plateau.

    Mann (1945), Kendall (1975). The original test, with the variance corrected for ties and none for
    autocorrelation. scipy's Kendall tau with time is the same statistic without the continuity correction
    of one pair, and takes O(n log n), where pymannkendall compares all pairs and would need gigabytes for
    20,000 readings. Fewer than 3 readings, or constant ones, are a plateau.
    """
    t_s, rss = readings(series)
    if t_s.size < 3 or np.all(rss == rss[0]):
        return Label.PLATEAU
    trend = stats.kendalltau(t_s, rss, method="asymptotic" if t_s.size > 30 else "auto")
    return Label.CLIMBING if trend.statistic > 0.0 and trend.pvalue < ALPHA else Label.PLATEAU
