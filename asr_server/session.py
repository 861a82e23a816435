"""What lives a little longer than a connection: created at its open, freed by a sweep after its close.

The original frees a closed connection's state from a thread that looks every five seconds, and only when none
of its decoding tasks is queued. The registry here does the same, so that memory goes with the same rhythm.
"""

from __future__ import annotations

import itertools
import threading
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from asr_server.decoder_pool import DecoderPool, Strand
    from asr_server.recogniser import ConnectionRecogniser

_alive: Final[set[int]] = set()
_numbers: Final = itertools.count(1)


class Session:
    """What decoding works on for one connection; no `recogniser` before the configuration came.

    It refers to no socket, task or registry, so it is freed the moment the last of these lets go of it.
    """

    __slots__ = ("__weakref__", "closed", "number", "recogniser", "strand")

    def __init__(self, strand: Strand) -> None:
        """Count as alive from now until freed."""
        self.number = next(_numbers)
        self.strand = strand
        self.recogniser: ConnectionRecogniser | None = None
        self.closed = False
        _alive.add(self.number)

    def abandon(self) -> None:
        """Drop what waits to be decoded: nobody wants the results."""
        self.closed = True
        self.strand.clear()

    def drop_recogniser(self) -> None:
        """Let go of what decoding works on; only as a task of the strand, or a task would lose it."""
        self.recogniser = None

    def __del__(self) -> None:
        """Stop counting as alive; adding to and taking from a set is atomic, so this needs no lock."""
        _alive.discard(self.number)


def sessions_alive() -> int:
    """How many sessions have not been freed, whoever still refers to them."""
    return len(_alive)


class SessionRegistry:
    """Holds every session from open to sweep."""

    def __init__(self, pool: DecoderPool, *, free_at_close: bool) -> None:
        """`free_at_close` frees a session as soon as its last task is done, without a sweep."""
        self._pool = pool
        self._free_at_close = free_at_close
        self._sessions: dict[int, Session] = {}
        self._lock = threading.Lock()

    def open(self) -> Session:
        """Create the session of a new connection."""
        session = Session(self._pool.strand())
        with self._lock:
            self._sessions[session.number] = session
        return session

    def close(self, session: Session) -> None:
        """Mark a session whose connection has gone; audio that still waits for it is not decoded."""
        session.closed = True
        if self._free_at_close:
            number = session.number
            session.strand.post(lambda: self._free([number]))  # after what is queued

    def sweep(self) -> int:
        """Free the closed sessions for which nothing is queued; give their number."""
        with self._lock:
            numbers = [n for n, session in self._sessions.items() if session.closed and session.strand.idle]
        return self._free(numbers)

    def _free(self, numbers: list[int]) -> int:
        with self._lock:
            freed = [self._sessions.pop(number, None) for number in numbers]
        return len(freed)  # the sessions themselves go here, outside the lock
