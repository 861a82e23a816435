"""What three runs say of a limit: whether it holds, and what less would do."""

import io
import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from soak.errors import ExitCode, SoakError, TargetError
from soak.record import Run, RunDirectory, read_run
from soak.record.events import Calibrated
from soak.record.manifest import Manifest
from soak.studies.conduct import Charge, NotStarted, OwnMemory
from soak.studies.limit.limited_run import Fate, LimitedRun, judged_against, latency_ratio, needed_bytes
from soak.studies.limit.result import (
    limit_exit_code,
    limit_in_words,
    limit_table,
    write_limit_json,
    write_limit_markdown,
)
from soak.studies.limit.study import LimitPlan, LimitStudy

MIB = 2**20
NONE = (math.nan, math.nan, math.nan)


def runs(advised: Fate, too_little: Fate) -> list[LimitedRun]:
    return [
        LimitedRun("unlimited", None, Fate.FINE, 600 * MIB, 0, 350.0, (1.0, 1.0, 1.0), 54, "a"),
        LimitedRun("advised", 720 * MIB, advised, 600 * MIB, 0, 352.0, (1.006, 0.97, 1.05), 54, "b"),
        LimitedRun("too-little", 480 * MIB, too_little, 480 * MIB, 912, math.nan, NONE, 0, None),
    ]


@pytest.mark.parametrize(
    ("advised", "code"),
    [
        (Fate.FINE, ExitCode.PLATEAU),
        (Fate.KILLED, ExitCode.CLIMBING),
        (Fate.SLOWER, ExitCode.CLIMBING),
        (Fate.FAILED, ExitCode.CLIMBING),
        (Fate.NOT_TOLD, ExitCode.INCONCLUSIVE),
    ],
)
def test_the_exit_code_is_that_of_the_advised_limit(advised: Fate, code: ExitCode) -> None:
    assert limit_exit_code(runs(advised, Fate.KILLED)) is code


@pytest.mark.parametrize(("rss_mib", "needed_mib"), [(500, 500), (700, 600)])
def test_too_little_is_less_than_what_cannot_be_taken_back(rss_mib: int, needed_mib: int) -> None:
    samples = pd.DataFrame({"rss_bytes": [100.0 * MIB, rss_mib * MIB]})
    unlimited = runs(Fate.FINE, Fate.KILLED)[0]
    assert needed_bytes(unlimited, Run(Path("run"), Manifest(), samples, [], torn=False)) == needed_mib * MIB


def test_a_machine_that_became_slower_is_not_taken_for_a_limit_that_slows_down(tmp_path: Path) -> None:
    paths = {}
    for name, latency_ms in (("advised", 350.0), ("again", 345.0), ("unlimited", 250.0)):
        with RunDirectory.create(tmp_path, name) as directory:
            for second in range(40):
                noise_ms = 5.0 * (second % 3)
                row = {
                    "t_s": float(second),
                    "rss_bytes": MIB,
                    "block": 1,
                    "final_p50_ms": latency_ms + noise_ms,
                }
                directory.append_sample(row)
            paths[name] = directory.path
    seems = replace(runs(Fate.SLOWER, Fate.KILLED)[1], run=paths["advised"].name)
    fates = {
        name: judged_against(seems, read_run(paths[name]), tmp_path).fate for name in ("again", "unlimited")
    }
    assert fates == {"again": Fate.FINE, "unlimited": Fate.SLOWER}


def test_it_is_said_in_words() -> None:
    assert limit_in_words(runs(Fate.FINE, Fate.KILLED)) == (
        "The limit of 720 MiB holds: nothing was killed and nothing slowed down. With 480 MiB, 20 % below "
        "the measured peak, the server is killed for want of memory."
    )
    assert "can do without" in limit_in_words(runs(Fate.FINE, Fate.FINE))


def test_the_table_fits_80_columns() -> None:
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(limit_table(runs(Fate.FINE, Fate.KILLED)))
    text = console.export_text()
    assert "OOM-killed" in text
    assert "(0.97 to 1.05)" in text


def test_the_files_hold_the_same(tmp_path: Path) -> None:
    three = runs(Fate.FINE, Fate.KILLED)
    write_limit_json(tmp_path, {}, three, complete=True)
    page = write_limit_markdown(tmp_path, three)
    content = json.loads((tmp_path / "limit.json").read_text())
    assert content["holds"] is True
    assert content["runs"][2]["latency_ratio"] == [None, None, None]
    assert "| 480 MiB | OOM-killed |" in page.read_text()


