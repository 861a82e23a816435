"""Leak or cache: what malloc has handed out, judged beside what is resident.

Memory that a program gives back stays with malloc for reuse, and threads have an arena each, so that RSS may
go on growing for thousands of connections while nothing is leaked. What is handed out tells: a leak is in it.
(Of Python's memory the small objects are not: they lie in blocks that Python maps by itself.)
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from soak.analyse.attribution import Culprit
from soak.analyse.engine import judge
from soak.analyse.reasons import FLAT
from soak.analyse.verdict import Label, Settling

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from soak.analyse.series import Series
    from soak.analyse.settings import JudgeSettings
    from soak.analyse.verdict import Verdict

HANDED_OUT_FLAT = "what malloc has handed out is flat at"
UNDECIDED = "RSS is undecided"
KEPT = "RSS still grows by free memory that malloc keeps for reuse, and whether that ends is not shown yet"


def judge_in_use(
    in_use_bytes: NDArray[np.float64], beside: Series, *, since_s: float, settings: JudgeSettings
) -> Verdict | None:
    """Judge what malloc had handed out, in bytes for every reading of `beside`, NaN for none.

    `since_s` is when the last life of the process began. None where it was never read.
    """
    read = np.isfinite(in_use_bytes) & np.isfinite(beside.t_s) & (beside.t_s >= since_s)
    if not read.any():
        return None
    return judge(replace(beside.part(read), rss_bytes=in_use_bytes[read], swap_bytes=None), settings)


def with_in_use(verdict: Verdict, in_use: Verdict | None) -> Verdict:
    """Say of a run that is no plateau when what malloc has handed out is one.

    A climb that is nothing but free memory that malloc keeps is then no leak; whether it ends is open.
    """
    if in_use is None or in_use.verdict is not Label.PLATEAU or verdict.verdict is Label.PLATEAU:
        return verdict
    flat = in_use.reasons[0].replace(FLAT, HANDED_OUT_FLAT, 1)
    if verdict.verdict is Label.INCONCLUSIVE:
        return replace(verdict, reasons=(f"{UNDECIDED}, but {flat}", *verdict.reasons))
    if verdict.attribution is None or verdict.attribution.culprits != (Culprit.RETAINED,):
        return verdict
    connections = None
    if verdict.points is not None and verdict.points.connections is not None:
        connections = float(verdict.points.connections[-1])
    return replace(
        verdict,
        verdict=Label.INCONCLUSIVE,
        reasons=(f"{KEPT}, but {flat}", *verdict.reasons),
        confidence=f"what malloc has handed out: {in_use.confidence}",
        settling=Settling(verdict.duration_s, connections),
    )
