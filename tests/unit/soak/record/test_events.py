"""Events: one class each, of any version, and never the end of the reading."""

import json
import re
from pathlib import Path

import pytest

from soak.judging import judge_run
from soak.load.messages import DriverEvent
from soak.record import RunDirectory, read_run
from soak.record.events import (
    KNOWN,
    Calibrated,
    NoMoreDetails,
    OtherEvent,
    Probe,
    RunEnded,
    ServerExited,
    TranscriptChanged,
    event_of,
    read_event,
)
from soak.words import sentence

REFERENCE = Path(__file__).parents[4] / "reports" / "reference"
READING = {"rss_bytes": 5}
PROBE = {"event": "probe", "probe": "trim", "by": "server", "before": READING, "after": READING}


def record(tmp_path: Path, *lines: str) -> Path:
    (tmp_path / "samples.csv").write_text("t_s,rss_bytes\n" + "".join(f"{t},100000\n" for t in range(90)))
    (tmp_path / "events.jsonl").write_text("\n".join(lines))
    return tmp_path


@pytest.mark.parametrize("name", ["minimal", "medium", "high", "high-hour"])
def test_what_is_read_is_what_would_be_written(name: str) -> None:
    for line in (REFERENCE / name / "events.jsonl").read_text(encoding="utf-8").splitlines():
        recorded = json.loads(line)
        event, fault = read_event(recorded)
        assert event is not None
        assert fault is None
        assert type(event) is KNOWN[recorded["event"]]
        assert {"event": event.name, "t_s": event.t_s, "utc": event.utc, **event.details()} == recorded


def test_every_event_that_the_driver_tells_of_is_a_class_with_these_fields() -> None:
    told = dict(re.findall(r"`(\w+)` \(([^)]*)\)", DriverEvent.__doc__ or ""))
    assert len(told) == 8
    for name, details in told.items():
        fields = {field.alias or key for key, field in KNOWN[name].model_fields.items()}
        assert fields >= set(re.findall(r"(\w+)(?:,|:|$)", " ".join(details.split()).split(": ")[0]))


def test_an_event_is_written_with_its_name_and_time_first(tmp_path: Path) -> None:
    with RunDirectory.create(tmp_path, "minimal") as directory:
        directory.append_event(NoMoreDetails(of="connection_failed"))
        directory.append_event(ServerExited(return_code=-9, log_tail=("a", "b")))
        lines = (directory.path / "events.jsonl").read_text().splitlines()
    first, second = map(json.loads, lines)
    assert list(first) == ["t_s", "utc", "event", "of"]
    assert (first["event"], first["of"]) == ("no_more_details", "connection_failed")
    assert second["log_tail"] == ["a", "b"]
    assert "oom_killed" not in second  # only what is known


def test_an_event_of_another_version_is_kept_as_it_is() -> None:
    event, fault = read_event({"event": "moved", "t_s": 3.0, "to": {"host": "b"}})
    assert isinstance(event, OtherEvent)
    assert (event.name, event.t_s, event.details(), fault) == ("moved", 3.0, {"to": {"host": "b"}}, None)
    newer, _ = read_event({"event": "run_ended", "reason": "finished", "battery": 0.5})
    assert isinstance(newer, RunEnded)
    assert newer.details() == {"reason": "finished", "battery": 0.5}


def test_what_a_server_tells_of_itself_is_written_also_where_it_does_not_fit() -> None:
    odd = event_of("python_objects", {"when": "start", "types": "many"})
    assert (odd.name, odd.details()) == ("python_objects", {"when": "start", "types": "many"})
    assert isinstance(event_of("calibrated", {"rate_per_s": 2.5}), Calibrated)


@pytest.mark.parametrize(
    ("recorded", "left", "fault"),
    [
        ({"event": "server_exited", "t_s": "late", "how": 3}, {}, r"server_exited: .* not "),
        ({"event": "server_exited", "how": 3, "oom_killed": True}, {"oom_killed": True}, "how"),
        ({**PROBE, "detail": {"arenas": [{"graph": "a", "shrunk_bytes": "x"}]}}, {**PROBE}, "arenas"),
        ({**PROBE, "before": {"rss_bytes": "x"}}, None, r"before\.rss_bytes"),
        ({"event": "calibrated", "rate_per_s": 0.0}, None, "rate_per_s"),
        ({"event": "phase"}, None, "phase is missing"),
        ({"t_s": 1.0}, None, "without a name"),
    ],
)
def test_a_wrong_value_costs_itself_or_its_event(
    recorded: dict[str, object], left: dict[str, object] | None, fault: str
) -> None:
    event, said = read_event(recorded)
    assert said is not None
    assert re.search(fault, said)
    if left is None:
        assert event is None
    else:
        assert event is not None
        assert event.details() == {key: value for key, value in left.items() if key != "event"}


def test_what_could_not_be_used_is_said_last(tmp_path: Path) -> None:
    path = record(
        tmp_path,
        json.dumps({**PROBE, "after": 7}),
        "no JSON",
        '{"event": "x", "a": ' + "[" * 5000 + "]" * 5000 + "}",
        "[1]",
        '{"event": "run_ended", "reason": "finished"}',
        "",
    )
    run = read_run(path)
    assert not run.torn
    assert run.events_of(Probe) == []
    assert run.last_event(RunEnded) is not None
    assert [fault.partition(":")[0] for fault in run.faults] == ["line 1", "line 2", "line 3", "line 4"]
    said = sentence(judge_run(run).verdict.reasons[-1])
    assert said.startswith("Part of events.jsonl could not be used: line 1: probe: after: ")
    assert said.endswith(", and 3 more.")


def test_a_server_that_died_is_a_failure_also_where_nothing_else_of_it_can_be_read(tmp_path: Path) -> None:
    path = record(tmp_path, '{"event": "server_exited", "t_s": [], "how": {}, "log_tail": 5}\n')
    assert sentence(judge_run(read_run(path)).verdict.reasons[0]) == "The server died: its process is gone."


def test_a_line_break_of_unicode_in_a_transcript_is_no_end_of_a_line(tmp_path: Path) -> None:
    with RunDirectory.create(tmp_path, "minimal") as directory:
        directory.append_sample({"t_s": 0.0, "rss_bytes": 1000})
        directory.append_event(TranscriptChanged(clip="a", now="one\u2028two", first="\x85"))
    (changed,) = read_run(directory.path).events_of(TranscriptChanged)
    assert (changed.now, changed.first) == ("one\u2028two", "\x85")
