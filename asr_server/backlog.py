"""What waits to be decoded, for each connection and for all together, in seconds of audio."""

from __future__ import annotations

import threading


class SharedBacklog:
    """What all connections have waiting; callable from any thread."""

    def __init__(self, limit_s: float) -> None:
        """Begin with nothing."""
        self._limit_s = limit_s
        self._lock = threading.Lock()
        self._cost_s = 0.0

    @property
    def cost_s(self) -> float:
        """What waits now."""
        return self._cost_s

    def take_in(self, cost_s: float, *, always: bool) -> bool:
        """Count a task; False if there is no room for it, unless it is taken always."""
        with self._lock:
            if not always and self._cost_s + cost_s > self._limit_s:
                return False
            self._cost_s += cost_s
            return True

    def take_out(self, cost_s: float) -> None:
        """Count a task as done or dropped."""
        with self._lock:
            self._cost_s = max(0.0, self._cost_s - cost_s)


class Backlog:
    """What waits to be decoded for one connection; counted on two threads."""

    def __init__(self, limit_s: float, shared: SharedBacklog) -> None:
        """Begin with nothing."""
        self._limit_s = limit_s
        self._shared = shared
        self._lock = threading.Lock()
        self._cost_s = 0.0
        self._awaited = False

    def take_in(self, cost_s: float) -> bool:
        """Count a task; False if there is no room for it, and the io thread waits until some are done.

        A connection with nothing waiting always has room for one task, or those that fill the shared backlog
        would shut it out.
        """
        with self._lock:
            empty = self._cost_s <= 0.0
            fits = empty or self._cost_s + cost_s <= self._limit_s
            fits = fits and self._shared.take_in(cost_s, always=empty)
            if fits:
                self._cost_s += cost_s
            self._awaited = not fits
            return fits

    def take_out(self, cost_s: float) -> bool:
        """Count a task as done; tell whether the io thread waits for that."""
        with self._lock:
            done_s = min(cost_s, self._cost_s)  # less where the rest has been dropped meanwhile
            self._cost_s -= done_s
            self._shared.take_out(done_s)
            awaited, self._awaited = self._awaited, False
            return awaited

    def drop(self) -> None:
        """Count everything as dropped."""
        with self._lock:
            self._shared.take_out(self._cost_s)
            self._cost_s = 0.0
