"""Experiments: what is run in which order, how mitigations are compared, what is told."""

import io
import math
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from rich.console import Console

from soak.analyse.repeats import difference, mean_with_interval, ratio
from soak.errors import ExitCode, SoakError, TargetError
from soak.record import Run, RunDirectory
from soak.record.events import Calibrated
from soak.record.manifest import Manifest
from soak.studies.conduct import NotStarted
from soak.studies.experiment.mitigations import BASELINE, BUILT_IN, Mitigation, chosen, read_matrix
from soak.studies.experiment.plan import MitigationRun, Plan
from soak.studies.experiment.report import render_markdown, results_table, write_experiment_reports
from soak.studies.experiment.results import Best, best_of, in_words, read_results, rows_of, write_results
from soak.studies.experiment.study import Experiment
from soak.studies.measured import Measured, measure

MIB = 2**20
REPEATS = 3


def trial(
    name: str, repeat: int, level_mib: float, cpu: float = 0.2, latency_ms: float = 300.0
) -> MitigationRun:
    level = (level_mib + repeat) * MIB  # the machine is different from repeat to repeat
    measured = Measured(
        level, level - 500 * MIB, level, cpu, 200.0, latency_ms, latency_ms * 1.5, 3.0, 0.0, 100.0
    )
    return MitigationRun(name, repeat, f"run-{name}-{repeat}", "inconclusive", 3, measured)


@pytest.fixture
def plan() -> Plan:
    mitigations = tuple(chosen(["arenas-2", "jemalloc", "trim"], None))
    return Plan("medium", (), {"load": {"connections": 100}, "server": {}}, mitigations, REPEATS, seed=3)


@pytest.fixture
def trials() -> list[MitigationRun]:
    made = []
    for repeat in range(1, REPEATS + 1):
        made += [
            trial(BASELINE, repeat, 700),
            trial("arenas-2", repeat, 640, cpu=0.201),
            trial("jemalloc", repeat, 600, cpu=0.3),
            trial("trim", repeat, 699.9 + repeat % 2),
        ]
    return made


def test_every_repeat_has_every_mitigation_and_the_baseline_begins(plan: Plan) -> None:
    order = plan.order()
    assert order[0] == (1, plan.mitigations[0])
    assert plan.mitigations[0].name == BASELINE
    for repeat in (1, 2, 3):
        assert Counter(each.name for number, each in order if number == repeat) == Counter(
            each.name for each in plan.mitigations
        )
    assert order == plan.order()
    assert [each.name for _, each in order[4:8]] != [each.name for _, each in order[8:]]


def test_a_mitigation_is_its_settings_at_the_rate_of_the_first_run(plan: Plan) -> None:
    config = plan.config_for(2, plan.mitigations[1], rate_per_s=3.5)
    assert config.name == "arenas-2-2"
    assert config.server.environment == {"MALLOC_ARENA_MAX": "2"}
    assert config.load.rate_per_s == 3.5


def test_every_built_in_mitigation_is_a_configuration(plan: Plan) -> None:
    for each in BUILT_IN:
        assert plan.config_for(1, each, None).name == f"{each.name}-1"


def test_mitigations_of_ones_own_come_from_a_file(tmp_path: Path, plan: Plan) -> None:
    matrix = tmp_path / "matrix.toml"
    matrix.write_text('[big-stack]\nwords = "stacks"\nenvironment = {X = "1"}\nload = {max_open = 9}\n')
    own = chosen([], matrix)
    assert [each.name for each in own] == [BASELINE, "big-stack"]
    assert plan.config_for(1, own[1], None).load.max_open == 9
    matrix.write_text('wrong = "1"\n')
    with pytest.raises(SoakError, match="stands outside a table"):
        read_matrix(matrix)
    wrong = Mitigation("odd", "", {"no_such": 1}, {})
    with pytest.raises(SoakError, match=r"mitigation odd: .*no_such is not a setting"):
        plan.config_for(1, wrong, None)


def test_an_unknown_mitigation_is_refused_with_the_known_ones() -> None:
    with pytest.raises(SoakError, match="arenas-2"):
        chosen(["arena-2"], None)


def test_what_is_not_installed_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    jemalloc = next(each for each in BUILT_IN if each.name == "jemalloc")
    monkeypatch.setattr("ctypes.util.find_library", lambda _name: None)
    assert "libjemalloc2" in str(jemalloc.missing())


def test_intervals_are_students_and_pairs_are_of_one_repeat() -> None:
    found = mean_with_interval([1.0, 2.0, 3.0])
    assert found.estimate == 2.0
    assert found.high - 2.0 == pytest.approx(4.30265 * 1.0 / math.sqrt(3), rel=1e-4)
    assert math.isnan(mean_with_interval([5.0]).low)
    paired = difference({1: 11.0, 2: 21.0, 3: 31.0}, {1: 10.0, 2: 20.0, 3: 30.0, 4: 0.0})
    assert (paired.estimate, paired.low, paired.high) == (1.0, 1.0, 1.0)
    assert ratio({1: 2.0, 2: 4.0}, {1: 1.0, 2: 2.0}).estimate == pytest.approx(2.0)


