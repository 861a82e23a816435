"""`soak report`: write the reports of recorded runs anew."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from soak.errors import SoakError


def report(
    paths: Annotated[list[Path], typer.Argument(help="Run directories.", metavar="RUN…")],
) -> None:
    """Write verdict.json, report.html and memory.png of recorded runs anew, from what they recorded.

    It works on a run that was killed half-way, and after an upgrade of soak.
    """
    from soak.run.session import judge_and_report

    for path in paths:
        if not path.is_dir():
            raise SoakError(f"{path} is not a run directory (soak analyze judges single CSV files)")
        run, judgement, _ = judge_and_report(path)
        typer.echo(f"{judgement.verdict.label}: {run.path / 'report.html'}")
