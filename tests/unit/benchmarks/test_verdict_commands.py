"""The commands of the verdict benchmark, on a few traces, in this process."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import typer
from typer.testing import CliRunner

from benchmarks.verdict import __main__ as verdict
from benchmarks.verdict import peeking, results, selection, settling
from benchmarks.verdict.selection import NUMBERED, Part

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    def one_by_one(
        work: Callable[[Any], list[Any]], items: Sequence[Any], *, workers: int, what: str
    ) -> list[Any]:
        assert workers >= 1, what
        return [found for item in items for found in work(item)]

    for module in (verdict, peeking, settling):
        monkeypatch.setattr(module, "with_progress", one_by_one)


def run(command: Callable[..., None], *arguments: str) -> str:
    program = typer.Typer(pretty_exceptions_enable=False)
    program.command()(command)
    outcome = CliRunner().invoke(program, arguments)
    if outcome.exception is not None and not isinstance(outcome.exception, SystemExit):
        raise outcome.exception
    return outcome.output


def test_a_part_is_scored_shown_and_written(tmp_path: Path) -> None:
    markdown, as_json = tmp_path / "found.md", tmp_path / "found.json"
    shown = run(
        verdict.main, "--part", "heaps", "--part", "world", "--count", "4", "--rule", "soak", "--rule", "LBR",
        "--timed", "1", "--show-misjudged", "--markdown", str(markdown), "--json", str(as_json),
    )  # fmt: skip
    assert "Heaps: rules" in shown
    assert "World: goals" in shown
    assert "## Heaps: time to the right answer, all traces" in markdown.read_text(encoding="utf-8")
    heaps, world = json.loads(as_json.read_text(encoding="utf-8"))
    assert (heaps["part"], world["part"]) == ("heaps", "world")
    assert heaps["rules"]["soak"]["traces"] == heaps["rules"]["LBR"]["traces"] == 4
    assert heaps["rules"]["soak"]["contradicted"] == world["rules"]["soak"]["contradicted"]


def test_an_unknown_rule_is_refused_with_those_there_are() -> None:
    said = run(verdict.main, "--rule", "nobody's")
    assert "no rule is called" in said


def test_watching_shows_healthy_traces_and_leaks() -> None:
    shown = run(peeking.main, "--part", "heaps", "--count", "4")
    assert "Watched, heaps: healthy" in shown
    assert "Watched, heaps: leak" in shown


def test_settling_shows_what_was_told() -> None:
    assert "Settling, heaps" in run(settling.main, "--part", "heaps", "--count", "2")


def test_one_command_writes_all_results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    few = {part: (make, 2) for part, (make, _) in NUMBERED.items()}
    monkeypatch.setattr(selection, "NUMBERED", few)
    monkeypatch.setattr(results, "QUOTED", (Part.HEAPS,))
    monkeypatch.setattr(peeking, "WATCHED", (Part.HEAPS,))
    out = tmp_path / "results.md"
    run(results.main, "--jobs", "1", "--out", str(out))
    written = out.read_text(encoding="utf-8")
    for heading in ("## Heaps: rules", "## Heaps: goals", "## Watched, heaps: leak", "## Settling, frozen"):
        assert heading in written
