"""What is weighed, and what comes of it: figures without a unit, curves, odds, and the words for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from soak.analyse import JudgeSettings, judge_series
from soak.analyse.budget import budget_per_second
from soak.analyse.floors.lives import read, split_lives
from soak.analyse.floors.points import floors
from soak.analyse.floors.run import run_of
from soak.analyse.posterior.figures import TOPICS, by_topic
from soak.analyse.posterior.posterior import Weighable, weigh
from soak.analyse.posterior.weighing import Curve, Weights, added, belief_in_leak
from soak.analyse.posterior.weights import WEIGHTS
from soak.verdict.reason import ReasonKind, Topic
from soak.verdict.verdict import Label
from soak.words import sentence

if TYPE_CHECKING:
    from collections.abc import Callable

    from soak.analyse import Series

MIB = 2.0**20


def weighed(series: Series, unit: float = 1.0) -> Weighable:
    settings = JudgeSettings(max_growth_bytes_per_hour=1e6 * unit, page_bytes=4096.0 * unit)
    (life,) = split_lives(read(series), settings)
    points = floors(life, settings)
    budget_per_s = budget_per_second(points.level_bytes, run_of(life).duration_s, settings)
    return weigh(points, budget_per_s, settings, restarted=False)


def test_odds_add_up_along_the_curves_and_stay_at_their_ends() -> None:
    weights = Weights(0.5, {"a": Curve((0.0, 1.0), (-1.0, 1.0)), "b": Curve((0.0,), (0.25,))})
    assert added({"a": 0.75, "b": 7.0}, weights) == {"a": 0.5, "b": 0.25}
    assert added({"a": 9.0}, weights) == {"a": 1.0}
    assert belief_in_leak({"a": 9.0}, weights) == pytest.approx(1 / (1 + np.exp(-1.5)))


@pytest.mark.parametrize("unit", [1e-3, 1024.0])
def test_no_figure_depends_on_the_unit_of_memory(under_load: Callable[..., Series], unit: float) -> None:
    plain = under_load(lambda t: (500 + 0.05 * t - 40 * np.exp(-t / 100)) * MIB, readings=400)
    other = type(plain)(plain.t_s, plain.values * unit)
    assert weighed(other, unit).figures == pytest.approx(weighed(plain).figures, abs=1e-3)


def test_every_figure_is_weighed_and_has_a_topic(under_load: Callable[..., Series]) -> None:
    found = weighed(under_load(lambda t: 500 * MIB + 0 * t, readings=300)).figures
    assert set(found) == set(WEIGHTS.curves)
    assert set(by_topic(found)) <= set(TOPICS.values())
    assert by_topic({"tau_life": 1.0, "r2_half": 0.5, "kept_pace": -1.0}) == {
        Topic.STEADINESS: 1.5,
        Topic.PACE: -1.0,
    }


def test_the_reasons_say_what_spoke_for_it_and_against(under_load: Callable[..., Series]) -> None:
    verdict = judge_series(under_load(lambda t: (600 - 100 * np.exp(-t / 100) + 0.1 * t) * MIB))
    assert verdict.label is Label.CLIMBING
    (evidence,) = [reason for reason in verdict.reasons if reason.kind is ReasonKind.EVIDENCE]
    assert {Topic.WHOLE, Topic.LAST_PARTS} & set(evidence.facts["for_leak"])
    assert "odds" not in sentence(evidence)


def test_beyond_what_weights_can_say_the_models_are_asked(under_load: Callable[..., Series]) -> None:
    leak = under_load(lambda t: (500 + 0.1 * t) * MIB)
    sure = judge_series(leak, JudgeSettings(climbing_confidence=0.999))
    assert sure.label is Label.CLIMBING  # the models are surer than any weighing of them
    noisy = under_load(lambda t: (500 + 0.01 * t) * MIB, noise_bytes=3 * MIB, correlation=0.9)
    assert judge_series(noisy, JudgeSettings(climbing_confidence=0.999)).label is Label.INCONCLUSIVE
