"""How far a study has come, and how long it will take."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from soak.quantity import format_duration

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rich.console import Console


class StudyProgress:
    """Says before each run which it is of how many, and after the first what time is left.

    What is left is told from the runs of this sitting: how long those took that were made before an
    interruption is not known.
    """

    def __init__(self, console: Console, clock: Callable[[], float]) -> None:
        """Begin now, by `clock`, which gives monotonic seconds."""
        self._console = console
        self._clock = clock
        self._began_s = clock()
        self._made = 0

    def begin(self, number: int, total: int, name: str, words: str) -> None:
        """Announce the run `number` of `total`, counted from 1; a study of one run needs no announcement."""
        if total > 1:
            line = f"[{number}/{total}] {name}: {words}{self._left(total - number + 1)}"
            self._console.print(line, markup=False, highlight=False)

    def end(self) -> None:
        """Count a run as made."""
        self._made += 1

    def _left(self, runs: int) -> str:
        if not self._made:
            return ""
        left_s = runs * (self._clock() - self._began_s) / self._made
        return f" (about {format_duration(left_s)} left)"


def tell_how_to_go_on(console: Console, verb: str, folder: Path) -> None:
    """Say that a study was interrupted, and the command that goes on with it."""
    words = f"Interrupted; go on with: soak {verb} --resume {shlex.quote(str(folder))}"
    console.print(words, markup=False, highlight=False, soft_wrap=True)
