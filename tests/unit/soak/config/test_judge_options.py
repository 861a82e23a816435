"""What the command line asks of the judge."""

from __future__ import annotations

from dataclasses import fields

import pytest

from soak.analyse import JudgeSettings
from soak.config import Length, load_config, overrides_of
from soak.config.judge_options import GONE, judge_asked
from soak.errors import SoakError


@pytest.mark.parametrize("text", ["0.95", "95", "95%", "95 %", " .95 "])
def test_a_confidence_is_a_probability_or_per_cent(text: str) -> None:
    assert judge_asked(confidence=text) == {"confidence": pytest.approx(0.95)}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sure", r"--confidence sure: write a probability such as 0\.95 or 95%"),
        ("-0.9", r"--confidence -0\.9: write a probability"),
        ("50%", r"--confidence 50%: it must be above 50% and below 100%"),
        ("100", r"--confidence 100: it must be above 50% and below 100%"),
        ("1", r"--confidence 1: it must be above"),
    ],
)
def test_what_is_no_confidence_gets_one_line(text: str, message: str) -> None:
    with pytest.raises(SoakError, match=message):
        judge_asked(confidence=text)


def test_both_options_reach_the_judge_of_a_run_and_what_is_left_out_changes_nothing() -> None:
    asked = judge_asked("5MiB", "99%")
    judge = load_config("minimal", (), overrides_of(Length(), judge=asked)).judge
    assert judge.max_growth_bytes_per_hour == 5 * 2**20
    assert judge.confidence == pytest.approx(0.99)
    assert judge_asked() == {}
    assert load_config("minimal").judge.confidence == 0.9


def test_no_setting_of_today_is_said_to_be_gone() -> None:
    assert not {field.name for field in fields(JudgeSettings)} & set(GONE)
