"""`soak compare`: what differs between runs, and whether that is more than chance."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from soak.cli.options import AllowUnlike, AsJson, Tolerance
from soak.errors import ExitCode, SoakError
from soak.studies.compare.comparing import DEFAULT_TOLERANCE, Change, Compared
from soak.studies.compare.comparing import compare as compare_sides
from soak.studies.compare.reading import read_side
from soak.studies.compare.side import Side, differences
from soak.studies.compare.table import comparison_table

SCHEMA_VERSION = 1


def compare(
    sides: Annotated[
        list[Path],
        typer.Argument(
            help="Two or more: run directories, folders of repeats, or files of 'soak baseline save'. The "
            "first is what the others are compared with.",
            metavar="BEFORE AFTER…",
        ),
    ],
    *,
    tolerance: Tolerance = DEFAULT_TOLERANCE,
    allow_unlike: AllowUnlike = False,
    as_json: AsJson = False,
) -> None:
    """Compare runs, folders of repeats, or baselines: better, worse, or no difference shown.

    Every difference has a 95 % interval. For it, how far repeats of one thing
    differ is measured from the runs given, together with what is expected of
    healthy runs (1 % of memory, 5 % of CPU time, 10 % of latency), which counts as
    much as four more of them: give several runs a side to see smaller differences.

    Smaller changes than --tolerance of memory, or 15 % of speed, are not told.
    Unlike things are refused: another model, other threads, another load, another
    class of machine.

    Exit codes: 0 no memory is worse, 1 some is, 2 usage or unlike.
    """
    if len(sides) < 2:
        raise SoakError("give at least two to compare: soak compare BEFORE AFTER")
    before, *others = [read_side(path) for path in sides]
    console = Console(stderr=as_json)
    compared: list[tuple[Side, list[Compared]]] = []
    for after in others:
        unlike = differences(before, after)
        if unlike and not allow_unlike:
            raise SoakError(
                f"{before.name} and {after.name} are not alike ({'; '.join(unlike)}); "
                "--allow-unlike compares them all the same"
            )
        rows = compare_sides(before, after, tolerance=tolerance)
        compared.append((after, rows))
        _tell(before, after, rows, unlike, console)
    if as_json:
        typer.echo(json.dumps(_as_json(before, compared)))
    worse = any(row.is_memory and row.change is Change.WORSE for _, rows in compared for row in rows)
    raise typer.Exit(ExitCode.CLIMBING if worse else ExitCode.PLATEAU)


def _tell(before: Side, after: Side, rows: list[Compared], unlike: list[str], console: Console) -> None:
    title = f"{after.name} ({len(after.runs)} run(s)) against {before.name} ({len(before.runs)} run(s))"
    console.print(title, style="bold", markup=False, highlight=False)
    for line in unlike:
        console.print(f"! unlike: {line}", markup=False, highlight=False, style="yellow")
    for name in sorted(before.versions.keys() | after.versions.keys()):
        old, new = (side.versions.get(name, "not recorded") for side in (before, after))
        if old != new:
            console.print(f"  {name}: {old} → {new}", markup=False, highlight=False, style="dim")
    console.print(comparison_table(rows))
    console.print()


def _as_json(before: Side, compared: list[tuple[Side, list[Compared]]]) -> dict[str, object]:
    return {
        "schema_version": SCHEMA_VERSION,
        "before": before.name,
        "runs_before": len(before.runs),
        "comparisons": [
            {
                "after": after.name,
                "runs_after": len(after.runs),
                "figures": [row.to_json_object() for row in rows],
            }
            for after, rows in compared
        ],
    }
