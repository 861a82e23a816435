"""Is the engine tuned to the families it was tuned on? Choose its settings without one, then judge that one.

The engine learns nothing from a family; but the few constants its decision hangs on were chosen on the tuning
part. For each family the best of `CANDIDATES` is chosen on the tuning part of all others, and judges the
family's traces in the test part.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.verdict.scoring import score, worth
from soak.analyse import JudgeSettings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.verdict.scoring import Answer, Score

PLATEAU_CONFIDENCES = (0.65, 0.75, 0.85)
CLIMBING_CONFIDENCES = (0.7, 0.8, 0.9)
CANDIDATES: tuple[JudgeSettings, ...] = (
    JudgeSettings(),
    *(
        candidate
        for plateau in PLATEAU_CONFIDENCES
        for climbing in CLIMBING_CONFIDENCES
        if (candidate := JudgeSettings(plateau_confidence=plateau, climbing_confidence=climbing))
        != JudgeSettings()
    ),
    JudgeSettings(prior_lasting=0.3),
    JudgeSettings(prior_lasting=0.5),
    JudgeSettings(benign_tail_share=0.015),
    JudgeSettings(settled_pace_share=0.35),
)
"""Settings to choose among, those in use first: they win a tie."""


@dataclass(frozen=True)
class LeftOut:
    """What became of one family."""

    family: str
    """The family left out."""
    chosen: JudgeSettings
    """The best on the tuning part of the others."""
    score: Score
    """Of the chosen settings, on the family's traces in the test part."""
    in_use: Score
    """Of the settings in use, on the same traces."""


@dataclass(frozen=True)
class LeaveOneOut:
    """Every family left out in turn."""

    families: tuple[LeftOut, ...]
    """By name."""
    score: Score
    """Over all families, each judged by settings chosen without it."""
    in_use: Score
    """Over all, judged by the settings in use."""


def choose(tuning: Mapping[JudgeSettings, Sequence[Answer]], *, without: str) -> JudgeSettings:
    """Give the candidate with the most `worth` on all families but one; the first named wins a tie."""
    return max(tuning, key=lambda settings: worth(a for a in tuning[settings] if a.family != without))


def score_left_out(
    chosen: Mapping[str, JudgeSettings], test: Mapping[JudgeSettings, Sequence[Answer]]
) -> LeaveOneOut:
    """Score each family with the settings chosen for it; `test` holds the answers of all settings needed."""
    usual = JudgeSettings()
    left_out, held, used = [], [], []
    for family, settings in sorted(chosen.items()):
        with_chosen = [a for a in test[settings] if a.family == family]
        with_usual = [a for a in test[usual] if a.family == family]
        left_out.append(LeftOut(family, settings, score(with_chosen), score(with_usual)))
        held += with_chosen
        used += with_usual
    return LeaveOneOut(tuple(left_out), score(held), score(used))


def describe(settings: JudgeSettings) -> str:
    """Name what differs from the settings in use."""
    usual = JudgeSettings()
    different = [
        f"{name} {getattr(settings, name):g}"
        for name in settings.__dataclass_fields__
        if getattr(settings, name) != getattr(usual, name)
    ]
    return ", ".join(different) or "those in use"
