"""Leak or cache: heap in use, judged beside what is resident.

Memory that a program gives back stays with the allocator for reuse, and threads have an arena each, so that
RSS may go on growing for thousands of connections while nothing is leaked. A leak is in heap in use.
(Of Python's memory the small objects are not: they lie in blocks that Python maps by itself.)
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from soak.analyse.engine import judge_series
from soak.verdict.quantities import Quantity

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from soak.analyse.series import Series
    from soak.analyse.settings import JudgeSettings
    from soak.verdict.verdict import SeriesVerdict


def judge_heap(
    in_use_bytes: NDArray[np.float64], beside: Series, *, since_s: float, settings: JudgeSettings
) -> SeriesVerdict | None:
    """Judge heap in use, in bytes for every reading of `beside`, NaN for none.

    `since_s` is when the last life of the process began. None where it was never read.
    """
    read = np.isfinite(in_use_bytes) & np.isfinite(beside.t_s) & (beside.t_s >= since_s)
    if not read.any():
        return None
    part = beside.part(read)
    series = replace(part, values=in_use_bytes[read], quantity=Quantity.HEAP, swap_bytes=None)
    return judge_series(series, settings)
