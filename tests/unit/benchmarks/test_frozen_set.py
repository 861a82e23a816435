"""The frozen test set: always the same traces, true to their label, and the ones that README names."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from benchmarks.verdict import frozen
from benchmarks.verdict.frozen import PARTS, sha256_of
from benchmarks.verdict.frozen.heaps import frozen_heap
from benchmarks.verdict.frozen.machines import frozen_machine
from benchmarks.verdict.frozen.synthetic import frozen_trace
from soak.verdict.quantities import Quantity

if TYPE_CHECKING:
    from benchmarks.verdict.trace import Trace

FIRST = 20
README = (Path(frozen.__file__).parent / "README.md").read_text(encoding="utf-8")
DEFAULT_BUDGET = 0.0025


@pytest.fixture(scope="module", params=PARTS)
def part(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def first(part: str) -> list[Trace]:
    return PARTS[part](FIRST)


def test_a_trace_is_the_same_when_it_is_made_twice_and_alone(part: str, first: list[Trace]) -> None:
    make = {"synthetic": frozen_trace, "machines": frozen_machine, "heap": frozen_heap}[part]
    for number in (7, 2):
        assert sha256_of([make(number)]) == sha256_of([first[number]])


def test_the_traces_are_those_that_were_frozen(part: str, first: list[Trace]) -> None:
    version = ".".join(np.__version__.split(".")[:2])
    if f"numpy {version}" not in README:
        pytest.skip(f"frozen with another numpy than {version}, whose random numbers may differ")
    assert sha256_of(first) in README, part


def test_a_leak_adds_four_budgets_and_shows_above_what_is_no_trend(first: list[Trace]) -> None:
    leaks = [trace for trace in first if trace.leaking]
    assert leaks
    for trace in leaks:
        length_hours = (trace.series.t_s[-1] - trace.series.t_s[0]) / 3600
        added = trace.growth_bytes_per_hour * length_hours * (1 - trace.onset_share)
        assert added >= 3.9 * DEFAULT_BUDGET * trace.level_bytes, trace.name  # rests, edges: one reading off
        assert trace.signal_to_noise is not None
        assert trace.signal_to_noise >= 2.5, trace.name


def test_what_is_healthy_has_no_growth_that_lasts(first: list[Trace]) -> None:
    healthy = [trace for trace in first if not trace.leaking]
    assert 0.3 <= len(healthy) / len(first) <= 0.7
    assert all(trace.growth_bytes_per_hour == 0 for trace in healthy)


def test_every_trace_can_be_judged(part: str, first: list[Trace]) -> None:
    for trace in first:
        read = trace.series.values[np.isfinite(trace.series.values)]
        assert read.size >= 4, trace.name
        assert (read > 0).all(), trace.name
        assert (trace.series.quantity is Quantity.HEAP) == (part == "heap")


def test_the_names_are_unique(first: list[Trace]) -> None:
    assert len({trace.name for trace in first}) == len(first)
