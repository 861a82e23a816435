"""Whatever stands in a recording, each reader ends in a result, or in one line that says what is wrong."""

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soak.columns import COLUMNS, TEXT_COLUMNS
from soak.errors import SoakError
from soak.judging import judge_run
from soak.record import read_run
from soak.record.samples import REQUIRED_COLUMNS
from soak.report.markdown import render_markdown
from soak.report.model import report_model

MIB = 1024 * 1024
ARENA = {"graph": "a", "loaded_bytes": 4 * MIB, "held_bytes": 5 * MIB, "shrunk_bytes": 4 * MIB}
READING = {"rss_bytes": 100 * MIB, "classes": {"map_heap_bytes": 50 * MIB}}
TYPES = {"dict": {"count": 10, "bytes": 1000}}
COUNTS = {"connections": 5, "transcripts_changed": 1, "character_errors": 0, "reference_characters": 9}
EVENTS: list[dict[str, Any]] = [
    {"event": "run_started"},
    {"event": "server_started", "pid": 5, "url": "ws://127.0.0.1:1"},
    {"event": "ready", "attempts": 1, "waited_s": 0.1, "transcript": "one"},
    {"event": "phase", "phase": "load", "block": 1},
    {"event": "python_objects", "when": "start", "total_bytes": 1000, "total_count": 10, "types": TYPES},
    {"event": "calibrated", "rate_per_s": 2.5, "throughput_per_s": 3.0, "connections": 10, "seconds": 4.0},
    {"event": "first_transcript", "clip": "a", "connection": 1, "reference": "one", "transcript": "one",
     "character_errors": 0, "reference_characters": 3},
    {"event": "transcript_changed", "clip": "a", "connection": 9, "now": "two", "first": "one",
     "first_connection": 1},
    {"event": "transcripts", "clips": [{"clip": "a", **COUNTS}]},
    {"event": "connection_failed", "kind": "handshake", "detail": "refused", "clip": "a", "connection": 7},
    {"event": "sample_missed", "count": 2},
    {"event": "interrupted"},
    {"event": "python_objects", "when": "end", "total_bytes": 3000, "total_count": 30, "types": TYPES},
    {"event": "load_ended", "reason": "finished", "failures": {"handshake": 1}},
    {"event": "final_look", "verdict": "plateau", "up_to_s": 80.0, "stopped_early": True, "looks": 4,
     "duration_s": 600.0, "connections": None},
    {"event": "run_ended", "reason": "finished"},
    {"event": "probe", "probe": "arena_shrink", "by": "server", "took_s": 0.1, "before": READING,
     "after": READING, "detail": {"shrunk": True, "arenas": [ARENA]}},
    {"event": "probe_failed", "probe": "trim", "by": "server", "why": "no answer"},
    {"event": "server_exited", "return_code": -9, "oom_killed": True, "how": "killed", "log_tail": ["a"]},
]  # fmt: skip
MANIFEST = Path(__file__).parents[4] / "reports" / "reference" / "minimal" / "manifest.json"
HOSTILE: list[Any] = [
    *(None, True, -1, 0, 10**30, 1.5, 1e308, -1e308, float("nan"), float("inf")),
    *("", "x", "\u2028", "</script>", "1" * 5000),
    *([], {}, [None], {"": None}, [[[[[]]]]], {"a": {"a": {"a": 1}}}),
]
"""What nobody expects. What JSON does not know (NaN) is written as Python writes it."""
few = settings(max_examples=settings().max_examples // 5, deadline=None, derandomize=True)


def places(value: Any, here: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where something stands in a JSON value, at any depth."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield (*here, key)
        yield from places(item, (*here, key))


def changed(value: Any, place: tuple[Any, ...], to: Any, *, drop: bool) -> Any:
    """The value with something else, or nothing, at a place."""
    value = copy.deepcopy(value)
    inner = value
    for key in place[:-1]:
        inner = inner[key]
    if drop:
        del inner[place[-1]]
    else:
        inner[place[-1]] = to
    return value


@pytest.fixture(scope="module")
def samples() -> str:
    header = "t_s,rss_bytes,connections_completed,open_connections,phase,block,map_kernel_rss_bytes"
    header += ",map_rss_bytes,map_heap_bytes,transcripts_changed,transcripts_checked,connections_failed"
    rows = []
    for t_s in range(90):
        rss_bytes, heap_bytes = (100 + min(t_s, 20)) * MIB, (50 + min(t_s, 20)) * MIB
        phase = "load" if t_s % 10 < 6 else "rest"
        rows.append(
            f"{t_s},{rss_bytes},{t_s * 2},{int(phase == 'load')},{phase},{t_s // 10},{rss_bytes},{rss_bytes},"
            f"{heap_bytes},1,{t_s * 2},1"
        )
    return "\n".join([header, *rows, ""])


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory, samples: str) -> Callable[[bytes, bytes], bool]:
    """Judge and report a recording with this manifest and these events; tell whether it gave a result."""
    path = tmp_path_factory.mktemp("run")
    (path / "samples.csv").write_text(samples)

    def read(manifest: bytes, events: bytes) -> bool:
        (path / "manifest.json").write_bytes(manifest)
        (path / "events.jsonl").write_bytes(events)
        said = ""
        try:
            run = read_run(path)
            judgement = judge_run(run)
            json.dumps(judgement.to_json_object(), allow_nan=False).encode()
            render_markdown(report_model(run, judgement)).encode()
        except SoakError as error:
            said = str(error)
        assert "\n" not in said
        assert said == "" or str(path) in said
        said.encode()
        return not said

    return read


def lines(events: list[dict[str, Any]]) -> bytes:
    stamped = [{"t_s": float(at), "utc": "x", **event} for at, event in enumerate(events)]
    return "".join(json.dumps(event) + "\n" for event in stamped).encode()


def test_the_good_recording_is_read(read: Callable[[bytes, bytes], bool]) -> None:
    assert read(MANIFEST.read_bytes(), lines(EVENTS))


@few
@given(data=st.data())
def test_no_event_ends_the_reading(read: Callable[[bytes, bytes], bool], data: st.DataObject) -> None:
    stamped = [{"t_s": float(at), "utc": "x", **event} for at, event in enumerate(EVENTS)]
    # the judge's settings are believed like those of a manifest: one of them may end in a line
    anywhere = [place for place in places(stamped) if "judge" not in place[:-1]]
    for place in data.draw(st.lists(st.sampled_from(anywhere), min_size=1, max_size=3)):
        to, drop = data.draw(st.sampled_from(HOSTILE)), data.draw(st.booleans())
        try:
            stamped = changed(stamped, place, to, drop=drop)
        except (KeyError, IndexError, TypeError):
            continue  # what stood there is gone by now
    text = "".join(json.dumps(event) + "\n" for event in stamped)
    assert read(MANIFEST.read_bytes(), text.encode())


@few
@given(data=st.data())
def test_no_manifest_ends_in_a_traceback(read: Callable[[bytes, bytes], bool], data: st.DataObject) -> None:
    manifest = json.loads(MANIFEST.read_text(encoding="utf-8"))
    place = data.draw(st.sampled_from(list(places(manifest))))
    to, drop = data.draw(st.sampled_from(HOSTILE)), data.draw(st.booleans())
    read(json.dumps(changed(manifest, place, to, drop=drop)).encode(), lines(EVENTS))


@few
@given(data=st.data())
def test_no_damaged_byte_ends_in_a_traceback(
    read: Callable[[bytes, bytes], bool], data: st.DataObject
) -> None:
    files = [bytearray(MANIFEST.read_bytes()), bytearray(lines(EVENTS))]
    for _ in range(data.draw(st.integers(1, 4))):
        damaged = data.draw(st.sampled_from(files))
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    read(bytes(files[0]), bytes(files[1]))


@pytest.mark.parametrize("nested", ["[" * 100_000, '{"a":' * 100_000, "[" * 300 + "]" * 300])
def test_depth_costs_an_event_or_ends_in_a_line(read: Callable[[bytes, bytes], bool], nested: str) -> None:
    assert read(MANIFEST.read_bytes(), f'{{"event": "probe", "detail": {nested}}}\n'.encode() + lines(EVENTS))
    assert not read(f'{{"schema_version": 1, "host": {nested}}}'.encode(), lines(EVENTS))


@pytest.mark.parametrize("setting", [{"confidence": None}, {"max_restarts": 1.5}, {"grain_bytes": "x"}])
def test_a_setting_of_the_judge_that_is_none_ends_in_a_line(
    read: Callable[[bytes, bytes], bool], setting: dict[str, Any]
) -> None:
    manifest = {"schema_version": 1, "judge_asked": setting}
    assert not read(json.dumps(manifest).encode(), b"")
    assert read(b'{"schema_version": 1, "judge_asked": {"of_another_version": 5}}', b"")


def test_an_infinite_cell_is_a_reading_that_failed(tmp_path: Path) -> None:
    for name in COLUMNS:
        if name in {*REQUIRED_COLUMNS, *TEXT_COLUMNS}:
            continue
        rows = (f"{t},{100 * MIB},{t if t < 29 else 'inf'}" for t in range(30))
        (tmp_path / "samples.csv").write_text("\n".join([f"t_s,rss_bytes,{name}", *rows, ""]))
        run = read_run(tmp_path)
        assert not np.isinf(run.samples[name]).any()
        report_model(run, judge_run(run))
