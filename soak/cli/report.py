"""`soak report`: write the reports of recorded runs anew."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from soak.cli.options import Confidence, Every, MaxGrowth, MemoryColumn, MemoryUnit, Per, TimeColumn

if TYPE_CHECKING:
    from soak.record import Run


def report(
    paths: Annotated[
        list[Path],
        typer.Argument(help="Run directories, or files that soak analyze reads.", metavar="RUN…"),
    ],
    max_growth: MaxGrowth = None,
    confidence: Confidence = None,
    *,
    time_column: TimeColumn = None,
    memory_column: MemoryColumn = None,
    unit: MemoryUnit = None,
    every: Every = None,
    per: Per = None,
) -> None:
    """Write verdict.json, report.html and memory.png of recorded runs anew, from what they recorded.

    It works on a run that was killed half-way, and after an upgrade of soak. Of a file of somebody else's the
    report is written into a folder beside it, named after it; of several series there is one for each.
    """
    from soak.cli.recordings import asked_of
    from soak.config.judge_options import judge_asked
    from soak.judging import judge_run, recorded_settings
    from soak.private_file import explained, make_folder
    from soak.recordings import read_runs
    from soak.run.session import judge_and_report, write_report
    from soak.terminal import say

    judge = judge_asked(max_growth, confidence)
    asked = asked_of(time_column, memory_column, unit, every, per)
    for path in paths:
        if path.is_dir():
            run, judgement, _ = judge_and_report(path, judge)
            say(f"{judgement.verdict.label}: {run.path / 'report.html'}")
            continue
        for read in read_runs(path, asked):
            folder = _folder(read)
            with explained(folder):
                make_folder(folder, exist_ok=True)
            judgement = judge_run(read, recorded_settings(read, judge))
            write_report(read, judgement, folder)
            say(f"{judgement.verdict.label}: {folder / 'report.html'}")


def _folder(run: Run) -> Path:
    """Return where the report of a file is written: beside it, by its name and that of the series."""
    name = "".join(sign if sign.isalnum() or sign in "._-" else "-" for sign in run.name)
    return run.path.with_name(f"{name}-report")
