"""How much growth is accepted."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from soak.analyse.settings import JudgeSettings


def budget_per_second(level_bytes: float, duration_s: float, settings: JudgeSettings) -> float:
    """Return the growth below which memory is flat: the given budget, else the relative one over the run."""
    if settings.max_growth_bytes_per_hour is not None:
        return settings.max_growth_bytes_per_hour / 3600.0
    allowed = max(settings.relative_budget * level_bytes, settings.min_relative_budget_bytes)
    return allowed / max(duration_s, 1.0)
