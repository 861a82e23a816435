"""What a reader is told: the finding first, one name for one thing."""

from __future__ import annotations

from typing import Any

import pytest

from soak.verdict.quantities import JUDGED_COUNTS
from soak.verdict.reason import Reason, ReasonKind, Topic
from soak.words import NAMES, leaning_in_words, sentence
from soak.words.english import COUNTS, SENTENCES
from soak.words.english.about_bytes import AGAINST, FOR_A_LEAK

KIB, MIB = 1024.0, 1024.0**2
GROWTH = {"estimate": 64 * KIB, "low": 60 * KIB, "high": 70 * KIB}
FINDING: dict[str, Any] = {
    "quantity": "memory",
    "start": 100 * MIB,
    "end": 200 * MIB,
    "peak": 210 * MIB,
    "duration_s": 600.0,
    "budget_over_run": 261 * KIB,
    "probability_climbing": 0.012,
    "level": 523 * MIB,
    "judged_s": 600.0,
    "growth": {"per": "connection", **GROWTH},
    "growth_per_hour": {"estimate": 60 * MIB, "low": 50 * MIB, "high": 70 * MIB},
    "at_most_per_hour": 42.8 * KIB,
    "at_most_per_connection": 4.65,
    "lasting_shape": "line",
    "ending_shapes": ["step", "exponential"],
    "ending_pace_over_run": 3 * MIB,
    "share_of_level": 0.021,
    "points": 7,
    "points_to_climb": 10,
    "quiet_windows": 4,
    "quiet_windows_wanted": 6,
}


def said(kind: ReasonKind, **facts: Any) -> str:
    return sentence(Reason(kind, {**FINDING, **facts}))


def test_there_is_a_sentence_for_every_kind_of_reason() -> None:
    assert {*SENTENCES, ReasonKind.LEFT_OVER, *COUNTS} == set(ReasonKind)
    assert set(FOR_A_LEAK) == set(AGAINST) == set(Topic)
    assert set(NAMES) >= set(JUDGED_COUNTS)


def test_flat_memory_is_the_finding_then_the_budget_then_what_would_have_shown() -> None:
    assert said(ReasonKind.WITHIN_BUDGET) == (
        "Memory is flat at 523 MiB. No lasting growth above the budget of 261 KiB per run (98.8 %). "
        "Any leak above 42.8 KiB/h (4.65 B per connection) would have shown (95 %)."
    )
    assert said(ReasonKind.WITHIN_BUDGET, quantity="heap_in_use").startswith(
        "Heap in use is flat at 523 MiB."
    )


def test_a_leak_is_told_by_connection_and_by_the_hour() -> None:
    assert said(ReasonKind.PERSISTS, probability_climbing=0.97).startswith(
        "Memory grows by 64 KiB per connection (60 MiB/h) and does not stop: "
        "10 MiB over the 10 min judged (97 %)."
    )


def test_a_count_is_told_in_counts() -> None:
    counts = {"quantity": "fds", "start": 12.0, "end": 412.0, "peak": 412.0}
    growth = {"per": "connection", "estimate": 1.0, "low": 0.98, "high": 1.02}
    told = said(ReasonKind.PERSISTS, **counts, growth=growth)
    assert told == (
        "File descriptors climb: 1.00 per connection (95 % between 0.980 and 1.02); "
        "12 at the start, 412 at the end."
    )


def test_sensitivity_and_budget_stand_beside_each_other() -> None:
    facts = {
        "per_hour": 85.7 * KIB,
        "per_connection": None,
        "budget_per_hour": 5.19 * MIB,
        "budget_over_run": None,
    }
    assert sentence(Reason(ReasonKind.SENSITIVITY, facts)) == "Sensitivity: 85.7 KiB/h. Budget: 5.19 MiB/h."


def test_evidence_is_told_without_odds() -> None:
    facts = {"for_leak": ["steadiness"], "against": []}
    assert sentence(Reason(ReasonKind.EVIDENCE, facts)) == "Evidence for a leak: the rise is steady."


def test_where_and_over_what_it_was_judged() -> None:
    basis = {"in_quiet_windows": True, "points": 12, "swings": False, "per_open_connection": 0.0}
    assert sentence(Reason(ReasonKind.BASIS, basis)) == "Judged on 12 quiet windows, with no connection open."
    last = Reason(ReasonKind.LAST_PART, {"judged_s": 99.0})
    assert sentence(last) == "Measured over the last 1 min 39 s, after warm-up."


def test_a_server_that_never_answered_was_not_judged() -> None:
    reason = Reason(ReasonKind.NEVER_ANSWERED, {"detail": "connection refused"})
    assert sentence(reason) == "No answer from the server (connection refused). Nothing was judged."


@pytest.mark.parametrize("kind", [kind for kind in COUNTS if kind in SENTENCES])
def test_none_of_the_old_puzzles_is_left(kind: ReasonKind) -> None:
    facts = {
        "seconds_wanted": 60.0,
        "connections": 12.0,
        "connections_wanted": 40.0,
        "points_wanted": 6,
        "in_quiet_windows": True,
    }
    told = said(kind, **facts)
    for puzzle in ("odds", "handed out", "excluded", "accepted", "rest window", "does not go on", " sure"):
        assert puzzle not in told


@pytest.mark.parametrize(
    ("probability", "words"), [(0.28, "leans to a plateau, 72 %"), (0.9, "leans to climbing, 90 %")]
)
def test_what_a_run_leans_to(probability: float, words: str) -> None:
    assert leaning_in_words(probability) == words
