"""`soak baseline`: the figures of runs in a small file, to commit or to cache."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from soak.errors import SoakError
from soak.terminal import SafeConsole

if TYPE_CHECKING:
    from rich.console import Console

app = typer.Typer(help="The figures of runs, kept in a small file to compare with.", no_args_is_help=True)
DEFAULT_FILE = Path("baseline.json")


@app.command()
def save(
    runs: Annotated[
        list[Path],
        typer.Argument(help="Run directories, or folders of them: repeats of one thing.", metavar="RUN…"),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write.")] = DEFAULT_FILE,
    name: Annotated[
        str | None, typer.Option(help="What to call it.", show_default="the first run's name")
    ] = None,
) -> None:
    """Keep the figures of runs in a small JSON file, to commit or to cache.

    Several runs make comparisons sharper: how far repeats differ is then measured
    rather than expected. Make them as the check will make its own:

      for i in 1 2 3; do soak check --out baseline-runs; done
      soak baseline save baseline-runs

    """
    from soak.studies.compare.baseline import write_baseline
    from soak.studies.compare.reading import read_side

    side = read_side(runs[0])
    for path in runs[1:]:
        side = side.merged(read_side(path))
    if name is not None:
        side = side.named(name)
    write_baseline(side, output)
    console = SafeConsole()
    _show(output, console)
    verdicts = Counter(run.verdict for run in side.runs)
    if set(verdicts) != {"plateau"}:
        words = ", ".join(f"{count} {verdict}" for verdict, count in verdicts.most_common())
        console.print(f"! Not all of these runs were a plateau ({words}): is this what you want to keep?")


@app.command()
def show(
    file: Annotated[Path, typer.Argument(help="The file.", metavar="FILE")] = DEFAULT_FILE,
) -> None:
    """Show what a baseline holds: of what, from how many runs, and their figures."""
    if file.is_dir():
        raise SoakError(f"{file} is a folder; a baseline is a file that 'soak baseline save' wrote")
    _show(file, SafeConsole())


def _show(file: Path, console: Console) -> None:
    from soak.studies.compare.baseline import read_baseline
    from soak.studies.compare.table import baseline_table

    side = read_baseline(file)
    console.print(
        f"{file}: {side.name}, {len(side.runs)} run(s)", style="bold", markup=False, highlight=False
    )
    for name, words in {**side.identity, **side.versions}.items():
        console.print(f"  {name}: {words}", markup=False, highlight=False, style="dim")
    console.print(baseline_table(side))
