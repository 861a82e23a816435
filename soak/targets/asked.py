"""Which server the options `--url`, `--pid` and `--command` ask for."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from soak.errors import SoakError
from soak.targets.attached import Attachment
from soak.targets.bundled import Bundled
from soak.targets.command import DEFAULT_URL, Command

if TYPE_CHECKING:
    from soak.targets.server import Target


def target_asked(url: str | None = None, pid: int | None = None, command: str | None = None) -> Target:
    """Return the target of these options, the bundled server without any.

    Raises `SoakError` in one line for options that do not go together.
    """
    if command is None:
        return Attachment.asked(url, pid) or Bundled()
    if pid is not None:
        raise SoakError("--command starts a server and --pid names one that runs: give one of them")
    try:
        words = tuple(shlex.split(command))
    except ValueError as error:
        raise SoakError(f"--command {command!r}: {error}") from None
    return Command(words, DEFAULT_URL if url is None else url)
