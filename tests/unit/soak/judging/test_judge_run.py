"""How the way a run ended bears on its verdict and exit code."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from soak.errors import ExitCode
from soak.judging import judge_run, recorded_settings, series_of, worst
from soak.record import Run, RunDirectory, read_run
from soak.record.events import event_of
from soak.record.manifest import Configuration, Manifest
from soak.verdict.quantities import Quantity
from soak.verdict.verdict import Label
from soak.words import sentence

MIB = 1024 * 1024


def _run(
    folder: Path,
    *,
    kept_per_block: int,
    ending: list[tuple[str, dict[str, Any]]],
    counts: Callable[[int, bool], dict[str, int | None]] = lambda _completed, _busy: {},
) -> Path:
    """Record twenty blocks of 25 connections with a rest after each; memory warms up, then grows or not.

    `counts` gives the other resources from the connections completed and whether one is open.
    """
    noise = np.random.default_rng(3)
    with RunDirectory.create(folder, "minimal") as directory:
        directory.write_manifest(Manifest(name="minimal", configuration=Configuration(judge={})))
        for second in range(400):
            block, within = divmod(second, 20)
            settled = 100 * MIB + 8 * MIB * (1 - np.exp(-block / 1.5)) + block * kept_per_block
            completed = 25 * block + min(25, 2 * within)
            directory.append_sample(
                {
                    "t_s": float(second),
                    "rss_bytes": int(settled + 4096 * noise.integers(0, 8)),
                    "connections_completed": completed,
                    "audio_s": 2.4 * completed,
                    "open_connections": int(within < 12),
                    "phase": "load" if within < 12 else "settle" if within < 16 else "rest",
                    "block": block,
                    **counts(completed, within < 12),
                }
            )
        for event, details in ending:
            directory.append_event(event_of(event, details))
        return directory.path


FINISHED: list[tuple[str, dict[str, Any]]] = [("run_ended", {"reason": "finished"})]
HEARD: list[tuple[str, dict[str, Any]]] = [
    (
        "first_transcript",
        {
            "clip": "five",
            "connection": 1,
            "reference": "five",
            "transcript": "fife",
            "character_errors": 1,
            "reference_characters": 4,
        },
    ),
    (
        "transcript_changed",
        {"clip": "five", "connection": 9, "now": "nine", "first": "fife", "first_connection": 1},
    ),
    (
        "transcripts",
        {
            "clips": [
                {
                    "clip": "five",
                    "connections": 500,
                    "transcripts_changed": 1,
                    "character_errors": 501,
                    "reference_characters": 2000,
                }
            ]
        },
    ),
]


def test_a_flat_run_is_a_plateau_and_a_leak_is_climbing(tmp_path: Path) -> None:
    flat = judge_run(read_run(_run(tmp_path, kept_per_block=0, ending=FINISHED)))
    assert (flat.verdict.label, flat.exit_code) == (Label.PLATEAU, ExitCode.PLATEAU)
    leak = judge_run(read_run(_run(tmp_path, kept_per_block=25 * 65536, ending=FINISHED)))
    assert (leak.verdict.label, leak.exit_code) == (Label.CLIMBING, ExitCode.CLIMBING)
    each = leak.verdict.memory.growth_per_connection
    assert each is not None
    assert each.estimate == pytest.approx(65536, rel=0.1)


def test_a_server_that_died_never_showed_a_plateau(tmp_path: Path) -> None:
    died = ("server_exited", {"return_code": -9, "oom_killed": True, "how": "killed (OOM)", "log_tail": []})
    judgement = judge_run(read_run(_run(tmp_path, kept_per_block=0, ending=[died, *FINISHED])))
    assert judgement.exit_code is ExitCode.TARGET_FAILED
    assert judgement.verdict.label is Label.INCONCLUSIVE
    assert "died" in sentence(judgement.verdict.reasons[0])
    assert "killed (OOM)" in sentence(judgement.verdict.reasons[0])


def test_a_recording_without_an_end_is_judged_and_says_so(tmp_path: Path) -> None:
    judgement = judge_run(read_run(_run(tmp_path, kept_per_block=0, ending=[])))
    assert judgement.verdict.label is Label.PLATEAU
    assert "no end" in sentence(judgement.verdict.reasons[-1])


def test_a_server_that_never_answered_is_a_failure_of_the_target(tmp_path: Path) -> None:
    ending = [("not_ready", {"detail": "connection refused"}), ("run_ended", {"reason": "not_ready"})]
    judgement = judge_run(read_run(_run(tmp_path, kept_per_block=0, ending=ending)))
    assert judgement.exit_code is ExitCode.TARGET_FAILED
    assert judgement.verdict.label is Label.INCONCLUSIVE
    assert judgement.to_json_object()["plateau_bytes"] is None
    assert "connection refused" in sentence(judgement.verdict.reasons[0])


def test_the_runs_own_settings_hold(tmp_path: Path) -> None:
    path = _run(tmp_path, kept_per_block=25 * 65536, ending=FINISHED)
    manifest = json.loads((path / "manifest.json").read_text())
    manifest["configuration"]["judge"] = {"max_growth_bytes_per_hour": 10e9}
    (path / "manifest.json").write_text(json.dumps(manifest))
    assert judge_run(read_run(path)).verdict.label is Label.PLATEAU


def _with_manifest(path: Path, **more: Any) -> Run:
    manifest = json.loads((path / "manifest.json").read_text())
    (path / "manifest.json").write_text(json.dumps(manifest | more))
    return read_run(path)


def test_the_confidence_the_run_asked_for_holds(tmp_path: Path) -> None:
    path = _run(tmp_path, kept_per_block=0, ending=FINISHED)
    verdict = judge_run(_with_manifest(path, judge_asked={"confidence": 0.999999})).verdict
    assert verdict.label is Label.INCONCLUSIVE
    assert verdict.memory.confidence == 0.999999


def test_what_is_asked_for_now_comes_last(tmp_path: Path) -> None:
    path = _run(tmp_path, kept_per_block=25 * 65536, ending=FINISHED)
    run = _with_manifest(path, judge_asked={"confidence": 0.999999})
    asked = recorded_settings(run, {"confidence": 0.8, "max_growth_bytes_per_hour": 10e9})
    assert judge_run(run, asked).verdict.label is Label.PLATEAU
    assert judge_run(run, recorded_settings(run, {"confidence": 0.8})).verdict.label is Label.CLIMBING


@pytest.mark.parametrize("setting", [{"min_connections": 100_000.0}, {"plateau_confidence": 0.999999}])
def test_what_only_an_older_judge_knew_does_not(tmp_path: Path, setting: dict[str, float]) -> None:
    path = _run(tmp_path, kept_per_block=0, ending=FINISHED)
    assert judge_run(_with_manifest(path, configuration={"judge": setting})).verdict.label is Label.PLATEAU
    assert judge_run(_with_manifest(path, judge_asked=setting)).verdict.label is Label.PLATEAU


def _kept_descriptors(completed: int, busy: bool) -> dict[str, int | None]:
    return {"fds": 12 + completed + busy, "threads": 5, "sockets": 4 + busy, "server_sessions_alive": busy}


def test_a_server_that_keeps_descriptors_climbs_though_its_memory_is_flat(tmp_path: Path) -> None:
    path = _run(tmp_path, kept_per_block=0, ending=FINISHED, counts=_kept_descriptors)
    judgement = judge_run(read_run(path))
    verdict = judgement.verdict
    assert (verdict.label, judgement.exit_code) == (Label.CLIMBING, ExitCode.CLIMBING)
    assert sentence(verdict.reasons[0]).startswith("File descriptors climb: ")
    each = verdict.resources[Quantity.DESCRIPTORS].growth_per_connection
    assert each is not None
    assert each.estimate == pytest.approx(1.0, rel=0.03)
    assert {column: str(one.label) for column, one in verdict.resources.items()} == {
        "fds": "climbing",
        "threads": "plateau",
        "sockets": "plateau",
        "server_sessions_alive": "plateau",
    }


def test_the_death_of_the_server_comes_before_what_it_kept(tmp_path: Path) -> None:
    died = ("server_exited", {"return_code": -11, "how": "signal 11", "log_tail": []})
    path = _run(tmp_path, kept_per_block=0, ending=[died, *FINISHED], counts=_kept_descriptors)
    judgement = judge_run(read_run(path))
    assert judgement.exit_code is ExitCode.TARGET_FAILED
    assert "died" in sentence(judgement.verdict.reasons[0])
    assert sentence(judgement.verdict.reasons[1]).startswith("File descriptors climb")


def test_columns_that_were_never_filled_have_no_verdict(tmp_path: Path) -> None:
    path = _run(tmp_path, kept_per_block=0, ending=FINISHED, counts=lambda *_: {"fds": None, "threads": 5})
    judgement = judge_run(read_run(path))
    assert list(judgement.verdict.resources) == ["threads"]
    assert judgement.exit_code is ExitCode.PLATEAU


def test_a_bare_csv_is_judged_by_its_memory_alone(tmp_path: Path) -> None:
    path = tmp_path / "memory.csv"
    path.write_text("t_s,rss_bytes\n" + "".join(f"{second},104857600\n" for second in range(300)))
    judgement = judge_run(read_run(path))
    assert judgement.verdict.resources == {}
    assert judgement.exit_code is ExitCode.PLATEAU


def test_the_judge_sees_the_audio_that_was_streamed(tmp_path: Path) -> None:
    run = read_run(_run(tmp_path, kept_per_block=0, ending=FINISHED))
    audio_s = series_of(run.samples).audio_s
    assert audio_s is not None
    assert audio_s[-1] == pytest.approx(2.4 * 500)


@pytest.mark.parametrize(
    ("codes", "speaks"),
    [
        ([ExitCode.PLATEAU, ExitCode.INCONCLUSIVE], ExitCode.INCONCLUSIVE),
        ([ExitCode.INCONCLUSIVE, ExitCode.CLIMBING, ExitCode.PLATEAU], ExitCode.CLIMBING),
        ([ExitCode.CLIMBING, ExitCode.TARGET_FAILED], ExitCode.TARGET_FAILED),
        ([ExitCode.PLATEAU, ExitCode.INTERRUPTED], ExitCode.INTERRUPTED),
        ([ExitCode.PLATEAU], ExitCode.PLATEAU),
    ],
)
def test_the_worst_of_several_runs_speaks_for_all(codes: list[ExitCode], speaks: ExitCode) -> None:
    assert worst(codes) is speaks


def _transcripts_counted(completed: int, _busy: bool) -> dict[str, int | None]:
    return {
        "transcripts_changed": int(completed > 8),
        "transcripts_checked": completed,
        "character_errors": completed + int(completed > 8),
        "reference_characters": 4 * completed,
    }


def test_transcripts_stand_beside_the_verdict_and_do_not_change_it(tmp_path: Path) -> None:
    path = _run(tmp_path, kept_per_block=0, ending=[*HEARD, *FINISHED], counts=_transcripts_counted)
    judgement = judge_run(read_run(path))
    assert judgement.exit_code is ExitCode.PLATEAU
    told = json.loads(json.dumps(judgement.to_json_object(source="here")))
    assert list(told)[:3] == ["schema_version", "source", "verdict"]
    transcripts = told["transcripts"]
    warning = transcripts.pop("warning")
    assert warning.startswith(
        "1 of 500 transcripts changed: connection 9 got “nine” for five where connection 1"
    )
    assert transcripts == {
        "connections": 500,
        "checked": 500,
        "changed": 1,
        "character_errors": 501,
        "reference_characters": 2000,
        "character_error_rate": 0.2505,
        "clips": [
            {
                "clip": "five",
                "reference": "five",
                "transcript": "fife",
                "connections": 500,
                "changed": 1,
                "character_errors": 501,
                "reference_characters": 2000,
                "character_error_rate": 0.2505,
            }
        ],
    }


def test_a_recording_without_counts_of_transcripts_has_none(tmp_path: Path) -> None:
    judgement = judge_run(read_run(_run(tmp_path, kept_per_block=0, ending=FINISHED)))
    assert judgement.transcripts is None
    assert judgement.to_json_object()["transcripts"] is None