def test_the_best_is_chosen_among_what_is_shown(plan: Plan, trials: list[MitigationRun]) -> None:
    rows = rows_of(plan, trials)
    by_name = {row.name: row for row in rows}
    assert by_name["jemalloc"].lowers_memory
    assert by_name["trim"].lowers_memory is None
    assert by_name["jemalloc"].is_faster is False
    assert best_of(rows) == Best(memory="jemalloc", speed=BASELINE, both="arenas-2")
    assert in_words(rows, best_of(rows)).startswith("Best for memory: jemalloc (-100 MiB, 1.50 × the CPU).")


def test_one_run_of_each_shows_nothing(plan: Plan, trials: list[MitigationRun]) -> None:
    rows = rows_of(plan, trials[:4])
    assert best_of(rows) == Best(BASELINE, BASELINE, BASELINE)
    assert "repeat them" in in_words(rows, best_of(rows))


def test_a_failed_run_is_a_row_that_says_so(plan: Plan, trials: list[MitigationRun]) -> None:
    failed = MitigationRun("trim", 1, "run", "inconclusive", 4, None)
    kept = [each for each in trials if (each.mitigation, each.repeat) != ("trim", 1)]
    rows = rows_of(plan, [*kept, failed])
    assert "| trim | 3 (1 failed) |" in render_markdown(plan, rows, {})


def test_results_are_read_back_as_they_were(plan: Plan, trials: list[MitigationRun], tmp_path: Path) -> None:
    write_results(tmp_path, plan, trials, {"mimalloc": "not installed"}, complete=True)
    again, read, skipped = read_results(tmp_path)
    assert again.order() == plan.order()
    assert read == trials
    assert skipped == {"mimalloc": "not installed"}
    with pytest.raises(SoakError, match="give the directory of an experiment"):
        read_results(tmp_path / "nowhere")


def test_the_table_fits_80_columns_and_the_files_are_written(
    plan: Plan, trials: list[MitigationRun], tmp_path: Path
) -> None:
    rows = rows_of(plan, trials)
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(results_table(rows))
    text = console.export_text()
    assert "…" not in text
    assert "-100 MiB ↓" in text
    page = write_experiment_reports(tmp_path, plan, rows, {})
    assert "Which mitigation helps?" in page.read_text()
    assert (tmp_path / "experiment.png").stat().st_size > 5000


def test_a_run_is_measured_where_it_ended_and_under_load() -> None:
    rows = []
    for block in range(1, 5):
        for second in range(10):
            t_s = block * 10 + second
            rows.append(
                {
                    "t_s": t_s, "block": block, "phase": "load" if second < 7 else "rest",
                    "rss_bytes": (100 + 10 * block + (second < 7)) * MIB,
                    "cpu_s": 0.5 * t_s, "audio_s": 2.0 * t_s,
                    "connections_completed": block * 7 + min(second, 7), "connections_failed": 0,
                    "first_partial_p50_ms": 100.0, "final_p50_ms": 300.0, "final_p95_ms": 400.0,
                }
            )  # fmt: skip
    found = measure(Run(Path("made"), Manifest(), pd.DataFrame(rows), [], torn=False))
    assert found.level_bytes == 135 * MIB  # between the last two windows
    assert found.growth_bytes == 24 * MIB
    assert found.cpu_s_per_audio_s == pytest.approx(0.25)
    assert found.final_p50_ms == 300.0
    assert found.connections_per_s == pytest.approx(1.0)


def test_an_experiment_goes_on_with_what_is_missing(plan: Plan, tmp_path: Path) -> None:
    study = Experiment.begin(plan, {}, tmp_path)
    order = plan.order()
    first = study.next_run([])
    assert first is not None
    assert (first.name, first.to_follow) == ("baseline-1", len(order) - 1)
    done: list[MitigationRun] = []
    for repeat, each in order[:5]:
        with RunDirectory.create(study.folder, f"{each.name}-{repeat}") as directory:
            if not done:
                directory.append_event(Calibrated(rate_per_s=2.5))
        done.append(replace(trial(each.name, repeat, 700), run=directory.path.name))
    del done[2]  # a run that somebody wants to be made again
    study.keep(done, complete=False)
    again, read = Experiment.read(study.folder)
    missing = again.next_run(read)
    assert missing is not None
    assert missing.name == f"{order[2][1].name}-1"
    assert missing.config.load.rate_per_s == 2.5
    assert missing.to_follow == len(order) - 5
    everything = [trial(each.name, repeat, 700) for repeat, each in order]
    assert study.next_run(everything) is None
    assert study.exit_code(everything) is ExitCode.PLATEAU
    assert study.exit_code([replace(each, measured=None) for each in everything]) is ExitCode.TARGET_FAILED


def test_a_mitigation_under_which_the_server_does_not_come_up_is_one_that_failed(
    plan: Plan, tmp_path: Path
) -> None:
    study = Experiment.begin(plan, {}, tmp_path)
    failure = NotStarted(TargetError("the server did not listen"), None)
    first = study.next_run([])
    assert first is not None
    with pytest.raises(TargetError):
        study.outcome_of([], first, failure)
    done = [replace(trial(BASELINE, 1, 700), run=None)]
    second = study.next_run(done)
    assert second is not None
    failed = study.outcome_of(done, second, failure)
    assert (failed.run, failed.measured, failed.exit_code) == (None, None, ExitCode.TARGET_FAILED)
    study.keep([*done, failed], complete=False)
    assert Experiment.read(study.folder)[1][1] == failed
    third = study.next_run([*done, failed])
    assert third is not None
    assert third.name not in {first.name, second.name}
