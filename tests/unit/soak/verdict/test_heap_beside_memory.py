"""Leak or cache: RSS that still grows, beside heap in use."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from soak.advice.advise import advise
from soak.analyse import JudgeSettings, Series, judge_series
from soak.analyse.heap import judge_heap
from soak.verdict.attribution import Culprit
from soak.verdict.combine import combine
from soak.verdict.reason import ReasonKind
from soak.verdict.run_verdict import RunEvidence, RunVerdict
from soak.verdict.verdict import Estimate, Label, SeriesVerdict
from soak.words import confidence_in_words, run_confidence_in_words, sentence
from tests.unit.soak.verdict.attributions import attributed

if TYPE_CHECKING:
    from numpy.typing import NDArray

MIB = 2.0**20
T_S = np.arange(1200.0)
CONNECTIONS = np.floor(T_S / 2)


def _series(rss_bytes: NDArray[np.float64]) -> Series:
    noise = 4096 * np.random.default_rng(5).integers(0, 8, T_S.size)
    return Series(t_s=T_S, values=rss_bytes + noise, connections_completed=CONNECTIONS)


GROWING = _series(500 * MIB + 65536 * CONNECTIONS)


@pytest.fixture(scope="module")
def climbing() -> SeriesVerdict:
    memory = judge_series(GROWING)
    assert memory.label is Label.CLIMBING
    return memory


def _in_use(bytes_each: float) -> SeriesVerdict:
    """Judge heap in use, read every other second only."""
    read = np.where(T_S % 2 == 0, 300 * MIB + bytes_each * CONNECTIONS, np.nan)
    verdict = judge_heap(read, GROWING, since_s=-np.inf, settings=JudgeSettings())
    assert verdict is not None
    return verdict


def _joined(
    memory: SeriesVerdict, heap: SeriesVerdict | None, culprit: Culprit = Culprit.RETAINED
) -> RunVerdict:
    attribution = attributed(culprits=(culprit,))
    return combine(RunEvidence(memory, heap, attribution=attribution), advise(memory))


def test_growth_that_malloc_only_keeps_is_no_leak_while_heap_in_use_is_flat(climbing: SeriesVerdict) -> None:
    run = _joined(climbing, _in_use(0))
    assert run.label is run.memory_label is Label.INCONCLUSIVE
    assert run.memory is climbing
    assert run.reasons[0].kind is ReasonKind.HEAP_OUTWEIGHS
    said = sentence(run.reasons[0])
    assert said.startswith("Heap in use is flat at 300 MiB: no lasting growth above the budget of ")
    assert "RSS still grows, by memory that is kept by the allocator" in said
    assert run.reasons[1] == climbing.reasons[0]
    assert run.settling is not None
    assert run.settling.more_connections == pytest.approx(CONNECTIONS[-1], rel=0.01)


def test_a_leak_is_one_whatever_malloc_keeps_beside_it(climbing: SeriesVerdict) -> None:
    run = _joined(climbing, _in_use(65536))
    assert run.label is run.memory_label is Label.CLIMBING
    assert run.reasons[0] == climbing.reasons[0]


def test_with_a_budget_too_tight_to_be_proved_it_tells_by_how_much_less_than_rss_it_grew(
    climbing: SeriesVerdict,
) -> None:
    hardly = replace(_in_use(0), label=Label.INCONCLUSIVE, growth_per_hour=Estimate(1e5, 0.0, 1e6))
    run = _joined(climbing, hardly)
    assert run.label is Label.INCONCLUSIVE
    assert run.reasons[0].facts["most_share"] < 0.1
    assert "of the growth of RSS: 977 KiB/h or less (90 %)." in sentence(run.reasons[0])
    assert run.leaning is hardly.leaning
    much = replace(hardly, growth_per_hour=Estimate(1e5, 0.0, 1e8))
    assert _joined(climbing, much).label is Label.CLIMBING


@pytest.mark.parametrize("culprit", [Culprit.PYTHON, Culprit.NATIVE, Culprit.SHARED])
def test_a_climb_of_anything_else_stays_one(climbing: SeriesVerdict, culprit: Culprit) -> None:
    assert _joined(climbing, _in_use(0), culprit).label is Label.CLIMBING


def test_an_undecided_run_says_that_no_leak_is_in_heap_in_use(climbing: SeriesVerdict) -> None:
    undecided, heap = replace(climbing, label=Label.INCONCLUSIVE), _in_use(0)
    run = _joined(undecided, heap)
    assert run.label is Label.INCONCLUSIVE
    assert run.reasons[0].kind is ReasonKind.HEAP_BESIDE
    assert sentence(run.reasons[0]).startswith("Heap in use is flat at 300 MiB: ")
    assert run.reasons[1] == undecided.reasons[0]
    told = f"RSS: {confidence_in_words(undecided)}; heap in use: {confidence_in_words(heap)}"
    assert run_confidence_in_words(run) == told


def test_a_plateau_and_a_server_that_says_nothing_stay_as_they_are(climbing: SeriesVerdict) -> None:
    flat = judge_series(_series(np.full(T_S.size, 500 * MIB)))
    assert _joined(flat, _in_use(0)).reasons[0] == flat.reasons[0]
    assert _joined(climbing, None).label is Label.CLIMBING
    unread = np.full(T_S.size, np.nan)
    assert judge_heap(unread, GROWING, since_s=-np.inf, settings=JudgeSettings()) is None
