"""Decide from memory readings whether a process leaks: pure functions, arrays in, dataclasses out."""

from soak.analyse.advice import Advice, AdviceContext, AdviceNote, advise
from soak.analyse.engine import judge
from soak.analyse.series import Series
from soak.analyse.settings import JudgeSettings
from soak.analyse.verdict import Basis, Estimate, Follows, JudgedPoints, Label, Settling, Verdict
from soak.analyse.verdict_json import from_json_object, to_json_object

__all__ = [
    "Advice",
    "AdviceContext",
    "AdviceNote",
    "Basis",
    "Estimate",
    "Follows",
    "JudgeSettings",
    "JudgedPoints",
    "Label",
    "Series",
    "Settling",
    "Verdict",
    "advise",
    "from_json_object",
    "judge",
    "to_json_object",
]
