"""What is shown while a run goes on fits a terminal of 80 columns and tells what matters."""

import io

from rich.console import Console

from soak.load.messages import DriverEvent
from soak.load.plan import LoadPlan
from soak.run.history import History
from soak.run.view import LiveView, PlainView, Progress, panel, sparkline, view_for

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
    progress.take_event(DriverEvent(0.0, "calibrated", {"rate_per_s": 5.0}))
    return progress, history


def _shown(width: int = 80) -> str:
    console = Console(file=io.StringIO(), width=width, force_terminal=False)
    console.print(panel("minimal", *_progress()))
    file = console.file
    assert isinstance(file, io.StringIO)
    return file.getvalue()


def test_the_panel_says_memory_connections_and_phase_within_80_columns() -> None:
    text = _shown()
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


def test_the_sparkline_shows_the_shape() -> None:
    assert sparkline([0.0, 1.0, 2.0, 7.0]) == "▁▂▃█"
    assert sparkline([5.0, 5.0]) == "▁▁"
    assert sparkline([]) == ""
