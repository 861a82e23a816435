"""Memory and the counts together: which of them speaks for the run, and in what order it is told."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from soak.advice.advise import advise
from soak.analyse import Series, judge_series
from soak.analyse.counts import judge_counts
from soak.analyse.decision.reasons import settling_reason
from soak.verdict.combine import combine
from soak.verdict.quantities import Quantity
from soak.verdict.reason import Reason, ReasonKind
from soak.verdict.run_verdict import Failure, RunEvidence, RunVerdict
from soak.verdict.verdict import Estimate, Label, SeriesVerdict, Settling
from soak.words import confidence_in_words, run_confidence_in_words, sentence

MIB = 2.0**20
T_S = np.arange(400.0)
BLOCK, WITHIN = np.divmod(T_S, 20.0)
COMPLETED = np.floor(25 * BLOCK + np.minimum(25, 2.5 * WITHIN))
OPENED = np.where(WITHIN < 12, 1 + WITHIN % 3, 0)
PHASE = np.where(WITHIN < 12, "load", "rest")
"""Twenty blocks of 25 connections with a rest after each."""

Counts = dict[Quantity, SeriesVerdict]


def with_memory(memory: np.ndarray[tuple[int], np.dtype[np.float64]] | float = 100 * MIB) -> Series:
    values = np.broadcast_to(np.asarray(memory, dtype=np.float64), T_S.shape)
    return Series(T_S, values, COMPLETED, OPENED, PHASE)


def joined(memory: SeriesVerdict, counts: Counts, failure: Failure | None = None) -> RunVerdict:
    return combine(RunEvidence(memory, resources=counts, failure=failure), advise(memory))


@pytest.fixture(scope="module")
def flat() -> SeriesVerdict:
    memory = judge_series(with_memory())
    assert memory.label is Label.PLATEAU
    return memory


@pytest.fixture(scope="module")
def leak() -> Counts:
    return judge_counts({"fds": 12 + COMPLETED, "threads": 5 + 0 * COMPLETED}, with_memory())


def test_one_session_left_is_said_though_it_does_not_climb(flat: SeriesVerdict) -> None:
    run = joined(flat, judge_counts({"server_sessions_alive": 1 + OPENED}, with_memory()))
    assert run.label is Label.PLATEAU
    assert "do not return to zero: 1 is left" in sentence(run.reasons[-1])


def test_a_climbing_count_makes_the_run_climb_and_is_named_first(flat: SeriesVerdict, leak: Counts) -> None:
    run = joined(flat, leak)
    assert run.label is Label.CLIMBING
    assert run.climbing == (Quantity.DESCRIPTORS,)
    assert run.reasons[:2] == (leak[Quantity.DESCRIPTORS].reasons[0], flat.reasons[0])
    assert run_confidence_in_words(run).startswith("file descriptors: ")
    assert run.memory_label is Label.PLATEAU
    assert run.memory.level == flat.level


def test_memory_that_is_undecided_stays_so_beside_a_climbing_count(leak: Counts) -> None:
    run = joined(judge_series(Series(T_S, np.full(T_S.size, np.nan))), leak)
    assert run.label is Label.CLIMBING
    assert run.memory_label is Label.INCONCLUSIVE
    assert run.settling is not None


def test_what_would_settle_memory_is_said_to_be_of_memory_beside_a_climb(leak: Counts) -> None:
    short = judge_series(Series(T_S[:2], np.full(2, 100 * MIB)))
    (settling,) = [one for one in joined(short, leak).reasons if one.kind is ReasonKind.SETTLING]
    assert sentence(settling).startswith("To settle memory: about ")


def test_memory_that_climbs_too_is_said_to_climb(leak: Counts) -> None:
    memory = judge_series(with_memory(100 * MIB + 65536 * COMPLETED))
    run = joined(memory, leak)
    assert run.memory_label is run.label is Label.CLIMBING
    assert run.reasons[:2] == (leak[Quantity.DESCRIPTORS].reasons[0], memory.reasons[0])
    assert run_confidence_in_words(run) == confidence_in_words(memory)


def test_a_failure_stays_in_front_and_a_server_that_died_has_shown_no_plateau(
    flat: SeriesVerdict, leak: Counts
) -> None:
    died = Failure(Reason(ReasonKind.SERVER_DIED, {"t_s": 3.0, "how": "killed"}), died=True)
    run = joined(flat, leak, died)
    assert run.reasons[:2] == (died.reason, leak[Quantity.DESCRIPTORS].reasons[0])
    assert (run.memory_label, run.memory.level) == (Label.INCONCLUSIVE, None)
    assert joined(flat, {}, died).label is Label.INCONCLUSIVE


def test_of_a_server_that_never_answered_nothing_is_judged(flat: SeriesVerdict, leak: Counts) -> None:
    never = Failure(Reason(ReasonKind.NEVER_ANSWERED, {"detail": "refused"}), died=False)
    for counts in ({}, leak):
        run = joined(flat, counts, never)
        assert run.label is run.memory_label is Label.INCONCLUSIVE
        assert run.memory.level is None
        assert run.reasons == (never.reason,)
        assert run_confidence_in_words(run) == ""


def test_an_inconclusive_count_leaves_a_plateau_but_is_said(flat: SeriesVerdict) -> None:
    step = judge_counts({"fds": np.where(T_S > 260, 16.0, 12.0)}, with_memory())[Quantity.DESCRIPTORS]
    said = Reason(ReasonKind.UNDECIDED, step.reasons[0].facts)
    # it may have grown for good, and as well not: the least that lasts is nothing
    undecided = replace(
        step,
        label=Label.INCONCLUSIVE,
        reasons=(said,),
        probability_climbing=0.6,
        growth_per_hour=Estimate(8.0, 0.0, 60.0),
    )
    run = joined(flat, {Quantity.DESCRIPTORS: undecided})
    assert run.label is Label.PLATEAU
    assert run.reasons == (*flat.reasons, said)


@pytest.mark.parametrize(("probability", "label"), [(0.8, Label.INCONCLUSIVE), (0.2, Label.PLATEAU)])
def test_a_plateau_is_none_while_descriptors_surely_grow_and_lean_to_climbing(
    flat: SeriesVerdict, leak: Counts, probability: float, label: Label
) -> None:
    settling = Settling(120.0, 200.0)
    told = leak[Quantity.DESCRIPTORS].reasons[0].facts
    descriptors = replace(
        leak[Quantity.DESCRIPTORS],
        label=Label.INCONCLUSIVE,
        probability_climbing=probability,
        reasons=(Reason(ReasonKind.UNDECIDED, told), settling_reason(settling)),
        settling=settling,
    )
    assert descriptors.growth_per_hour.low > 0
    run = joined(flat, {Quantity.DESCRIPTORS: descriptors, Quantity.THREADS: leak[Quantity.THREADS]})
    assert run.label is label
    assert run.memory_label is Label.PLATEAU
    said = [sentence(reason) for reason in run.reasons]
    if label is Label.PLATEAU:
        assert said[-1].startswith("File descriptors are undecided: between ")
        return
    assert said[0].startswith("File descriptors are undecided: between ")
    assert said[1].startswith("To settle it: about ")
    assert run.reasons[2] == flat.reasons[0]
    assert run.settling == settling
