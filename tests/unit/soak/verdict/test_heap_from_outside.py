"""Heap in use that was read from outside decides what RSS leaves open."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from soak.advice.advise import advise
from soak.analyse import JudgeSettings, Series, judge_series
from soak.analyse.heap import judge_heap
from soak.verdict.combine import combine
from soak.verdict.reason import Reason, ReasonKind
from soak.verdict.run_verdict import Failure, RunEvidence, RunVerdict
from soak.verdict.verdict import Label, SeriesVerdict, Settling
from soak.words import run_confidence_in_words, sentence, sentences
from tests.unit.soak.verdict.attributions import attributed

MIB = 2.0**20
T_S = np.arange(1200.0)
CONNECTIONS = np.floor(T_S / 2)


def memory_series(bytes_each: float) -> Series:
    noise = 4096 * np.random.default_rng(5).integers(0, 8, T_S.size)
    return Series(
        t_s=T_S, values=500 * MIB + bytes_each * CONNECTIONS + noise, connections_completed=CONNECTIONS
    )


@pytest.fixture(scope="module")
def climbing() -> SeriesVerdict:
    return judge_series(memory_series(65536))


@pytest.fixture(scope="module")
def flat() -> SeriesVerdict:
    return judge_series(memory_series(0))


def heap(bytes_each: float) -> SeriesVerdict:
    verdict = judge_heap(
        40 * MIB + bytes_each * CONNECTIONS, memory_series(0), since_s=-np.inf, settings=JudgeSettings()
    )
    assert verdict is not None
    return verdict


def combined(
    memory: SeriesVerdict, held: SeriesVerdict, *, kept: bool | None, failure: Failure | None = None
) -> RunVerdict:
    attribution = attributed(kept_by_allocator=kept)
    evidence = RunEvidence(memory, held, heap_from_outside=True, attribution=attribution, failure=failure)
    return combine(evidence, advise(memory))


@pytest.mark.parametrize("label", [Label.CLIMBING, Label.INCONCLUSIVE])
def test_growth_that_the_allocator_keeps_is_no_leak(climbing: SeriesVerdict, label: Label) -> None:
    run = combined(replace(climbing, label=label), heap(0), kept=True)
    assert run.label is run.memory_label is Label.PLATEAU
    assert run.settling is None
    assert run.probability_climbing < 0.1
    assert run.reasons[0].kind is ReasonKind.HEAP_DECIDES
    assert run.reasons[0].facts["rss_probability_climbing"] == climbing.probability_climbing
    said = sentence(run.reasons[0])
    assert said.startswith("Heap in use is flat at 40 MiB: ")
    assert "kept by the allocator for reuse" in said
    assert "can still fill a container" in said
    assert not any(reason.kind is ReasonKind.SETTLING for reason in run.reasons)
    assert run_confidence_in_words(run).startswith("heap in use: ")


def test_growth_elsewhere_than_in_the_heap_stays_a_climb(climbing: SeriesVerdict) -> None:
    run = combined(climbing, heap(0), kept=False)
    assert run.label is Label.CLIMBING
    assert run.reasons[0] == climbing.reasons[0]
    assert "Heap in use is flat" in sentence(run.reasons[1])


def test_a_flat_heap_leaves_open_what_nobody_saw(climbing: SeriesVerdict) -> None:
    run = combined(climbing, heap(0), kept=None)
    assert run.label is Label.INCONCLUSIVE
    assert run.settling is not None
    assert "where is not recorded" in sentence(run.reasons[0])


@pytest.mark.parametrize("memory", ["flat", "climbing"])
def test_a_heap_that_climbs_is_a_leak_whatever_rss_shows(
    memory: str, flat: SeriesVerdict, climbing: SeriesVerdict
) -> None:
    held = heap(51248)
    run = combined({"flat": flat, "climbing": climbing}[memory], held, kept=None)
    assert run.label is run.memory_label is Label.CLIMBING
    assert re.match(r"Heap in use grows by (49|50|51)[\d.]* KiB per connection", sentence(run.reasons[0]))
    assert held.growth_per_connection is not None
    assert held.growth_per_connection.estimate == pytest.approx(51248, rel=0.02)
    assert run.probability_climbing == held.probability_climbing


def test_both_flat_says_both(flat: SeriesVerdict) -> None:
    run = combined(flat, heap(0), kept=True)
    assert run.label is Label.PLATEAU
    first, second, *_ = sentences(run.reasons)
    assert first.startswith("Memory is flat at 500 MiB: ")
    assert second.startswith("Heap in use is flat at 40 MiB: ")


def test_a_flat_rss_is_no_plateau_while_the_heap_leans_to_climbing(flat: SeriesVerdict) -> None:
    # what leaks fills the free memory of 32 arenas first: RSS stays flat meanwhile
    growing = heap(51248)
    soon = replace(growing, label=Label.INCONCLUSIVE, settling=Settling(60.0, 200.0))
    run = combined(flat, soon, kept=True)
    assert run.label is run.memory_label is Label.INCONCLUSIVE
    assert run.reasons[0] == soon.reasons[0]
    assert run.settling == soon.settling
    assert run.leaning is Label.CLIMBING


def undecided(leaning_to_climbing: float) -> SeriesVerdict:
    """A heap that is not decided yet."""
    settling = Settling(60.0, 200.0)
    return replace(
        heap(0), label=Label.INCONCLUSIVE, probability_climbing=leaning_to_climbing, settling=settling
    )


def test_rss_alone_may_not_call_what_the_heap_does_not_lean_to(climbing: SeriesVerdict) -> None:
    held = undecided(0.3)
    run = combined(climbing, held, kept=None)
    assert run.label is run.memory_label is Label.INCONCLUSIVE
    assert run.reasons[0] == held.reasons[0]
    assert climbing.reasons[0] in run.reasons
    assert run.settling == held.settling
    assert run.leaning is Label.PLATEAU
    told = run_confidence_in_words(run)
    assert told.startswith("heap in use: not enough evidence to decide; leans to a plateau, 70 %; RSS: ")


def test_rss_climbs_where_the_heap_leans_to_climbing_too(climbing: SeriesVerdict) -> None:
    held = undecided(0.7)
    run = combined(climbing, held, kept=None)
    assert run.label is run.memory_label is Label.CLIMBING
    assert run.reasons[:2] == (climbing.reasons[0], held.reasons[0])


def test_a_flat_rss_stays_a_plateau_beside_a_heap_that_leans_to_one(flat: SeriesVerdict) -> None:
    run = combined(flat, undecided(0.3), kept=None)
    assert run.label is Label.PLATEAU
    assert run.reasons[0] == flat.reasons[0]


def test_a_server_that_died_has_shown_no_plateau_by_its_heap_either(climbing: SeriesVerdict) -> None:
    died = Failure(
        Reason(ReasonKind.SERVER_DIED, {"t_s": 3.0, "how": "ended by SIGSEGV", "log_tail": []}), died=True
    )
    run = combined(replace(climbing, label=Label.INCONCLUSIVE), heap(0), kept=True, failure=died)
    assert run.label is Label.INCONCLUSIVE
    assert run.reasons[0].kind is ReasonKind.SERVER_DIED
