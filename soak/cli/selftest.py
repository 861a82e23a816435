"""`soak selftest`: put known leaks into the bundled server and see whether soak finds them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from soak.cli.options import AsJson, Resume
from soak.errors import ExitCode, SoakError
from soak.studies.selftest.trials import DEFAULT_CONNECTIONS, THOROUGH_CONNECTIONS
from soak.terminal import SafeConsole

if TYPE_CHECKING:
    from rich.console import Console

    from soak.studies.selftest.outcome import TrialOutcome
    from soak.studies.selftest.trials import LeakTrial

FEWEST_CONNECTIONS = 180
"""Ten blocks: below, nothing is ever called climbing."""


def selftest(
    *,
    everything: Annotated[
        bool,
        typer.Option("--all", help="Try every kind, at full and at a tenth of its size (well over an hour)."),
    ] = False,
    kind: Annotated[
        list[str] | None,
        typer.Option(
            help="Try this kind, at full and at a tenth of its size. Repeatable. 'python -m asr_server "
            "--help' says what each kind is."
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
    resume: Resume = None,
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
    4 the server failed, 130 interrupted (go on with --resume).
    """
    from soak.studies.conduct import Interrupted, conduct, tell_how_to_go_on
    from soak.studies.selftest.results import selftest_exit_code, to_json_object
    from soak.studies.selftest.study import SelfTest
    from soak.studies.selftest.table import outcome_line

    outcomes: list[TrialOutcome] = []
    if resume is None:
        trials, connections = _chosen(kind or [], clean, connections, everything=everything, tenths=tenths)
        study = SelfTest(trials, connections, out)
    elif everything or kind or clean or connections:
        raise SoakError("--resume goes on with the trials that were begun: give no others with it")
    else:
        study, outcomes = SelfTest.read(resume)
    console = SafeConsole(stderr=as_json)
    console.print(study.expected_in_words(), highlight=False)
    interrupted = False
    try:
        for outcome in conduct(study, list(outcomes), study.folder, console):
            outcomes.append(outcome)
            console.print(outcome_line(outcome))
    except Interrupted:
        interrupted = True
        tell_how_to_go_on(console, "selftest", study.folder)
    _tell(outcomes, console)
    if as_json:
        typer.echo(json.dumps(to_json_object(outcomes, complete=not interrupted)))
    raise typer.Exit(ExitCode.INTERRUPTED if interrupted else selftest_exit_code(outcomes))


def _chosen(
    kinds: list[str], clean: int | None, connections: int | None, *, everything: bool, tenths: bool
) -> tuple[list[LeakTrial], int]:
    """Return the trials that the options ask for, and the connections in each."""
    from soak.studies.selftest.trials import SPECIMENS, Share, controls, quick_trials, trials_of

    if sum(map(bool, (everything, kinds, clean))) > 1:
        raise SoakError("give one of --all, --kind and --clean")
    if connections is None:
        connections = THOROUGH_CONNECTIONS if everything or kinds else DEFAULT_CONNECTIONS
    if connections < FEWEST_CONNECTIONS:
        raise SoakError(f"--connections must be at least {FEWEST_CONNECTIONS}, not {connections}")
    if clean is not None:
        return controls(clean), connections
    wanted = list(SPECIMENS) if everything else kinds
    shares = (Share.FULL, Share.TENTH) if tenths else (Share.FULL,)
    return (trials_of(wanted, shares) if wanted else quick_trials()), connections


def _tell(outcomes: list[TrialOutcome], console: Console) -> None:
    from soak.studies.selftest.table import footnotes, outcome_table, summary

    if not outcomes:
        return
    console.print()
    console.print(outcome_table(outcomes))
    console.print()
    for note in footnotes(outcomes):
        console.print(note, style="dim", highlight=False, markup=False)
    console.print(summary(outcomes), style="bold", highlight=False, markup=False)
