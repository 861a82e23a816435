"""The judge: from a series of readings to a verdict, step by step."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from soak.analyse.advice import AdviceContext, advise
from soak.analyse.settings import JudgeSettings
from soak.analyse.verdict import Estimate, Label, Verdict

if TYPE_CHECKING:
    from soak.analyse.series import Series


def judge(
    series: Series, settings: JudgeSettings | None = None, context: AdviceContext | None = None
) -> Verdict:
    """Decide whether the memory in `series` plateaus or climbs."""
    settings = settings or JudgeSettings()
    return Verdict(
        verdict=Label.INCONCLUSIVE,
        reasons=("Nothing is judged yet.",),
        metric="rss_bytes",
        start_bytes=0,
        plateau_bytes=None,
        peak_bytes=0,
        plateau_at_s=None,
        growth_bytes_per_hour=Estimate(math.nan, math.nan, math.nan),
        growth_bytes_per_connection=None,
        minimum_detectable_bytes_per_hour=math.nan,
        restarts=0,
        advice=advise(peak_bytes=0, last_bytes=0, context=context),
        samples=series.t_s.size,
    )
