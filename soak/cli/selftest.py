"""`soak selftest`: put known leaks into the bundled server and see whether soak finds them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from soak.cli.options import AsJson
from soak.errors import ExitCode, SoakError
from soak.quantity import format_duration
from soak.studies.selftest.conduct import Interrupted, conduct
from soak.studies.selftest.outcome import Outcome, Result
from soak.studies.selftest.table import footnotes, outcome_line, outcome_table, summary
from soak.studies.selftest.trials import (
    DEFAULT_CONNECTIONS,
    SPECIMENS,
    THOROUGH_CONNECTIONS,
    Share,
    Trial,
    controls,
    quick_trials,
    trials_of,
)

SCHEMA_VERSION = 1
FEWEST_CONNECTIONS = 180
"""Ten blocks: below, nothing is ever called climbing."""
TRIAL_S = 75.0
"""About how long a trial of the default length takes, its report included."""


def selftest(
    *,
    everything: Annotated[
        bool,
        typer.Option("--all", help="Try every kind, at full and at a tenth of its size (well over an hour)."),
    ] = False,
    kind: Annotated[
        list[str] | None,
        typer.Option(
            help="Try this kind, at full and at a tenth of its size. Repeatable. What each kind is, is said "
            "by 'python -m asr_server --help'."
        ),
    ] = None,
    connections: Annotated[
        int | None,
        typer.Option(
            help=f"Connections in each trial, at least {FEWEST_CONNECTIONS}.",
            show_default=f"{DEFAULT_CONNECTIONS}; {THOROUGH_CONNECTIONS} with --all and --kind",
        ),
    ] = None,
    tenths: Annotated[
        bool, typer.Option("--tenths/--no-tenths", help="With --all and --kind: also at a tenth of the size.")
    ] = True,
    clean: Annotated[
        int | None,
        typer.Option(
            min=1, help="Make so many clean runs instead, to see how often one of them is called climbing."
        ),
    ] = None,
    out: Annotated[Path, typer.Option(help="Where the run directories of the trials go.")] = Path(
        "reports/selftest"
    ),
    as_json: AsJson = False,
) -> None:
    """Put known leaks into the bundled server and see whether soak finds, measures and names them.

    A smoke test of your installation. By default six short runs in some eight
    minutes: a clean control, a leak of Python's memory at full and at a tenth of
    its size, one of native memory, one of sockets, one of threads. Each is a run
    like any other, with a report of its own.

    It says of each whether the leak was detected and after how many connections,
    the slope measured beside the true one (which the server counts), and what
    soak said the growth is: Python objects, native memory, shared memory, deleted
    files, file descriptors, sockets, threads or sessions. A leak that is detected
    but taken for another is misnamed.

    A tenth may be too small for so short a run. Then the run must say so: by
    being inconclusive, or by a plateau that admits growth of that size.

    Exit codes: 0 all as expected, 1 a leak was missed or misnamed, or a clean run
    was called climbing, 2 usage, 3 the machine was too busy for some trials,
    4 the server failed, 130 interrupted.
    """
    if sum(map(bool, (everything, kind, clean))) > 1:
        raise SoakError("give one of --all, --kind and --clean")
    if connections is None:
        connections = THOROUGH_CONNECTIONS if everything or kind else DEFAULT_CONNECTIONS
    if connections < FEWEST_CONNECTIONS:
        raise SoakError(f"--connections must be at least {FEWEST_CONNECTIONS}, not {connections}")
    trials = _trials(kind or [], clean, everything=everything, tenths=tenths)
    console = Console(stderr=as_json)
    expected = format_duration(len(trials) * TRIAL_S * connections / DEFAULT_CONNECTIONS)
    console.print(f"{len(trials)} trials, about {expected}", highlight=False)
    outcomes: list[Outcome] = []
    interrupted = False
    try:
        for outcome in conduct(trials, connections, out, console):
            outcomes.append(outcome)
            console.print(outcome_line(outcome))
    except Interrupted:
        interrupted = True
    _tell(outcomes, console)
    if as_json:
        typer.echo(json.dumps(_as_json(outcomes, complete=not interrupted)))
    raise typer.Exit(_exit_code(outcomes, interrupted=interrupted))


def _trials(kinds: list[str], clean: int | None, *, everything: bool, tenths: bool) -> list[Trial]:
    if clean is not None:
        return controls(clean)
    wanted = list(SPECIMENS) if everything else kinds
    shares = (Share.FULL, Share.TENTH) if tenths else (Share.FULL,)
    return trials_of(wanted, shares) if wanted else quick_trials()


def _tell(outcomes: list[Outcome], console: Console) -> None:
    if not outcomes:
        return
    console.print()
    console.print(outcome_table(outcomes))
    console.print()
    for note in footnotes(outcomes):
        console.print(note, style="dim", highlight=False, markup=False)
    console.print(summary(outcomes), style="bold", highlight=False, markup=False)


def _as_json(outcomes: list[Outcome], *, complete: bool) -> dict[str, object]:
    return {
        "schema_version": SCHEMA_VERSION,
        "complete": complete,
        "as_expected": complete and all(outcome.as_expected for outcome in outcomes),
        "trials": [outcome.to_json_object() for outcome in outcomes],
    }


def _exit_code(outcomes: list[Outcome], *, interrupted: bool) -> ExitCode:
    if interrupted:
        return ExitCode.INTERRUPTED
    if any(outcome.result is Result.FAILED for outcome in outcomes):
        return ExitCode.TARGET_FAILED
    bad = {outcome.result for outcome in outcomes if not outcome.as_expected}
    if bad == {Result.CUT_SHORT}:
        return ExitCode.INCONCLUSIVE
    return ExitCode.CLIMBING if bad else ExitCode.PLATEAU
