"""File descriptors by kind and TCP sockets by state of a process, from `/proc/P/fd` and `/proc/P/net`."""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

ESTABLISHED, CLOSE_WAIT, LISTEN = "01", "08", "0A"
"""The kernel's numbers of TCP states (include/net/tcp_states.h), as `/proc/P/net/tcp` writes them."""
STATE_FIELD, INODE_FIELD = 3, 9
NET_TABLES = ("tcp", "tcp6")


@dataclass(frozen=True)
class Descriptors:
    """Open file descriptors by what they are; the fields are columns of `samples.csv`."""

    fds: int
    sockets: int
    fd_files: int
    """Files and folders, devices included."""
    fd_deleted: int
    """Files whose name is gone: their space is not given back before they are closed."""
    fd_pipes: int
    fd_other: int
    """The kernel's own: event loops, timers, memory files."""


@dataclass(frozen=True)
class SocketStates:
    """TCP sockets of a process by state; the fields are columns of `samples.csv`."""

    sockets_established: int
    sockets_close_wait: int
    """The peer has closed, this side has not: a growing number is a socket nobody closes."""
    sockets_listen: int
    sockets_other: int
    """TCP sockets in any other state."""


def count_descriptors(folder: Path) -> Descriptors | None:
    """Count what is open in `folder`, a `/proc/P/fd`; None where it may not be listed."""
    targets = _targets(folder)
    if targets is None:
        return None
    kinds = Counter(map(_kind, targets))
    return Descriptors(
        fds=len(targets),
        sockets=kinds["socket"],
        fd_files=kinds["file"],
        fd_deleted=kinds["deleted"],
        fd_pipes=kinds["pipe"],
        fd_other=kinds["other"],
    )


def count_socket_states(process: Path) -> SocketStates | None:
    """Count the TCP sockets of the process whose `/proc` folder is given; None where it may not be read."""
    targets = _targets(process / "fd")
    if targets is None:
        return None
    own = {target[len("socket:[") : -1] for target in targets if target.startswith("socket:[")}
    states: Counter[str] = Counter()
    for table in NET_TABLES:
        try:
            lines = (process / "net" / table).read_text(encoding="ascii").splitlines()[1:]
        except OSError:
            continue  # a kernel without IPv6
        for line in lines:
            words = line.split()
            if words[INODE_FIELD] in own:
                states[words[STATE_FIELD]] += 1
    known = states[ESTABLISHED] + states[CLOSE_WAIT] + states[LISTEN]
    return SocketStates(
        sockets_established=states[ESTABLISHED],
        sockets_close_wait=states[CLOSE_WAIT],
        sockets_listen=states[LISTEN],
        sockets_other=states.total() - known,
    )


def _targets(folder: Path) -> list[str] | None:
    try:
        names = os.listdir(folder)
    except OSError:
        return None
    found = []
    for name in names:
        with contextlib.suppress(OSError):  # closed since it was listed
            found.append(os.readlink(folder / name))
    return found


def _kind(target: str) -> str:
    if target.startswith("socket:"):
        return "socket"
    if target.startswith("pipe:"):
        return "pipe"
    if target.startswith(("anon_inode:", "/memfd:")):
        return "other"
    return "deleted" if target.endswith(" (deleted)") else "file"