def test_latency_is_compared_with_an_interval() -> None:
    noise = np.random.default_rng(1)
    estimate, low, high = latency_ratio(noise.normal(150, 5, 60), noise.normal(100, 5, 60))
    assert low < 1.5 < high
    assert estimate == pytest.approx(1.5, rel=0.02)
    assert all(map(math.isnan, latency_ratio(np.array([1.0]), np.array([1.0]))))


def recorded(folder: Path, name: str, latency_ms: float = 250.0) -> str:
    """Record a run that took 500 MiB and found a rate of 4 connections/s; return its directory's name."""
    with RunDirectory.create(folder, name) as directory:
        directory.append_event(Calibrated(rate_per_s=4.0))
        for second in range(40):
            directory.append_sample(
                {
                    "t_s": float(second),
                    "rss_bytes": 500 * MIB,
                    "block": 1,
                    "final_p50_ms": latency_ms + 5.0 * (second % 3),
                    "connections_completed": second,
                }
            )
    return directory.path.name


def made(folder: Path, name: str, fate: Fate, latency_ms: float = 250.0) -> LimitedRun:
    template = next((run for run in runs(fate, fate) if run.name == name), runs(fate, fate)[0])
    return replace(template, name=name, fate=fate, run=recorded(folder, name, latency_ms))


@pytest.fixture
def study(tmp_path: Path) -> LimitStudy:
    return LimitStudy.begin(LimitPlan("minimal", (), {"load": {"connections": 24}}, None), tmp_path)


def test_the_runs_follow_from_the_first(study: LimitStudy) -> None:
    first = study.next_run([])
    assert first is not None
    assert (first.name, first.memory, first.to_follow) == ("unlimited", OwnMemory(None), 2)
    unlimited = made(study.folder, "unlimited", Fate.FINE)
    second = study.next_run([unlimited])
    assert second is not None
    assert second.config.load.rate_per_s == 4.0
    assert second.memory is not None
    assert second.memory.limit_bytes is not None
    assert second.memory.limit_bytes == pytest.approx(600 * MIB, rel=0.05)  # 20 % above the peak
    third = study.next_run([unlimited, made(study.folder, "advised", Fate.FINE)])
    assert third is not None
    assert (third.name, third.memory, third.to_follow) == ("too-little", OwnMemory(400 * MIB), 0)
    assert study.next_run([unlimited, *runs(Fate.FINE, Fate.KILLED)[1:]]) is None


def test_a_limit_that_seems_to_slow_down_gets_one_more_run_without(study: LimitStudy) -> None:
    done = [made(study.folder, "unlimited", Fate.FINE), made(study.folder, "advised", Fate.SLOWER, 350.0)]
    again = study.next_run(done)
    assert again is not None
    assert (again.name, again.memory) == ("again", OwnMemory(None))
    done.append(made(study.folder, "again", Fate.SLOWER, 345.0))
    last = study.next_run(done)
    assert last is not None
    assert last.name == "too-little"
    assert [run.fate for run in study.compared(done)] == [Fate.FINE, Fate.FINE, Fate.SLOWER]


def test_what_was_made_is_read_back_and_gone_on_with(study: LimitStudy) -> None:
    done = [made(study.folder, "unlimited", Fate.FINE), runs(Fate.FAILED, Fate.KILLED)[1]]
    study.keep(done, complete=False)
    content = json.loads((study.folder / "limit.json").read_text())
    assert (content["complete"], content["holds"]) == (False, None)
    again, read = LimitStudy.read(study.folder)
    assert (again.plan, read) == (study.plan, done)
    following = again.next_run(read)
    assert following is not None
    assert following.name == "too-little"
    with pytest.raises(SoakError, match="give the directory of a verify-limit"):
        LimitStudy.read(study.folder / "nowhere")


def test_a_server_that_does_not_come_up_with_too_little_was_killed(study: LimitStudy) -> None:
    done = [made(study.folder, "unlimited", Fate.FINE), made(study.folder, "advised", Fate.FINE)]
    planned = study.next_run(done)
    assert planned is not None
    error = TargetError("the server did not listen")
    outcome = study.outcome_of(done, planned, NotStarted(error, Charge(400 * MIB, 7, oom_kills=1)))
    assert (outcome.fate, outcome.peak_bytes, outcome.limit_hits) == (Fate.KILLED, 400 * MIB, 7)
    without = study.outcome_of(done, planned, NotStarted(error, Charge(400 * MIB, 7, oom_kills=0)))
    assert without.fate is Fate.FAILED
    first = study.next_run([])
    assert first is not None
    with pytest.raises(TargetError):
        study.outcome_of([], first, NotStarted(error, None))
