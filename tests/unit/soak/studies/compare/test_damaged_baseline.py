"""A baseline that says nothing passes nothing: it is refused in a line, or the check is undecided."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from soak.errors import ExitCode, SoakError
from soak.judging import judge_run
from soak.record import read_run
from soak.report.model import report_model
from soak.studies.check.against_baseline import Baseline
from soak.studies.check.limits import Limits
from soak.studies.check.result import Criteria, check_result
from soak.studies.compare.baseline import read_baseline, write_baseline
from soak.studies.compare.reading import read_side

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.soak.studies.conftest import Record

MEMORY = ("start_bytes", "level_bytes", "growth_bytes", "peak_bytes", "bytes_per_connection")


@pytest.fixture
def run(record: Record) -> Path:
    return record()


@pytest.fixture
def baseline(run: Path, tmp_path: Path) -> Path:
    path = tmp_path / "baseline.json"
    write_baseline(read_side(run), path)
    return path


def _with(path: Path, **figures: Any) -> Path:
    content = json.loads(path.read_text())
    content["runs"][0] |= figures
    path.write_text(json.dumps(content))
    return path


def _exit_code(run: Path, baseline: Path) -> ExitCode:
    read = read_run(run)
    judgement = judge_run(read)
    criteria = Criteria(Limits(), Baseline(side=read_baseline(baseline), name=baseline.name))
    return check_result(read, judgement, report_model(read, judgement), criteria).exit_code


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), 1e308, 2**63, 10**400, "much", True, [], {}, "NaN"]
)
def test_a_figure_that_is_none_is_named_and_refused(baseline: Path, value: object) -> None:
    with pytest.raises(
        SoakError, match=r"is no baseline: .*level_bytes|is no baseline: .*write one"
    ) as refused:
        read_baseline(_with(baseline, level_bytes=value))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "text",
    ["", "null", "[]", "{", '{"kind": "soak-baseline"}', "[" * 100_000, '{"kind": ' * 100_000, "\0" * 4096],
)
def test_what_is_no_baseline_is_refused_in_a_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "baseline.json"
    path.write_text(text)
    with pytest.raises(SoakError) as refused:
        read_baseline(path)
    assert "\n" not in str(refused.value)


def test_a_good_baseline_passes(run: Path, baseline: Path) -> None:
    assert _exit_code(run, baseline) is ExitCode.PLATEAU


@pytest.mark.parametrize("name", MEMORY)
def test_a_figure_of_memory_that_only_the_run_knows_is_undecided(
    run: Path, baseline: Path, name: str
) -> None:
    assert _exit_code(run, _with(baseline, **{name: None})) is ExitCode.INCONCLUSIVE


def test_a_baseline_without_figures_is_undecided(run: Path, baseline: Path) -> None:
    assert _exit_code(run, _with(baseline, **dict.fromkeys(MEMORY))) is ExitCode.INCONCLUSIVE


def test_speed_that_is_not_known_passes_as_it_is_not_judged(run: Path, baseline: Path) -> None:
    assert _exit_code(run, _with(baseline, final_p99_ms=None, final_p50_ms=None)) is ExitCode.PLATEAU
