"""`python -m benchmarks.verdict.results`: measure everything anew and write `results.md`."""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy: the cores are taken by processes

from pathlib import Path
from typing import Annotated

import typer

from benchmarks.verdict import peeking, settling
from benchmarks.verdict.__main__ import TIMED, measured
from benchmarks.verdict.judging import RULES
from benchmarks.verdict.layout import to_markdown
from benchmarks.verdict.selection import QUOTED, Part
from benchmarks.verdict.table import sections

RESULTS = Path(__file__).with_name("results.md")


def main(
    jobs: Annotated[int, typer.Option(help="Processes.", min=1)] = len(os.sched_getaffinity(0)),
    out: Annotated[Path, typer.Option(help="Where the tables go.", metavar="FILE")] = RESULTS,
) -> None:
    """Score every rule on every part that is quoted, watch runs and check what would settle them."""
    laid = [section for part in QUOTED for section in sections(measured(part, RULES, jobs, timed=TIMED))]
    said = [each for part in peeking.WATCHED for each in peeking.measured(part, jobs)]
    laid += peeking.sections(said)
    laid.append(settling.section(settling.measured(Part.FROZEN, jobs), str(Part.FROZEN)))
    out.write_text(to_markdown(laid, command="python -m benchmarks.verdict.results"), encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
