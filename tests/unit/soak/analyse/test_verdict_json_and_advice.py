"""The JSON other programs read, the advice in it, and the words of numbers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

from soak.advice.advise import AdviceContext, advise
from soak.analyse import Series, judge
from soak.analyse.resources import judge_resources, with_resources
from soak.verdict.verdict import Label
from soak.verdict.verdict_json import from_json_object, to_json_object

if TYPE_CHECKING:
    from collections.abc import Callable

MIB = 2**20
CONTRACT = [
    "schema_version",
    "verdict",
    "reasons",
    "metric",
    "start_bytes",
    "plateau_bytes",
    "peak_bytes",
    "plateau_at_s",
    "growth_bytes_per_hour",
    "growth_bytes_per_connection",
    "minimum_detectable_bytes_per_hour",
    "restarts",
    "attribution",
    "advice",
]


@pytest.mark.parametrize("leak", [0.0, 65536.0])
def test_json_holds_the_contract_first_and_reads_back_the_same(
    with_rests: Callable[..., Series], leak: float
) -> None:
    verdict = judge(with_rests(leak_bytes_per_connection=leak), context=AdviceContext(decoder_thread_num=32))
    data = to_json_object(verdict)
    assert list(data)[: len(CONTRACT)] == CONTRACT
    text = json.dumps(data, allow_nan=False)
    again = from_json_object(json.loads(text))
    assert json.dumps(to_json_object(again), allow_nan=False) == text
    assert data["metric"] == "rss_bytes"
    assert len(data["advice"]["memory_limit_bytes"]) == 2
    assert data["advice"]["io_thread_num"] == 2


def test_other_resources_are_written_and_read_back(with_rests: Callable[..., Series]) -> None:
    series = with_rests()
    assert series.connections_completed is not None
    counts = {"fds": 12 + series.connections_completed, "threads": np.full(series.t_s.size, 5.0)}
    verdict = with_resources(judge(series), judge_resources(counts, series))
    data = to_json_object(verdict)
    assert (data["verdict"], data["memory_verdict"]) == ("climbing", "plateau")
    assert list(data["resources"]) == ["fds", "threads"]
    fds = data["resources"]["fds"]
    assert (fds["verdict"], fds["start"], fds["end"], fds["peak"]) == ("climbing", 12, 412, 412)
    assert fds["growth_per_connection"]["estimate"] == pytest.approx(1, rel=0.01)
    assert set(fds["growth_per_hour"]) == {"estimate", "low", "high"}
    assert data["resources"]["threads"]["verdict"] == "plateau"
    text = json.dumps(data, allow_nan=False)
    again = from_json_object(json.loads(text))
    assert again.resources["fds"].verdict is Label.CLIMBING
    assert json.dumps(to_json_object(again), allow_nan=False) == text


def test_a_resource_without_a_connection_counter_or_a_trend_is_null_there() -> None:
    series = Series(np.arange(20.0), np.full(20, 1e8))
    resources = judge_resources({"fds": np.full(20, 7.0)}, series)
    data = to_json_object(with_resources(judge(series), resources))
    fds = data["resources"]["fds"]
    assert fds["verdict"] == "inconclusive"
    assert fds["growth_per_connection"] is None
    assert fds["growth_per_hour"] == {"estimate": None, "low": None, "high": None}
    assert from_json_object(data).resources["fds"].end == 7


def test_files_from_before_there_were_other_resources_are_read(with_rests: Callable[..., Series]) -> None:
    data = to_json_object(judge(with_rests()))
    for key in ("resources", "memory_verdict", "growth_bytes_per_audio_s"):
        del data[key]
    assert from_json_object(data).resources == {}


def test_what_is_unknown_is_null_and_the_source_is_named() -> None:
    data = to_json_object(judge(Series(np.array([]), np.array([]))), source="a.csv")
    assert data["source"] == "a.csv"
    assert data["verdict"] == "inconclusive"
    assert data["growth_bytes_per_hour"] == {"estimate": None, "low": None, "high": None}
    assert data["plateau_bytes"] is None
    json.dumps(data, allow_nan=False)


def test_something_else_is_not_read_as_a_verdict() -> None:
    with pytest.raises(ValueError, match="schema_version None"):
        from_json_object({})
    with pytest.raises(ValueError, match="not a verdict"):
        from_json_object({"schema_version": 1})


def test_the_limit_is_20_to_30_percent_above_the_peak() -> None:
    low, high = advise(peak_bytes=1000 * MIB, last_bytes=900 * MIB)["memory_limit_bytes"]
    assert 1200 * MIB <= low <= 1216 * MIB
    assert 1300 * MIB <= high <= 1316 * MIB
    assert advise(peak_bytes=0, last_bytes=0)["memory_limit_bytes"] == []


@pytest.mark.parametrize(("decoders", "io"), [(1, 1), (16, 1), (17, 2), (32, 2), (100, 7)])
def test_io_threads_follow_the_published_formula(decoders: int, io: int) -> None:
    context = AdviceContext(decoder_thread_num=decoders)
    assert advise(peak_bytes=1e9, last_bytes=1e9, context=context)["io_thread_num"] == io


def test_advice_names_what_the_run_had_and_where_it_comes_from() -> None:
    context = AdviceContext(decoder_thread_num=32, io_thread_num=8, model_thread_num=4)
    notes = advise(peak_bytes=1e9, last_bytes=1e9, context=context)["notes"]
    words = " ".join(note["text"] for note in notes)
    assert "this run had 8" in words
    assert "this run had 4" in words
    assert all(note["source"] for note in notes)
    assert (
        advise(peak_bytes=1e9, last_bytes=1e9, context=AdviceContext(on_cpu=False))["model_thread_num"]
        is None
    )


def test_the_time_to_the_limit_is_told_only_of_a_climb() -> None:
    context = AdviceContext(limit_bytes=2000 * MIB)
    climbing = advise(
        peak_bytes=1000 * MIB, last_bytes=1000 * MIB, climbing_bytes_per_hour=500.0 * MIB, context=context
    )
    assert climbing["time_to_limit_s"] == pytest.approx(7200)
    assert any("2 h" in note["text"] for note in climbing["notes"])
    assert advise(peak_bytes=1e9, last_bytes=1e9, context=context)["time_to_limit_s"] is None


def test_a_plateau_needs_no_restarts() -> None:
    advice = advise(
        peak_bytes=1e9, last_bytes=1e9, start_bytes=9e8, is_plateau=True, at_most_bytes_per_hour=1e6
    )
    assert advice["restart_interval_s"] is None
    assert any("none needed" in note["text"] for note in advice["notes"])


def test_a_leak_is_restarted_before_a_fresh_process_reaches_its_limit_at_the_fastest() -> None:
    advice = advise(
        peak_bytes=1000 * MIB,
        last_bytes=1000 * MIB,
        start_bytes=500 * MIB,
        climbing_bytes_per_hour=100.0 * MIB,
        at_most_bytes_per_hour=150.0 * MIB,
        context=AdviceContext(limit_bytes=2000 * MIB),
    )
    assert advice["restart_interval_s"] == pytest.approx(10 * 3600)
    assert advice["capacity"] == []


def test_what_is_undecided_is_told_at_its_worst() -> None:
    context = AdviceContext(limit_bytes=2000 * MIB)
    advice = advise(
        peak_bytes=1000 * MIB, last_bytes=1000 * MIB, start_bytes=500 * MIB,
        at_most_bytes_per_hour=150.0 * MIB, context=context,
    )  # fmt: skip
    assert any("worst case" in note["text"] for note in advice["notes"])


def test_capacity_is_measured_at_the_peak_and_told_no_further_than_twice_that() -> None:
    context = AdviceContext(peak_open_connections=8)
    rows = advise(peak_bytes=180 * MIB, last_bytes=180 * MIB, start_bytes=100 * MIB, context=context)[
        "capacity"
    ]
    assert [row["open_connections"] for row in rows] == [1, 2, 4, 8, 16]
    assert [row["basis"] for row in rows] == ["between", "between", "between", "measured", "beyond"]
    assert rows[3]["memory_bytes"] == 180 * MIB
    assert rows[4]["memory_bytes"] == 260 * MIB


def test_more_decoders_than_connections_are_told() -> None:
    context = AdviceContext(
        decoder_thread_num=32, peak_open_connections=9, cores=2, cores_used=1.42, queue_peak=3
    )
    words = " ".join(
        note["text"] for note in advise(peak_bytes=1e9, last_bytes=1e9, context=context)["notes"]
    )
    assert "at most 9 connections were open at once, and the server kept at most 1.4 of 2 cores busy" in words
    assert "For this load 9 would have done" in words
