"""Advice that follows from what was measured."""

from __future__ import annotations

import math

import pytest

from soak.advice.advise import AdviceContext, advise
from soak.verdict.quantities import Quantity
from soak.verdict.verdict import Estimate, Label, SeriesVerdict

MIB = 2**20


def memory(
    peak: float,
    *,
    start: float = 0.0,
    per_hour: float = math.nan,
    most_per_hour: float = math.nan,
    label: Label = Label.INCONCLUSIVE,
) -> SeriesVerdict:
    """A verdict on memory whose last reading was its highest."""
    return SeriesVerdict(
        quantity=Quantity.MEMORY,
        label=label,
        reasons=(),
        start=start,
        fresh=start,
        end=peak,
        peak=peak,
        growth_per_hour=Estimate(per_hour, math.nan, most_per_hour),
    )


def test_the_limit_is_20_to_30_percent_above_the_peak() -> None:
    low, high = advise(memory(1000 * MIB))["memory_limit_bytes"]
    assert 1200 * MIB <= low <= 1216 * MIB
    assert 1300 * MIB <= high <= 1316 * MIB
    assert advise(memory(0))["memory_limit_bytes"] == []


@pytest.mark.parametrize(("decoders", "io"), [(1, 1), (16, 1), (17, 2), (32, 2), (100, 7)])
def test_io_threads_follow_the_published_formula(decoders: int, io: int) -> None:
    context = AdviceContext(decoder_thread_num=decoders)
    assert advise(memory(1e9), context)["io_thread_num"] == io


def test_advice_names_what_the_run_had_and_where_it_comes_from() -> None:
    context = AdviceContext(decoder_thread_num=32, io_thread_num=8, model_thread_num=4)
    notes = advise(memory(1e9), context)["notes"]
    words = " ".join(note["text"] for note in notes)
    assert "this run had 8" in words
    assert "this run had 4" in words
    assert all(note["source"] for note in notes)
    assert advise(memory(1e9), AdviceContext(on_cpu=False))["model_thread_num"] is None


def test_the_time_to_the_limit_is_told_only_of_a_climb() -> None:
    context = AdviceContext(limit_bytes=2000 * MIB)
    climbing = advise(memory(1000 * MIB, per_hour=500.0 * MIB, label=Label.CLIMBING), context)
    assert climbing["time_to_limit_s"] == pytest.approx(7200)
    assert any("2 h" in note["text"] for note in climbing["notes"])
    assert advise(memory(1e9), context)["time_to_limit_s"] is None


def test_a_plateau_needs_no_restarts() -> None:
    advice = advise(memory(1e9, start=9e8, most_per_hour=1e6, label=Label.PLATEAU))
    assert advice["restart_interval_s"] is None
    assert any("none needed" in note["text"] for note in advice["notes"])


def test_a_leak_is_restarted_before_a_fresh_process_reaches_its_limit_at_the_fastest() -> None:
    advice = advise(
        memory(
            1000 * MIB,
            start=500 * MIB,
            per_hour=100.0 * MIB,
            most_per_hour=150.0 * MIB,
            label=Label.CLIMBING,
        ),
        AdviceContext(limit_bytes=2000 * MIB),
    )
    assert advice["restart_interval_s"] == pytest.approx(10 * 3600)
    assert advice["capacity"] == []


def test_what_is_undecided_is_told_at_its_worst() -> None:
    context = AdviceContext(limit_bytes=2000 * MIB)
    advice = advise(memory(1000 * MIB, start=500 * MIB, most_per_hour=150.0 * MIB), context)
    assert any("worst case" in note["text"] for note in advice["notes"])


def test_capacity_is_measured_at_the_peak_and_told_no_further_than_twice_that() -> None:
    context = AdviceContext(peak_open_connections=8)
    rows = advise(memory(180 * MIB, start=100 * MIB), context)["capacity"]
    assert [row["open_connections"] for row in rows] == [1, 2, 4, 8, 16]
    assert [row["basis"] for row in rows] == ["between", "between", "between", "measured", "beyond"]
    assert rows[3]["memory_bytes"] == 180 * MIB
    assert rows[4]["memory_bytes"] == 260 * MIB


def test_more_decoders_than_connections_are_told() -> None:
    context = AdviceContext(
        decoder_thread_num=32, peak_open_connections=9, cores=2, cores_used=1.42, queue_peak=3
    )
    words = " ".join(note["text"] for note in advise(memory(1e9), context)["notes"])
    assert "at most 9 connections were open at once, and the server kept at most 1.4 of 2 cores busy" in words
    assert "For this load 9 would have done" in words
