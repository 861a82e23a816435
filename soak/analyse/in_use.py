"""Leak or cache: what malloc has handed out, judged beside what is resident.

Memory that a program gives back stays with malloc for reuse, and threads have an arena each, so that RSS may
go on growing for thousands of connections while nothing is leaked. What is handed out tells: a leak is in it.
(Of Python's memory the small objects are not: they lie in blocks that Python maps by itself.)
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from soak.analyse.engine import judge
from soak.analyse.reasons import FLAT
from soak.quantity import format_bytes, format_percent
from soak.verdict.attribution import Culprit
from soak.verdict.verdict import Label, Settling

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from soak.analyse.series import Series
    from soak.analyse.settings import JudgeSettings
    from soak.verdict.verdict import Verdict

HANDED_OUT_FLAT = "what malloc has handed out is flat at"
UNDECIDED = "RSS is undecided"
SMALL_SHARE = 0.1
"""Of the growth of RSS at its least, what malloc has handed out may have added at its most (both 95 %)."""
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
    """Say of a run that is no plateau when what malloc has handed out is one, or hardly grew beside RSS.

    A climb that is nothing but free memory that malloc keeps is then no leak; whether it ends is open.
    """
    if in_use is None or verdict.verdict is Label.PLATEAU:
        return verdict
    said = _flat_in_words(in_use, verdict)
    if said is None:
        return verdict
    confidence = f"what malloc has handed out: {in_use.confidence}"
    if verdict.verdict is Label.INCONCLUSIVE:
        return replace(
            verdict,
            reasons=(f"{UNDECIDED}, but {said}", *verdict.reasons),
            confidence=f"RSS: {verdict.confidence}; {confidence}",
        )
    if verdict.attribution is None or verdict.attribution.culprits != (Culprit.RETAINED,):
        return verdict
    connections = None
    if verdict.points is not None and verdict.points.connections is not None:
        connections = float(verdict.points.connections[-1])
    return replace(
        verdict,
        verdict=Label.INCONCLUSIVE,
        reasons=(f"{KEPT}, but {said}", *verdict.reasons),
        confidence=confidence,
        probability_climbing=in_use.probability_climbing,
        settling=Settling(verdict.duration_s, connections),
    )


def _flat_in_words(in_use: Verdict, beside: Verdict) -> str | None:
    """Say how flat what was handed out is; None where that is not shown.

    A budget may be too tight to show a plateau yet, as that of a day is in its first hour.
    """
    if in_use.verdict is Label.PLATEAU:
        return in_use.reasons[0].replace(FLAT, HANDED_OUT_FLAT, 1)
    most, least = max(in_use.growth_bytes_per_hour.high, 0.0), beside.growth_bytes_per_hour.low
    if in_use.verdict is Label.CLIMBING or not least > 0 or not most <= SMALL_SHARE * least:
        return None
    return (
        f"of its growth at most {format_percent(most / least)} is what malloc has handed out: "
        f"{format_bytes(most)} per hour or less (95 %)."
    )
