"""What the server counts about itself, for /metrics: plain numbers, so that counting costs little."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, get_args

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asr_server.wire import Result

ErrorKind = Literal[
    "client_gone",
    "client_mistake",
    "client_not_reading",
    "decoding_failed",
    "handshake_cut",
    "idle",
    "oversized_message",
    "too_many_connections",
]
RESULT_MODES: Final = ("2pass-online", "2pass-offline", "none")
"""The values of the label `mode`; "none" is the empty final result, which has no mode."""


@dataclass(frozen=True)
class Counts:
    """The counters at one moment."""

    connections_open: int
    connections_total: int
    audio_s: float
    decode_s: float
    results: dict[str, int]
    errors: dict[str, int]


class Counters:
    """Counts for as long as the process lives; callable from any thread."""

    def __init__(self) -> None:
        """Start at zero, with every label present."""
        self._lock = threading.Lock()
        self._open = self._total = 0
        self._audio_s = self._decode_s = 0.0
        self._results = Counter(dict.fromkeys(RESULT_MODES, 0))
        self._errors = Counter(dict.fromkeys(get_args(ErrorKind), 0))

    def connection_opened(self) -> None:
        """A WebSocket handshake was completed."""
        with self._lock:
            self._open += 1
            self._total += 1

    def connection_closed(self) -> None:
        """A connection ended, however it did."""
        with self._lock:
            self._open -= 1

    def decoded(self, audio_s: float, decode_s: float, results: Sequence[Result]) -> None:
        """A decoding task took `decode_s` seconds over `audio_s` seconds of audio."""
        with self._lock:
            self._audio_s += audio_s
            self._decode_s += decode_s
            for result in results:
                self._results[result.mode or "none"] += 1

    def error(self, kind: ErrorKind) -> None:
        """Something went wrong with one connection."""
        with self._lock:
            self._errors[kind] += 1

    def read(self) -> Counts:
        """All counters at one moment."""
        with self._lock:
            return Counts(
                self._open,
                self._total,
                self._audio_s,
                self._decode_s,
                dict(self._results),
                dict(self._errors),
            )
