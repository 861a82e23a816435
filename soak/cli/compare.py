"""`soak compare`: what differs between runs, and whether that is more than chance."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from soak.cli.options import AllowUnlike, AsJson, Tolerance
from soak.errors import SoakError
from soak.studies.compare import DEFAULT_TOLERANCE
from soak.terminal import SafeConsole

if TYPE_CHECKING:
    from soak.studies.compare.comparison import SideComparison


def compare(
    sides: Annotated[
        list[Path],
        typer.Argument(
            help="Two or more: run directories, folders of repeats, files of 'soak baseline save', or files "
            "that soak analyze reads. The first is what the others are compared with.",
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
    from soak.studies.compare.comparison import comparison_exit_code, comparison_of, to_json_object
    from soak.studies.compare.reading import read_side
    from soak.studies.compare.table import comparison_heading, comparison_table

    if len(sides) < 2:
        raise SoakError("give at least two to compare: soak compare BEFORE AFTER")
    before, *others = [read_side(path) for path in sides]
    console = SafeConsole(stderr=as_json)
    compared: list[SideComparison] = []
    for after in others:
        comparison = comparison_of(before, after, tolerance=tolerance, allow_unlike=allow_unlike)
        compared.append(comparison)
        for line in comparison_heading(comparison):
            console.print(line)
        console.print(comparison_table(comparison.rows))
        console.print()
    if as_json:
        typer.echo(json.dumps(to_json_object(before, compared)))
    raise typer.Exit(comparison_exit_code(compared))
