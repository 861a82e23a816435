"""The command line: one file per verb; this one is the map."""

from __future__ import annotations

import shlex
import sys
import tempfile
import traceback
from typing import Annotated

import typer

from soak import __version__
from soak.cli.verbs import CONTEXT_SETTINGS, EPILOG, VerbGroup, add_verbs
from soak.errors import ExitCode, SoakError, in_one_line
from soak.private_file import private_files
from soak.redaction import redacted, redacted_text
from soak.terminal import patient_streams, say

app = typer.Typer(
    name="soak",
    cls=VerbGroup,
    help="Is your speech server leaking memory, or only warming up?\n\n"
    "soak opens and closes connections against a streaming speech server, samples its memory, and says "
    "plateau, climbing or inconclusive, with the numbers and the reasons.\n\n"
    "Start with: soak run",
    epilog=EPILOG,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings=CONTEXT_SETTINGS,
)
add_verbs(app)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"soak {__version__}")
        raise typer.Exit


@app.callback()
def top(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Refuse platforms without /proc before any verb begins."""
    del version
    if sys.platform != "linux":
        raise SoakError(f"soak reads memory from /proc, which {sys.platform} does not have: run it on Linux")


def main() -> None:
    """Run the command line; every fault ends in one line, and none of them looks like a verdict."""
    with private_files(), patient_streams() as fault_of_output:
        code = _run()
        fault = fault_of_output()
        if fault is not None:
            say(f"soak: cannot write to standard output: {fault.strerror}", err=True)
            code = ExitCode.USAGE
    sys.exit(code)


def _run() -> int | str | None:
    """Run the verb and return its exit code."""
    try:
        app()
    except SoakError as error:
        say(f"soak: {redacted_text(str(error))}", err=True)
        return error.exit_code
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except SystemExit as ended:
        # an end of file or a pipe in the middle of the work ends typer with 1, which means climbing
        if isinstance(ended.__context__, typer.Abort | OSError):
            return _failed(ended.__context__.__context__ or ended.__context__)
        return ended.code
    except Exception as error:  # noqa: BLE001 - whatever it is, it must not look like a verdict (exit code 1)
        return _failed(error)
    return ExitCode.PLATEAU


def _failed(error: BaseException) -> ExitCode:
    said = redacted_text(in_one_line(error))
    say(f"soak: soak itself failed: {said}; {_kept(error)}", err=True)
    return ExitCode.SOAK_FAILED


def _kept(error: BaseException) -> str:
    """Write the traceback to a file, and say where; what cannot be written is printed."""
    details = redacted_text("".join(traceback.format_exception(error)))
    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="soak-failed-", suffix=".txt", delete=False, encoding="utf-8"
        ) as file:
            file.write(f"{shlex.join(redacted(sys.argv))}\n\n{details}")
    except OSError:
        return details
    return f"please report it with {file.name}"
