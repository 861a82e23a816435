from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console, RenderableType

from soak.report.terminal import render_terminal
from soak.words import sentences
from tests.unit.soak.report.synthetic import saying, told

if TYPE_CHECKING:
    from collections.abc import Callable

    from soak.record import Run
    from soak.report.model import ReportModel
    from soak.verdict.run_verdict import RunVerdict

    Judged = Callable[[str], tuple[Run, RunVerdict]]
    Told = Callable[[str], ReportModel]


def printed(renderable: RenderableType, *, terminal: bool = False) -> str:
    stream = io.StringIO()
    Console(
        file=stream, width=80, force_terminal=terminal, color_system="standard" if terminal else None
    ).print(renderable)
    return stream.getvalue()


def test_the_first_line_is_the_verdict(model: Told) -> None:
    assert printed(render_terminal(model("healthy"))).startswith("✓ PLATEAU: Memory plateaus\n")
    assert printed(render_terminal(model("leaking"))).startswith("▲ CLIMBING: Memory keeps climbing\n")
    assert printed(render_terminal(model("short_lived"))).startswith("? INCONCLUSIVE\n")
    assert printed(render_terminal(model("crashed"))).startswith("✕ INCONCLUSIVE: The server died")


def test_it_fits_eighty_columns_and_is_plain_without_a_terminal(any_name: str, model: Told) -> None:
    text = printed(render_terminal(model(any_name)))
    assert max(map(len, text.splitlines())) <= 80
    assert "\x1b" not in text


def test_figures_and_all_reasons_are_printed(judged: Judged) -> None:
    run, verdict = judged("leaking")
    text = " ".join(printed(render_terminal(told(run, verdict))).split())
    for words in (
        "Start 180 MiB",
        "Growth per connection +64 KiB",
        "Connections completed 1,220",
        *sentences(verdict.reasons),
    ):
        assert words in text


def test_other_resources_are_a_table_with_their_verdicts(model: Told) -> None:
    lines = printed(render_terminal(model("keeping"))).splitlines()
    assert lines[0] == "▲ CLIMBING: File descriptors and sockets keep climbing"
    rows = [" ".join(line.split()) for line in lines]
    assert "Other resources start end per connection (each bound 90 %) verdict" in rows
    assert any(row.startswith("Sockets 2 408 0.33") and row.endswith("▲ climbing") for row in rows)
    assert any(row.startswith("Threads 12 42 0") and row.endswith("✓ plateau") for row in rows)


def test_without_a_connection_counter_growth_is_told_by_the_hour(judged: Judged) -> None:
    run, verdict = judged("keeping")
    resources = {name: replace(one, growth_per_connection=None) for name, one in verdict.resources.items()}
    evidence = replace(verdict.evidence, resources=resources)
    text = printed(render_terminal(told(run, replace(verdict, evidence=evidence))))
    assert "per hour (each bound 90 %)" in text
    assert "per connection (each bound 90 %)" not in text.split("Other resources")[1].split("·")[0]


def test_the_path_of_the_report_is_printed_whole_and_short(model: Told) -> None:
    healthy = model("healthy")
    assert "Report: reports/stamp-medium/report.html\n" in printed(
        render_terminal(healthy, Path.cwd() / "reports/stamp-medium/report.html")
    )
    far = Path("/somewhere") / ("long" * 30) / "report.html"
    assert str(far) in printed(render_terminal(healthy, far)).replace("\n", "")


def test_brackets_in_reasons_are_no_markup(judged: Judged) -> None:
    run, verdict = judged("healthy")
    attack = told(run, saying(verdict, "[red]a[/red]", "[b]c[/x]"))
    text = printed(render_terminal(attack), terminal=True)
    assert "[red]a[/red]" in text
    assert "[b]c[/x]" in text
