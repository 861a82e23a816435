"""How many connections there may be, over all io threads."""

from __future__ import annotations

import logging
import resource
import threading
from typing import Final

logger = logging.getLogger(__name__)

SPARE_DESCRIPTORS: Final = 100
"""Open files of the process that are no connections: listeners, epolls, libraries, the log."""


class Admission:
    """Counts connections from their opening handshake to their end; callable from any thread."""

    def __init__(self, max_connections: int) -> None:
        """Let in so many at a time."""
        self.max_connections = max_connections
        self._lock = threading.Lock()
        self._admitted = 0

    def enter(self) -> bool:
        """Count one more; False when there are as many as may be."""
        with self._lock:
            if self._admitted >= self.max_connections:
                return False
            self._admitted += 1
            return True

    def leave(self) -> None:
        """Count one less."""
        with self._lock:
            self._admitted -= 1


def reserve_descriptors(max_connections: int) -> int:
    """Let the process have a descriptor for each connection; give how many connections it can have.

    The soft limit of many systems is 1024; a process may raise its own up to the hard one.
    """
    wanted = max_connections + SPARE_DESCRIPTORS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return max_connections
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    possible = max(1, min(max_connections, allowed - SPARE_DESCRIPTORS))
    if possible < max_connections:
        logger.warning(
            "the limit of open files (%d) is enough for %d connections: fewer than --max-connections %d",
            allowed,
            possible,
            max_connections,
        )
    return possible
