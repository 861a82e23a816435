"""Results on standard output while progress is shown on standard error, without one spoiling the other."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from soak.quantity import format_count
from soak.terminal import SafeConsole

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

PLAIN_EVERY_S = 15.0
"""How often progress is told where there is no terminal to draw on."""


class FleetProgress:
    """Where the results of many runs are told; made by `fleet_progress`."""

    def __init__(self, total: int, out: Console, err: Console, bar: Progress | None) -> None:
        """Tell `total` results on `out` and complaints on `err`; `bar` is drawn on one of the two."""
        self._total = total
        self._out = out
        self._err = err
        self._bar = bar
        self._task = None if bar is None else bar.add_task("judging", total=total)
        self._done = 0
        self._told_s = time.monotonic()

    @property
    def width(self) -> int | None:
        """The columns a line may fill, or None where it goes to a file or a pipe."""
        return self._out.width if self._out.is_terminal else None

    def tell(self, line: str | Text) -> None:
        """Print a result."""
        _print(self._out, line)

    def complain(self, line: str) -> None:
        """Print what is wrong with a run."""
        _print(self._err, line)

    def advance(self) -> None:
        """Count one more run as done."""
        self._done += 1
        if self._bar is not None and self._task is not None:
            self._bar.advance(self._task)
        elif time.monotonic() - self._told_s >= PLAIN_EVERY_S and self._done < self._total:
            self._told_s = time.monotonic()
            _print(self._err, f"soak: {format_count(self._done)} of {format_count(self._total)} runs judged")


@contextmanager
def fleet_progress(total: int) -> Iterator[FleetProgress]:
    """Show the progress over `total` runs: a bar where standard error is a terminal, else a line at times."""
    out, err = SafeConsole(), SafeConsole(stderr=True)
    if not err.is_terminal:
        yield FleetProgress(total, out, err, None)
        return
    if out.is_terminal:
        err = out  # one screen: lines and bar must be drawn by one hand
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True, redirect_stdout=False, redirect_stderr=False) as bar:
        yield FleetProgress(total, out, err, bar)


def _print(console: Console, line: str | Text) -> None:
    console.print(Text(line) if isinstance(line, str) else line, soft_wrap=True)
