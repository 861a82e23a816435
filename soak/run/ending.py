"""How a run ended."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from soak.record.events import ServerExited

if TYPE_CHECKING:
    from soak.record import RunDirectory
    from soak.targets import ServerExit


class EndReason(StrEnum):
    """Why a run ended."""

    FINISHED = "finished"
    INTERRUPTED = "interrupted"
    SERVER_EXITED = "server_exited"
    NOT_READY = "not_ready"


@dataclass(frozen=True)
class Ending:
    """How a run ended, with what is known of the server's end."""

    reason: EndReason
    server_exit: ServerExit | None = None


def record_exit(directory: RunDirectory, exited: ServerExit, *, when: str = "") -> str:
    """Write down that the server ended, with `when` if more is known of that, and return it in words."""
    how = f"{exited.describe()}, {when}" if when else exited.describe()
    directory.append_event(
        ServerExited(
            return_code=exited.return_code, oom_killed=exited.oom_killed, how=how, log_tail=exited.log_tail
        )
    )
    return how
