"""Making several runs: order, progress, interruption, resuming, failures. No run is made."""

from __future__ import annotations

import io
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, cast

import pytest
from rich.console import Console

from soak.config import load_config
from soak.errors import ExitCode, TargetError
from soak.studies.conduct import (
    Interrupted,
    MadeRun,
    NotStarted,
    PlannedRun,
    Study,
    conduct,
    started,
    tell_how_to_go_on,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from soak.run.session import SoakResult


@dataclass
class Letters(Study[str]):
    """A study whose outcomes are the names of its runs."""

    names: str = "abc"
    keeps_failures: bool = False
    kept: list[tuple[str, bool]] = field(default_factory=list)

    def next_run(self, done: Sequence[str]) -> PlannedRun | None:
        if len(done) == len(self.names):
            return None
        config = replace(load_config("minimal"), name=self.names[len(done)])
        return PlannedRun(config, f"after {len(done)}", to_follow=len(self.names) - len(done) - 1)

    def outcome_of(self, done: Sequence[str], planned: PlannedRun, made: MadeRun | NotStarted) -> str:
        assert self.names[len(done)] == planned.name
        if self.keeps_failures and isinstance(made, NotStarted):
            return f"{planned.name}!"
        started(made)
        return planned.name

    def keep(self, done: Sequence[str], *, complete: bool) -> None:
        self.kept.append(("".join(done), complete))


@dataclass
class Machine:
    """Makes runs that take so many seconds of its clock, and end as they are told to."""

    seconds: float = 60.0
    ends: dict[str, ExitCode | BaseException] = field(default_factory=dict)
    now_s: float = 1000.0
    made: list[str] = field(default_factory=list)
    console: Console = field(default_factory=lambda: Console(file=io.StringIO(), width=80))

    def clock(self) -> float:
        return self.now_s

    def make(self, planned: PlannedRun, out: Path, console: Console) -> MadeRun | NotStarted:
        del out, console
        self.now_s += self.seconds
        self.made.append(planned.name)
        end = self.ends.get(planned.name, ExitCode.PLATEAU)
        if isinstance(end, TargetError):
            return NotStarted(end, None)
        if isinstance(end, BaseException):
            raise end
        return MadeRun(cast("SoakResult", Result(end)), None)

    def conduct(self, study: Letters, done: Sequence[str], out: Path) -> list[str]:
        return list(conduct(study, done, out, self.console, make=self.make, clock=self.clock))

    def said(self) -> list[str]:
        return cast("io.StringIO", self.console.file).getvalue().splitlines()


@dataclass(frozen=True)
class Result:
    exit_code: ExitCode
    run: Any = None
    judgement: Any = None


def test_runs_are_made_in_order_with_what_is_left_from_the_second_on(tmp_path: Path) -> None:
    machine = Machine(seconds=90.0)
    assert machine.conduct(Letters(), (), tmp_path) == ["a", "b", "c"]
    assert machine.said() == [
        "[1/3] a: after 0",
        "[2/3] b: after 1 (about 3 min left)",
        "[3/3] c: after 2 (about 1 min 30 s left)",
    ]


def test_a_study_of_one_run_needs_no_number(tmp_path: Path) -> None:
    machine = Machine()
    assert machine.conduct(Letters("a"), (), tmp_path) == ["a"]
    assert not machine.said()


def test_each_outcome_is_kept_before_the_next_run_begins(tmp_path: Path) -> None:
    study, machine = Letters(), Machine(ends={"c": RuntimeError("killed")})
    with pytest.raises(RuntimeError, match="killed"):
        machine.conduct(study, (), tmp_path)
    assert study.kept == [("", False), ("a", False), ("ab", False)]


def test_a_study_that_ends_is_kept_as_complete(tmp_path: Path) -> None:
    study = Letters()
    Machine().conduct(study, (), tmp_path)
    assert study.kept[-1] == ("abc", True)


def test_going_on_makes_only_what_is_missing_and_numbers_on(tmp_path: Path) -> None:
    machine = Machine()
    assert machine.conduct(Letters("abcd"), ("a", "b"), tmp_path) == ["c", "d"]
    assert machine.made == ["c", "d"]
    assert machine.said() == ["[3/4] c: after 2", "[4/4] d: after 3 (about 1 min left)"]


def test_nothing_is_made_when_nothing_is_missing(tmp_path: Path) -> None:
    study, machine = Letters(), Machine()
    assert machine.conduct(study, ("a", "b", "c"), tmp_path) == []
    assert not machine.made
    assert study.kept[-1] == ("abc", True)


def test_an_interrupted_run_is_no_outcome_and_is_handed_over(tmp_path: Path) -> None:
    study, machine = Letters(), Machine(ends={"b": ExitCode.INTERRUPTED})
    with pytest.raises(Interrupted) as stop:
        machine.conduct(study, (), tmp_path)
    assert stop.value.made is not None
    assert stop.value.made.exit_code is ExitCode.INTERRUPTED
    assert study.kept[-1] == ("a", False)


def test_an_interruption_before_the_run_has_begun_is_the_same(tmp_path: Path) -> None:
    study, machine = Letters(), Machine(ends={"b": KeyboardInterrupt()})
    with pytest.raises(Interrupted) as stop:
        machine.conduct(study, (), tmp_path)
    assert stop.value.made is None
    assert study.kept[-1] == ("a", False)


def test_a_server_that_does_not_come_up_ends_the_study_unless_it_has_a_use_for_that(tmp_path: Path) -> None:
    ends: dict[str, ExitCode | BaseException] = {"b": TargetError("the server did not listen")}
    study = Letters()
    with pytest.raises(TargetError, match="did not listen"):
        Machine(ends=ends).conduct(study, (), tmp_path)
    assert study.kept[-1] == ("a", False)
    assert Machine(ends=ends).conduct(Letters(keeps_failures=True), (), tmp_path) == ["a", "b!", "c"]


def test_a_server_that_fails_under_way_is_an_outcome(tmp_path: Path) -> None:
    assert Machine(ends={"b": ExitCode.TARGET_FAILED}).conduct(Letters(), (), tmp_path) == ["a", "b", "c"]


def test_how_to_go_on_is_a_command_to_copy_whatever_the_folder_is_called(tmp_path: Path) -> None:
    machine = Machine()
    folder = tmp_path / "a name with spaces" / ("x" * 80)
    tell_how_to_go_on(machine.console, "experiment", folder)
    assert machine.said() == [f"Interrupted; go on with: soak experiment --resume '{folder}'"]
