"""Decide from memory readings whether a process leaks: pure functions, arrays in, dataclasses out."""

from soak.analyse.engine import judge
from soak.analyse.series import Series
from soak.analyse.settings import JudgeSettings

__all__ = ["JudgeSettings", "Series", "judge"]
