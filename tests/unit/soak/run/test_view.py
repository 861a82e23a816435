"""What is shown while a run goes on fits a terminal of 80 columns and tells what matters."""

import io
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from soak.advice.advise import advise
from soak.analyse import Series, judge_series
from soak.load.plan import LoadPlan
from soak.record.events import Calibrated
from soak.run.history import History
from soak.run.view import LiveView, PlainView, Progress, panel, plain_line, sparkline, view_for
from soak.run.watch import Standing
from soak.verdict.combine import combine
from soak.verdict.run_verdict import RunEvidence, RunVerdict
from soak.verdict.verdict import Estimate, Label

PLAN = LoadPlan("ws://127.0.0.1:1", connections=500)
ROW: dict[str, float | int | str | None] = {
    "t_s": 42.0,
    "rss_bytes": 96_468_992,
    "connections_completed": 125,
    "connections_failed": 2,
    "open_connections": 1,
    "phase": "load",
    "block": 4,
}


def _progress() -> tuple[Progress, History]:
    progress, history = Progress(PLAN), History()
    for row in ({**ROW, "phase": "start", "rss_bytes": 90_000_000, "connections_completed": 0}, ROW):
        progress.take_row(row)
        history.append(row)
    progress.take_event(Calibrated(rate_per_s=5.0))
    return progress, history


def _text(progress: Progress, history: History, width: int = 80) -> str:
    console = Console(file=io.StringIO(), width=width, force_terminal=False)
    console.print(panel("minimal", progress, history))
    file = console.file
    assert isinstance(file, io.StringIO)
    return file.getvalue()


def test_the_panel_says_memory_connections_and_phase_within_80_columns() -> None:
    text = _text(*_progress())
    assert max(len(line) for line in text.splitlines()) <= 80
    for words in (
        "minimal",
        "92 MiB",
        "92 MiB  ▁█",
        "85.8 MiB at the start",
        "125 of 500",
        "2 failed",
        "block 4",
        "5 arrivals/s",
    ):
        assert words in text


def test_transcripts_are_shown_as_far_as_they_were_checked() -> None:
    progress, history = _progress()
    assert "Transcripts  0 changed" in _text(progress, history)
    progress.take_row({**ROW, "character_errors": 3, "reference_characters": 750, "transcripts_changed": 2})
    assert "CER 0.4 %, 2 changed" in _text(progress, history)
    assert "| transcripts: CER 0.4 %, 2 changed" in plain_line("minimal", progress)
    progress.take_row({**ROW, "connections_completed": 0})
    assert "none yet" in _text(progress, history)
    assert "transcripts" not in plain_line("minimal", progress)


def test_without_a_terminal_there_are_plain_lines_a_few_seconds_apart() -> None:
    output = io.StringIO()
    view = view_for(Console(file=output, width=80), "minimal")
    assert isinstance(view, PlainView)
    progress, history = _progress()
    for _ in range(50):  # fifty samples within a moment are one line
        view.update(progress, history)
    view.close()
    lines = output.getvalue().splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("minimal 42 s | load")
    assert "RSS 92 MiB" in lines[0]


def test_on_a_terminal_the_panel_is_live_and_leaves_nothing_behind() -> None:
    output = io.StringIO()
    view = view_for(Console(file=output, width=80, force_terminal=True), "minimal")
    assert isinstance(view, LiveView)
    view.update(*_progress())
    view.say("a line that stays")
    view.close()
    assert "a line that stays" in output.getvalue()


def _verdict(**changes: Any) -> RunVerdict:
    """The verdict on a run of two readings, with `changes`."""
    memory = judge_series(Series(np.array([0.0, 42.0]), np.array([9e7, 96_468_992.0])))
    memory = replace(memory, **changes)
    return combine(RunEvidence(memory), advise(memory))


def test_until_the_first_look_there_is_nothing_to_say() -> None:
    progress, history = _progress()
    assert "nothing to say yet" in _text(progress, history)
    assert "looked at" not in plain_line("minimal", progress)


def test_what_an_undecided_run_leans_to_is_that_of_the_last_look_with_its_age() -> None:
    progress, history = _progress()
    progress.take_row({**ROW, "t_s": 150.0})
    progress.last_verdict, progress.looked_at_s = _verdict(), 30.0
    assert plain_line("minimal", progress).endswith("| undecided so far (looked at 2 min ago)")
    assert "undecided (looked at 2 min ago): Only 2 readings" in _text(progress, history)
    progress.last_verdict = _verdict(probability_climbing=0.28)
    leaning = "leans to a plateau, 72 % (looked at 2 min ago)"
    assert plain_line("minimal", progress).endswith(f"| undecided so far, {leaning}")
    assert f"undecided, {leaning}" in _text(progress, history, width=120)
    progress.last_verdict = _verdict(label=Label.CLIMBING)
    words = "undecided: it looks like climbing (looked at 2 min ago); the next look must agree"
    assert words in _text(progress, history, width=120)
    progress.take_row({**ROW, "t_s": 210.0})
    assert "(looked at 3 min ago)" in _text(progress, history)


def test_what_stands_is_shown_in_its_place() -> None:
    progress, history = _progress()
    climbing = _verdict(label=Label.CLIMBING, growth_per_connection=Estimate(65536.0, 6e4, 7e4))
    progress.last_verdict = climbing
    progress.standing = Standing(Label.CLIMBING, datetime.now(UTC), 312, climbing)
    assert "after 312 connections: +64 KiB per connection" in plain_line("minimal", progress)
    assert "after 312 connections: +64 KiB per connection" in _text(progress, history)


@pytest.mark.parametrize("terminal", [True, False])
def test_a_warning_goes_to_standard_error(capsys: pytest.CaptureFixture[str], *, terminal: bool) -> None:
    output = io.StringIO()
    view = view_for(Console(file=output, width=80, force_terminal=terminal), "minimal")
    view.close()
    view.warn("memory is climbing")
    assert capsys.readouterr().err == "memory is climbing\n"
    assert "climbing" not in output.getvalue()


def test_the_sparkline_shows_the_shape() -> None:
    assert sparkline([0.0, 1.0, 2.0, 7.0]) == "▁▂▃█"
    assert sparkline([5.0, 5.0]) == "▁▁"
    assert sparkline([]) == ""
