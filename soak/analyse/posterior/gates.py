"""When what was weighed is enough."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from soak.analyse.posterior.evidence import Evidence
    from soak.analyse.settings import JudgeSettings

MOST_WEIGHED = 0.95
"""Confidence up to which the weighed belief is asked. It says hardly more than 0.98 of anything, as it is
fitted to traces of which some are told wrongly; who wants to be surer asks the models, too."""


def weighs_as_leak(belief: float, settings: JudgeSettings) -> bool:
    """Tell whether what was weighed is enough to call memory climbing."""
    return belief >= min(settings.climbing_confidence, MOST_WEIGHED)


def weighs_as_flat(belief: float, settings: JudgeSettings) -> bool:
    """Tell whether what was weighed is enough to call memory flat."""
    return belief <= 1.0 - min(settings.plateau_confidence, MOST_WEIGHED)


def settled(evidence: Evidence, budget_bytes_per_s: float, settings: JudgeSettings) -> bool:
    """Tell whether what the evidence takes for a warm-up is over."""
    accepted = max(
        settings.settled_pace_share * evidence.warm_up_gain_bytes,
        settings.settled_pace_budgets * budget_bytes_per_s * evidence.run_s,
    )
    return evidence.warm_up_pace_bytes <= accepted
