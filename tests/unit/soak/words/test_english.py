"""What a reader is told: the finding first, one name for one thing."""

from __future__ import annotations

from typing import Any

import pytest

from soak.verdict.quantities import JUDGED_COUNTS
from soak.verdict.reason import Reason, ReasonKind
from soak.words import NAMES, leaning_in_words, sentence
from soak.words.english import COUNTS, SENTENCES

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
    "seen_per_hour": 42.8 * KIB,
    "seen_per_connection": 4.65,
    "confidence": 0.95,
    "readings": 700,
    "grain": 4096.0,
}


def said(kind: ReasonKind, **facts: Any) -> str:
    return sentence(Reason(kind, {**FINDING, **facts}))


def test_there_is_a_sentence_for_every_kind_of_reason() -> None:
    assert {*SENTENCES, ReasonKind.LEFT_OVER, *COUNTS} == set(ReasonKind)
    assert set(NAMES) >= set(JUDGED_COUNTS)


def test_flat_memory_is_the_finding_then_the_budget_then_what_would_have_shown() -> None:
    assert said(ReasonKind.WITHIN_BUDGET) == (
        "Memory is flat at 523 MiB: no lasting growth above the budget of 261 KiB per run (98.8 %). "
        "A leak of 42.8 KiB/h (4.65 B per connection) or more would not have been called flat."
    )
    assert said(ReasonKind.WITHIN_BUDGET, quantity="heap_in_use").startswith(
        "Heap in use is flat at 523 MiB: "
    )


def test_a_leak_is_told_by_connection_and_by_the_hour() -> None:
    assert said(ReasonKind.PERSISTS, probability_climbing=0.97) == (
        "Memory grows by 64 KiB per connection (60 MiB/h) and does not stop: "
        "10 MiB over the 10 min judged, where 261 KiB are accepted (97 %)."
    )


def test_a_count_is_told_in_counts() -> None:
    counts = {"quantity": "fds", "start": 12.0, "end": 412.0, "peak": 412.0}
    growth = {"per": "connection", "estimate": 1.0, "low": 0.98, "high": 1.02}
    told = said(ReasonKind.PERSISTS, **counts, growth=growth)
    assert told == (
        "File descriptors climb: 1.00 per connection (between 0.980 and 1.02); "
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


@pytest.mark.parametrize(("confidence", "sure"), [(0.9, "90 %"), (0.95, "95 %")])
def test_bounds_are_told_with_how_sure_each_is(confidence: float, sure: str) -> None:
    hourly = {"estimate": 4 * KIB, "low": 3 * KIB, "high": 5 * KIB}
    facts = {"per_hour": hourly, "per_connection": GROWTH, "per_audio_s": None, "follows": "connections"}
    assert sentence(Reason(ReasonKind.GROWTH, {**facts, "confidence": confidence})) == (
        f"Growth that lasts: 4 KiB/h (3 to 5 KiB/h, each bound {sure}); 64 KiB per connection (60 to 70 KiB, "
        f"each bound {sure}). It follows the number of connections, not the time."
    )


def test_on_what_it_was_judged() -> None:
    basis = {"in_quiet_windows": True, "quiet_windows": 12, "points": 128, "readings": 600}
    assert sentence(Reason(ReasonKind.BASIS, {**basis, "per_open_connection": 0.0})) == (
        "Judged on 600 readings, as the floors of 128 stretches; 12 quiet windows among them tell most."
    )


KEPT: dict[str, Any] = {
    "flat": FINDING,
    "rss_growth": 16 * KIB,
    "rss_growth_per": "connection",
    "kept_by_allocator": True,
}


@pytest.mark.parametrize(
    ("rss", "probability", "told"),
    [
        (
            "climbing",
            0.97,
            " RSS still grows by 16 KiB per connection (97 %), kept by the allocator for reuse: no leak, but "
            "it can still fill a container.",
        ),
        (
            "inconclusive",
            0.7,
            " What RSS gained is kept by the allocator for reuse. That may go on by 16 KiB per connection "
            "(70 %), and can still fill a container.",
        ),
        ("inconclusive", 0.3, " What RSS gained is kept by the allocator for reuse."),
        ("inconclusive", None, " What RSS gained is kept by the allocator for reuse."),
    ],
)
def test_what_the_allocator_keeps_is_told_with_its_own_probability(
    rss: str, probability: float | None, told: str
) -> None:
    facts = {**KEPT, "rss_verdict": rss, "rss_probability_climbing": probability}
    assert sentence(Reason(ReasonKind.HEAP_DECIDES, facts)).endswith(
        f"would not have been called flat.{told}"
    )


def test_a_server_that_never_answered_was_not_judged() -> None:
    reason = Reason(ReasonKind.NEVER_ANSWERED, {"detail": "connection refused"})
    assert sentence(reason) == "No answer from the server (connection refused). Nothing was judged."


@pytest.mark.parametrize("kind", [kind for kind in COUNTS if kind in SENTENCES])
def test_none_of_the_old_puzzles_is_left(kind: ReasonKind) -> None:
    told = said(kind)
    for puzzle in ("odds", "handed out", "excluded", "rest window", "does not go on", " sure"):
        assert puzzle not in told


@pytest.mark.parametrize(
    ("probability", "words"), [(0.28, "leans to a plateau, 72 %"), (0.9, "leans to climbing, 90 %")]
)
def test_what_a_run_leans_to(probability: float, words: str) -> None:
    assert leaning_in_words(probability) == words
