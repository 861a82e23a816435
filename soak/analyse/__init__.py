"""Verdicts on memory series: pure functions from arrays to frozen dataclasses, usable from a notebook."""

from soak.analyse.engine import judge_series
from soak.analyse.series import Series
from soak.analyse.settings import JudgeSettings

__all__ = ["JudgeSettings", "Series", "judge_series"]
