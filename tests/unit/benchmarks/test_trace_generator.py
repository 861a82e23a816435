"""The labelled traces: fixed by their seed, true to their label, spread over the conditions they promise."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from benchmarks.verdict.draw import DAY_S, MOST_READINGS, Part
from benchmarks.verdict.sketch import LARGEST_LEVEL_BYTES, SMALLEST_LEAK, SMALLEST_LEVEL_BYTES
from benchmarks.verdict.trace import FAMILIES, Trace, generate, make_trace

PARTS: tuple[Part, ...] = ("tuning", "test")
EACH = 6


@pytest.fixture(scope="module", params=PARTS)
def traces(request: pytest.FixtureRequest) -> list[Trace]:
    return generate(request.param, count_per_family=EACH)


def same(one: Trace, other: Trace) -> bool:
    """Compare every value, NaN equal to NaN."""
    for field in dataclasses.fields(one.series):
        left, right = getattr(one.series, field.name), getattr(other.series, field.name)
        if (left is None) != (right is None):
            return False
        if field.name == "quantity":
            continue
        if left is not None and not np.array_equal(left, right, equal_nan=left.dtype.kind == "f"):
            return False
    return all(
        getattr(one, field.name) == getattr(other, field.name)
        for field in dataclasses.fields(one)
        if field.name != "series"
    )


def persistent_bytes(trace: Trace) -> float:
    """What the leak adds from its beginning to the end of the trace, from the stated truth."""
    return trace.growth_bytes_per_hour * float(trace.series.t_s[-1]) / 3600 * (1 - trace.onset_share)


@pytest.mark.parametrize("part", PARTS)
def test_a_trace_does_not_depend_on_what_was_made_before_it(part: Part) -> None:
    names = list(FAMILIES)
    forwards = generate(part, names, 2)
    backwards = {trace.name: trace for trace in generate(part, names[::-1], 2)}
    assert [trace.name for trace in forwards] == [f"{name}/{index:04d}" for name in names for index in (0, 1)]
    assert all(same(trace, backwards[trace.name]) for trace in forwards)


def test_the_parts_and_the_numbers_give_different_traces() -> None:
    for family in FAMILIES:
        tuning, test = make_trace("tuning", family, 0), make_trace("test", family, 0)
        assert not same(tuning, test)
        assert not same(tuning, make_trace("tuning", family, 1))


def test_changes_of_speed_that_overlap_leave_a_load_that_does_not_run_backwards() -> None:
    counted = make_trace("test", "throughput_change", 36).series.connections_completed
    assert counted is not None
    assert np.all(np.diff(counted[np.isfinite(counted)]) >= 0)


def test_an_unknown_family_is_refused() -> None:
    with pytest.raises(KeyError, match="no_such_family"):
        generate("tuning", ["no_such_family"])


def test_every_family_is_there_and_says_what_it_imitates(traces: list[Trace]) -> None:
    assert {trace.family for trace in traces} == set(FAMILIES)
    assert len(traces) == EACH * len(FAMILIES)
    assert sum(family.leaking for family in FAMILIES.values()) >= 15
    assert sum(not family.leaking for family in FAMILIES.values()) >= 20
    assert all(family.sketch.__doc__ for family in FAMILIES.values())


def test_healthy_traces_have_no_persistent_growth(traces: list[Trace]) -> None:
    for trace in traces:
        if not trace.leaking:
            assert trace.growth_bytes_per_hour == 0
            assert trace.growth_bytes_per_connection is None
            assert trace.signal_to_noise is None


def test_leaks_add_at_least_one_percent_of_the_level(traces: list[Trace]) -> None:
    for trace in traces:
        if trace.leaking:
            # one that slows down is stated at the pace of its last half, at least half of the mean pace
            least = 0.5 if trace.family == "sub_linear" else 1.0
            assert persistent_bytes(trace) >= 0.9 * least * SMALLEST_LEAK * trace.level_bytes, trace.name


def test_leaks_stand_out_of_the_noise_as_much_as_promised(traces: list[Trace]) -> None:
    for trace in traces:
        if trace.leaking:
            assert trace.signal_to_noise is not None
            # rounding, and noise that would have gone below zero, change the ratio a little
            assert 2.2 < trace.signal_to_noise < 62, trace.name


def test_growth_per_connection_agrees_with_growth_per_hour(traces: list[Trace]) -> None:
    checked = 0
    for trace in traces:
        completed = trace.series.connections_completed
        if trace.growth_bytes_per_connection is not None:
            assert completed is not None
            assert trace.growth_bytes_per_connection * completed[-1] == pytest.approx(
                persistent_bytes(trace), rel=0.05
            )
            checked += 1
    assert checked >= 2 * EACH


def test_a_quiet_leak_grows_by_what_is_stated() -> None:
    clean = [
        trace
        for trace in generate("tuning", ["per_hour"], 40)
        if trace.signal_to_noise is not None and trace.signal_to_noise > 25
    ]
    assert clean
    for trace in clean:
        rss, t_s = trace.series.values, trace.series.t_s
        late = (t_s > 0.5 * t_s[-1]) & np.isfinite(rss)  # every warm-up of this family is over by then
        slope = np.polyfit(t_s[late] / 3600, rss[late], 1)[0]
        assert slope == pytest.approx(trace.growth_bytes_per_hour, rel=0.35), trace.name


def test_conditions_are_within_their_ranges(traces: list[Trace]) -> None:
    for trace in traces:
        series = trace.series
        steps_s = np.diff(series.t_s)
        assert 0.8 * 360 <= series.t_s[-1] <= 8.01 * DAY_S
        assert 50 <= series.t_s.size <= MOST_READINGS
        assert steps_s.min() > 0
        assert 0.9 <= np.median(steps_s) <= 110
        assert np.nanmin(series.values) > 0
        assert np.isfinite(series.values).mean() > 0.85
        assert np.isfinite(series.values[[0, -1]]).all()
        assert SMALLEST_LEVEL_BYTES <= trace.level_bytes <= LARGEST_LEVEL_BYTES
        assert np.nanmin(series.values) < 1.5 * trace.level_bytes


def test_columns_are_recorded_in_some_and_missing_in_others(traces: list[Trace]) -> None:
    for column in ("connections_completed", "open_connections", "phase", "swap_bytes", "audio_s"):
        recorded = [getattr(trace.series, column) is not None for trace in traces]
        assert any(recorded), column
        assert not all(recorded), column
    with_rests = [trace.series.phase for trace in traces if trace.series.phase is not None]
    assert all({"load", "rest"} == set(np.unique(phase)) for phase in with_rests)


def test_some_readings_failed_and_some_are_rounded_to_many_ties(traces: list[Trace]) -> None:
    assert any(np.isnan(trace.series.values).any() for trace in traces)
    tied = [
        trace
        for trace in traces
        if np.unique(trace.series.values[np.isfinite(trace.series.values)]).size
        < 0.05 * trace.series.t_s.size
    ]
    assert len(tied) > 0.05 * len(traces)
