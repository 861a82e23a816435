"""Leak or cache: RSS that still grows, beside what malloc has handed out."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from soak.analyse import JudgeSettings, Series, judge
from soak.analyse.in_use import judge_in_use, with_in_use
from soak.verdict.attribution import Attribution, Culprit
from soak.verdict.verdict import Estimate, Label, Verdict

if TYPE_CHECKING:
    from numpy.typing import NDArray

MIB = 2.0**20
T_S = np.arange(1200.0)
CONNECTIONS = np.floor(T_S / 2)


def _series(rss_bytes: NDArray[np.float64]) -> Series:
    noise = 4096 * np.random.default_rng(5).integers(0, 8, T_S.size)
    return Series(t_s=T_S, rss_bytes=rss_bytes + noise, connections_completed=CONNECTIONS)


GROWING = _series(500 * MIB + 65536 * CONNECTIONS)


def _grows_by(culprit: Culprit) -> Verdict:
    attribution = Attribution(
        from_s=0.0,
        to_s=1199.0,
        start_rss_bytes=500 * MIB,
        end_rss_bytes=537 * MIB,
        classes=(),
        inside=None,
        probes=(),
        arena_holds=(),
        established_at_rest=None,
        close_wait_at_rest=None,
        culprits=(culprit,),
        summary="",
        accounted_share=None,
        sum_over_rss=1.0,
    )
    verdict = replace(judge(GROWING), attribution=attribution)
    assert verdict.verdict is Label.CLIMBING
    return verdict


def _in_use(bytes_each: float) -> Verdict:
    """Judge what malloc handed out, read every other second only."""
    handed_out = 300 * MIB + bytes_each * CONNECTIONS
    read = np.where(T_S % 2 == 0, handed_out, np.nan)
    verdict = judge_in_use(read, GROWING, since_s=-np.inf, settings=JudgeSettings())
    assert verdict is not None
    return verdict


def test_growth_that_malloc_only_keeps_is_no_leak_while_what_it_handed_out_is_flat() -> None:
    memory = _grows_by(Culprit.RETAINED)
    said = with_in_use(memory, _in_use(0))
    assert said.verdict is Label.INCONCLUSIVE
    assert said.reasons[0].startswith("RSS still grows by free memory that malloc keeps")
    assert "what malloc has handed out is flat at 300 MiB" in said.reasons[0]
    assert said.reasons[0].endswith("is excluded with 95 %.")
    assert said.reasons[1:] == memory.reasons
    assert said.settling is not None
    assert said.settling.more_connections == pytest.approx(CONNECTIONS[-1], rel=0.01)


def test_a_leak_is_one_whatever_malloc_keeps_beside_it() -> None:
    memory = _grows_by(Culprit.RETAINED)
    assert with_in_use(memory, _in_use(65536)) is memory


def test_with_a_budget_too_tight_to_be_proved_it_tells_by_how_much_less_than_rss_it_grew() -> None:
    hourly = Estimate(1e5, -1e5, 1e6)
    hardly = replace(_in_use(0), verdict=Label.INCONCLUSIVE, growth_bytes_per_hour=hourly)
    said = with_in_use(_grows_by(Culprit.RETAINED), hardly)
    assert said.verdict is Label.INCONCLUSIVE
    assert re.search(
        r"of its growth at most [\d.]+ % is what malloc has handed out: 977 KiB", said.reasons[0]
    )
    assert said.leaning is hardly.leaning
    much = replace(hardly, growth_bytes_per_hour=Estimate(1e5, -1e5, 1e8))
    assert with_in_use(_grows_by(Culprit.RETAINED), much).verdict is Label.CLIMBING


@pytest.mark.parametrize("culprit", [Culprit.PYTHON, Culprit.NATIVE, Culprit.SHARED])
def test_a_climb_of_anything_else_stays_one(culprit: Culprit) -> None:
    memory = _grows_by(culprit)
    assert with_in_use(memory, _in_use(0)) is memory


def test_an_undecided_run_says_that_no_leak_is_in_what_was_handed_out() -> None:
    undecided = replace(_grows_by(Culprit.RETAINED), verdict=Label.INCONCLUSIVE)
    said = with_in_use(undecided, _in_use(0))
    assert said.verdict is Label.INCONCLUSIVE
    assert said.reasons[0].startswith("RSS is undecided, but what malloc has handed out is flat at 300 MiB")
    assert said.reasons[1:] == undecided.reasons
    assert said.confidence.startswith(f"RSS: {undecided.confidence}; what malloc has handed out: ")


def test_a_plateau_and_a_server_that_says_nothing_stay_as_they_are() -> None:
    flat = judge(_series(np.full(T_S.size, 500 * MIB)))
    assert with_in_use(flat, _in_use(0)) is flat
    climbing = _grows_by(Culprit.RETAINED)
    assert with_in_use(climbing, None) is climbing
    unread = np.full(T_S.size, np.nan)
    assert judge_in_use(unread, GROWING, since_s=-np.inf, settings=JudgeSettings()) is None
