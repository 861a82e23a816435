"""The corpus of real servers is whole: labels, lengths, heap in use; and so is what makes it."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from benchmarks.verdict.corpus import add_run, thinned
from benchmarks.verdict.real.programs.exchanges import EXCHANGES, mqtt_length
from benchmarks.verdict.real.programs.traffic import NEEDING_MORE
from benchmarks.verdict.record_churn import HEALTHY, read_servers, recordings
from benchmarks.verdict.recorded import RECORDED, read_recorded, read_recorded_heap, recorded_names

CHURN = RECORDED / "churn"
LABELS: dict[str, dict[str, Any]] = {
    str(path.parent.relative_to(RECORDED)): json.loads(path.read_text(encoding="utf-8"))
    for path in sorted(RECORDED.rglob("label.json"))
}
CHURN_LABELS = {name: label for name, label in LABELS.items() if name.startswith("churn/")}

UNEVEN = {
    "churn/memcached_healthy",
    "churn/memcached_healthy_again",
    "churn/hypercorn_healthy_again",
    "churn/websockets_healthy_again",
}
"""Healthy runs through whose heap no line goes well: pages of 1 MiB, or garbage of which a megabyte and more
gathers between two collections."""


class TestLabels:
    def test_every_label_says_whether_it_leaks_what_it_is_and_whose(self) -> None:
        for name, label in LABELS.items():
            assert label["leaking"] in (True, False), name
            assert label["what"].endswith("."), name
            assert label["group"], name

    def test_a_leak_of_the_corpus_is_known_and_a_healthy_run_has_none(self) -> None:
        for name, label in CHURN_LABELS.items():
            kept = label["growth_bytes_per_connection"]
            assert (kept is not None and kept >= 1024) if label["leaking"] else kept is None, name
            assert label["server"], name

    def test_lengths_are_two_beginnings_and_the_whole(self) -> None:
        for name, label in CHURN_LABELS.items():
            assert list(label["lengths"]) == ["first_third", "first_two_thirds", "whole"], name
            assert_rising([each["end_s"] for each in label["lengths"].values()])
            assert_rising([each["connections"] for each in label["lengths"].values()])

    def test_malloc_bears_out_what_was_asked_for(self) -> None:
        for name, label in CHURN_LABELS.items():
            measured = label["heap_growth_bytes_per_connection"]
            if label["leaking"] and measured is not None:
                asked = label["growth_bytes_per_connection"]
                assert asked * 0.9 <= measured <= asked * 1.1 + 1500, name

    def test_what_a_healthy_server_gains_is_far_from_its_smallest_leak(self) -> None:
        for name, label in CHURN_LABELS.items():
            measured = label["heap_growth_bytes_per_connection"]
            if not label["leaking"] and measured is not None and name not in UNEVEN:
                server = name.partition("_healthy")[0]
                leaks = [
                    each["growth_bytes_per_connection"]
                    for other, each in CHURN_LABELS.items()
                    if other.startswith(f"{server}_leak")
                ]
                assert measured < min(leaks) / 4, name


class TestCounts:
    def test_there_are_more_than_two_hundred_runs_of_more_than_twenty_servers(self) -> None:
        names = [name for name in recorded_names() if name.startswith("churn/")]
        groups = {LABELS["/".join(name.split("/")[:2])]["group"] for name in names}
        assert len(names) >= 200
        assert len(groups) >= 20

    def test_every_server_is_there_twice_healthy_and_with_three_leaks(self) -> None:
        recorded = {name.removeprefix("churn/") for name in CHURN_LABELS}
        assert recorded == {run.name for run in recordings(read_servers())}


class TestTraces:
    def test_a_beginning_is_the_run_cut_off(self) -> None:
        whole = read_recorded("churn/nginx_leak8k")
        third = read_recorded("churn/nginx_leak8k/first_third")
        rows = len(third.series.values)
        assert third.name == "churn/nginx_leak8k/first_third"
        assert (third.leaking, third.group, third.growth_bytes_per_connection) == (True, "nginx", 8192.0)
        np.testing.assert_array_equal(third.series.values, whole.series.values[:rows])
        assert third.series.t_s[-1] == pytest.approx(whole.series.t_s[-1] / 3, abs=5.0)

    def test_heap_in_use_has_a_trace_of_its_own(self) -> None:
        heap = read_recorded_heap("churn/nginx_leak8k")
        assert heap is not None
        assert heap.series.connections_completed is not None
        gained = heap.series.values[-1] - heap.series.values[0]
        connections = heap.series.connections_completed[-1]
        assert gained / connections == pytest.approx(8192, rel=0.05)
        assert np.isfinite(heap.series.values).all()

    def test_there_is_none_under_another_allocator(self) -> None:
        assert read_recorded_heap("churn/redis_healthy") is None

    def test_a_length_within_the_budget_is_not_scored(self, tmp_path: Path) -> None:
        write_recorded(tmp_path / "raw", kept=100)
        add_run(tmp_path / "raw", tmp_path / "a")
        assert recorded_names(tmp_path) == ["a", "a/first_third", "a/first_two_thirds", "raw"]
        write_recorded(tmp_path / "raw", kept=12)
        add_run(tmp_path / "raw", tmp_path / "a")
        assert recorded_names(tmp_path) == ["a", "raw"]


class TestMaking:
    def test_quiet_windows_and_readings_of_the_heap_stay_whole(self) -> None:
        phase = np.where(np.arange(2000) % 40 < 30, "load", "rest")
        heap = np.where(np.arange(2000) % 7 == 0, 5.0, np.nan)
        rows = pd.DataFrame({"t_s": np.arange(2000.0), "phase": phase, "heap_in_use_bytes": heap})
        kept = thinned(rows)
        assert (kept["phase"] == "rest").sum() == 500
        assert kept["heap_in_use_bytes"].notna().sum() == 286
        assert 200 < len(kept[(kept["phase"] == "load") & kept["heap_in_use_bytes"].isna()]) <= 400

    def test_a_column_without_a_value_is_left_out(self) -> None:
        rows = pd.DataFrame(
            {"t_s": [0.0, 1.0], "phase": ["load", "load"], "heap_in_use_bytes": [np.nan, np.nan]}
        )
        assert list(thinned(rows)) == ["t_s", "phase"]

    def test_every_server_is_recorded_healthy_with_quiet_windows_and_without(self) -> None:
        runs = recordings(read_servers())
        assert len({run.name for run in runs}) == len(runs)
        for server in read_servers():
            own = [run for run in runs if run.server.name == server.name]
            assert Counter(run.rests for run in own if run.leak_bytes == HEALTHY) == {True: 1, False: 1}
            assert len({run.leak_bytes for run in own}) == 4

    def test_half_of_the_leaks_have_quiet_windows(self) -> None:
        resting = Counter(run.rests for run in recordings(read_servers()) if run.leak_bytes)
        assert resting[True] / resting.total() == pytest.approx(0.5, abs=0.03)

    def test_every_server_is_asked_in_a_protocol_there_is(self) -> None:
        asked = {server.load.split()[0] for server in read_servers()}
        assert asked <= {*EXCHANGES, *NEEDING_MORE}

    @pytest.mark.parametrize(("size", "written"), [(0, b"\x00"), (127, b"\x7f"), (321, b"\xc1\x02")])
    def test_mqtt_writes_lengths_seven_bits_at_a_time(self, size: int, written: bytes) -> None:
        assert mqtt_length(size) == written


def assert_rising(values: list[float]) -> None:
    assert values == sorted(values)
    assert values[0] > 0


def write_recorded(folder: Path, *, kept: int) -> None:
    """Write what the recorder does, of a server of 10 MB that keeps so much per connection."""
    folder.mkdir(exist_ok=True)
    label = {"leaking": True, "growth_bytes_per_connection": kept, "what": "It leaks.", "group": "it"}
    (folder / "label.json").write_text(json.dumps(label), encoding="utf-8")
    lines = [f"{second},{10_000_000 + kept * 10 * second},{10 * second},load" for second in range(1000)]
    text = "\n".join(["t_s,rss_bytes,connections_completed,phase", *lines])
    (folder / "samples.csv").write_text(text + "\n", encoding="utf-8")
