"""The JSON other programs read."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from soak.advice.advise import AdviceContext, advise
from soak.analyse import JudgeSettings, Series, judge_series
from soak.analyse.counts import judge_counts
from soak.analyse.heap import judge_heap
from soak.judging.document import verdict_document
from soak.verdict.combine import combine
from soak.verdict.run_verdict import RunEvidence

if TYPE_CHECKING:
    from soak.verdict.quantities import Quantity
    from soak.verdict.verdict import SeriesVerdict

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
T_S = np.arange(400.0)
BLOCK, WITHIN = np.divmod(T_S, 20.0)
COMPLETED = np.floor(25 * BLOCK + np.minimum(25, 2.5 * WITHIN))


def with_rests(leak_bytes_per_connection: float = 0.0) -> Series:
    memory = 500e6 + leak_bytes_per_connection * COMPLETED
    return Series(T_S, memory, COMPLETED, phase=np.where(WITHIN < 12, "load", "rest"))


def document(
    series: Series, counts: dict[Quantity, SeriesVerdict] | None = None, source: str | None = None
) -> dict[str, Any]:
    memory = judge_series(series)
    advice = advise(memory, AdviceContext(decoder_thread_num=32))
    return verdict_document(combine(RunEvidence(memory, resources=counts), advice), source)


@pytest.mark.parametrize("leak", [0.0, 65536.0])
def test_it_holds_the_contract_first(leak: float) -> None:
    data = document(with_rests(leak))
    assert list(data)[: len(CONTRACT)] == CONTRACT
    json.dumps(data, allow_nan=False)
    assert data["metric"] == "rss_bytes"
    assert len(data["advice"]["memory_limit_bytes"]) == 2
    assert data["advice"]["io_thread_num"] == 2


@pytest.mark.parametrize("confidence", [0.9, 0.99])
def test_every_growth_says_how_sure_its_bounds_are(confidence: float) -> None:
    audio = dataclasses.replace(with_rests(65536.0), audio_s=3.0 * COMPLETED)
    asked = JudgeSettings(confidence=confidence)
    memory = judge_series(audio, asked)
    heap = judge_heap(40e6 + 65536 * COMPLETED, audio, since_s=-np.inf, settings=asked)
    counts = judge_counts({"fds": 12 + COMPLETED}, audio, settings=asked)
    evidence = RunEvidence(memory, heap, heap_from_outside=True, resources=counts)
    data = verdict_document(combine(evidence, advise(memory)))
    growths = [data[f"growth_bytes_per_{unit}"] for unit in ("hour", "connection", "audio_s")]
    growths += [data["heap"][f"growth_bytes_per_{unit}"] for unit in ("hour", "connection")]
    growths += [data["resources"]["fds"][f"growth_per_{unit}"] for unit in ("hour", "connection")]
    for growth in growths:
        assert growth["level"] == confidence
        assert growth["low"] <= growth["estimate"] <= growth["high"]


def test_every_reason_is_there_as_a_sentence_and_as_facts() -> None:
    data = document(with_rests())
    assert len(data["reasons"]) == len(data["reasons_structured"])
    first = data["reasons_structured"][0]
    assert first["kind"] == "within_budget"
    assert first["facts"]["quantity"] == "memory"
    assert first["facts"]["level"] == pytest.approx(data["plateau_bytes"])
    assert data["reasons"][0].startswith("Memory is flat at 477 MiB: no lasting growth above the budget of ")


def test_counts_are_written_in_counts() -> None:
    counts = {"fds": 12 + COMPLETED, "threads": np.full(T_S.size, 5.0)}
    data = document(with_rests(), judge_counts(counts, with_rests()))
    assert (data["verdict"], data["memory_verdict"]) == ("climbing", "plateau")
    assert list(data["resources"]) == ["fds", "threads"]
    fds = data["resources"]["fds"]
    assert (fds["verdict"], fds["start"], fds["end"], fds["peak"]) == ("climbing", 12, 512, 512)
    assert fds["growth_per_connection"]["estimate"] == pytest.approx(1, rel=0.01)
    assert set(fds["growth_per_hour"]) == {"estimate", "low", "high", "level"}
    assert fds["reasons"][0].startswith("File descriptors climb: ")
    assert data["resources"]["threads"]["verdict"] == "plateau"
    json.dumps(data, allow_nan=False)


def test_a_count_without_a_connection_counter_or_a_trend_is_null_there() -> None:
    series = Series(np.arange(2.0), np.full(2, 1e8))
    fds = document(series, judge_counts({"fds": np.full(2, 7.0)}, series))["resources"]["fds"]
    assert (fds["verdict"], fds["end"]) == ("inconclusive", 7)
    assert fds["growth_per_connection"] is None
    assert fds["growth_per_hour"] == {"estimate": None, "low": None, "high": None, "level": 0.9}


def test_what_is_unknown_is_null_and_the_source_is_named() -> None:
    data = document(Series(np.array([]), np.array([])), source="a.csv")
    assert data["source"] == "a.csv"
    assert data["verdict"] == "inconclusive"
    assert data["growth_bytes_per_hour"] == {"estimate": None, "low": None, "high": None, "level": 0.9}
    assert data["plateau_bytes"] is None
    json.dumps(data, allow_nan=False)
