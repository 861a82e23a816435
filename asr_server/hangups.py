"""Notices that a client has hung up while nothing is read from it.

An event loop that does not read a socket hears nothing of it, not even that the other side is gone. The
kernel tells (epoll(7), EPOLLRDHUP), and an epoll object can be read by an event loop like a socket.
"""

from __future__ import annotations

import contextlib
import select
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

AT_ONCE = 64
"""Hang-ups that are told in one turn of the loop."""


class HangUps:
    """Watches sockets for one event loop; where the system has no epoll it never tells."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Belong to `loop`."""
        self._loop = loop
        self._told: dict[int, Callable[[], None]] = {}
        self._epoll = select.epoll() if hasattr(select, "epoll") else None
        if self._epoll is not None:
            loop.add_reader(self._epoll.fileno(), self._tell)

    def watch(self, descriptor: int, tell: Callable[[], None]) -> None:
        """Call `tell` once if the other side hangs up before `ignore`."""
        if self._epoll is None or descriptor < 0 or descriptor in self._told:
            return
        self._epoll.register(descriptor, select.EPOLLRDHUP)  # EPOLLHUP and EPOLLERR are always told
        self._told[descriptor] = tell

    def ignore(self, descriptor: int) -> None:
        """Watch no longer; before the socket is closed, or its number would be taken for another's."""
        if self._told.pop(descriptor, None) is not None and self._epoll is not None:
            with contextlib.suppress(OSError):
                self._epoll.unregister(descriptor)

    def close(self) -> None:
        """Watch nothing any more."""
        if self._epoll is not None:
            self._loop.remove_reader(self._epoll.fileno())
            self._epoll.close()
            self._told.clear()

    def _tell(self) -> None:
        for descriptor, _ in self._epoll.poll(0, AT_ONCE) if self._epoll is not None else ():
            tell = self._told.get(descriptor)
            self.ignore(descriptor)
            if tell is not None:
                tell()
