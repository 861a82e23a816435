"""What soak writes for people: consoles on which text of others can only be read."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from typing import IO, TYPE_CHECKING, Any, TextIO, cast

from rich.console import Console
from rich.segment import Segment

from soak.foreign_text import for_terminal, visible, without_commands

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from rich.console import ConsoleOptions, RenderableType


class SafeConsole(Console):
    """A console that draws what it is given, and takes no escape sequence and no markup from it."""

    def __init__(self, *, stderr: bool = False) -> None:
        """Write to standard output, or to standard error."""
        super().__init__(stderr=stderr, markup=False, emoji=False, highlight=False)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Draw, with every piece of text made visible; what moves the cursor is only rich's own."""
        for text, style, control in super().render(renderable, options):
            yield Segment(text if control else visible(text), style, control)

    @property
    def file(self) -> IO[str]:
        """The stream, on which no line is a command to a CI system's runner."""
        return cast("IO[str]", _WithoutCommands(super().file))

    @file.setter
    def file(self, new_file: IO[str]) -> None:
        self._file = new_file


class _WithoutCommands:
    """A stream as another, whatever a word wrap puts at the beginning of a line."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        return self._stream.write(without_commands(text))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class PatientStream:
    """A standard stream whose reader may be gone (``| head -1``), or its disk full: soak goes on."""

    def __init__(self, stream: IO[str]) -> None:
        """Write to `stream`; names that are no UTF-8 are written with escapes."""
        self.fault: OSError | None = None
        """Why nothing is written any more."""
        self._stream = stream
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")

    def write(self, text: str) -> int:
        """Write, or do as if."""
        self._try(lambda: self._stream.write(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write, or do as if."""
        self.write("".join(lines))

    def flush(self) -> None:
        """Flush, or do as if."""
        self._try(self._stream.flush)

    def _try(self, act: Callable[[], object]) -> None:
        if self.fault is not None:
            return
        try:
            act()
        except OSError as error:
            self.fault = error
            with contextlib.suppress(OSError, ValueError):  # what is buffered still must not fail at the exit
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, self._stream.fileno())
                os.close(nowhere)

    def __getattr__(self, name: str) -> Any:  # noqa: D105 - as the stream's own
        return getattr(self._stream, name)


@contextlib.contextmanager
def patient_streams() -> Iterator[Callable[[], OSError | None]]:
    """Let no reader that is gone end this block; yield what tells which other fault standard output met."""
    out, err = sys.stdout, sys.stderr
    patient = PatientStream(out)
    sys.stdout, sys.stderr = cast("TextIO", patient), cast("TextIO", PatientStream(err))

    def fault() -> OSError | None:
        patient.flush()
        return None if isinstance(patient.fault, BrokenPipeError) else patient.fault

    try:
        yield fault
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        sys.stdout, sys.stderr = out, err


def say(text: str, *, err: bool = False) -> None:
    """Write a line for people to standard output or error, as it is: neither wrapped nor coloured."""
    stream = sys.stderr if err else sys.stdout
    stream.write(f"{for_terminal(text)}\n")
    stream.flush()
