"""Honest clients that speak all the time: what they hear and how long they wait tells how others fare."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.attack.server.raw_websocket import (
    BINARY,
    END,
    OPENING,
    PING,
    PONG,
    TEXT,
    RawWebSocket,
    frame,
)

if TYPE_CHECKING:
    from types import TracebackType

FRAME_BYTES, FRAME_S = 1920, 0.06
"""What FunASR's clients send, at the pace of speech."""
ANSWER_S = 120.0


@dataclass
class Waits:
    """How long canaries waited, in seconds, and what they heard."""

    finals_s: list[float] = field(default_factory=list)
    """From the end of speech to the final result."""
    pongs_s: list[float] = field(default_factory=list)
    """From a ping, one with each frame of audio, to its pong."""
    transcripts: set[str] = field(default_factory=set)

    @property
    def p99_s(self) -> float:
        """The wait for a final result that 99 % did not exceed."""
        ordered = sorted(self.finals_s)
        return ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))]

    @property
    def longest_s(self) -> float:
        """The longest stall, of either kind."""
        return max(self.finals_s + self.pongs_s)

    def __add__(self, other: Waits) -> Waits:
        """Put those of two canaries together."""
        return Waits(
            self.finals_s + other.finals_s,
            self.pongs_s + other.pongs_s,
            self.transcripts | other.transcripts,
        )


class Canary:
    """Says the same words again and again over one connection, on threads of its own."""

    def __init__(self, url: str, pcm: bytes) -> None:
        """Speak `pcm`."""
        self._websocket = RawWebSocket.open(url)
        self._frames = [
            frame(BINARY, pcm[start : start + FRAME_BYTES]) for start in range(0, len(pcm), FRAME_BYTES)
        ]
        self._lock = threading.Lock()
        self._waits = Waits()
        self._heard = ""
        self._ended_s = 0.0
        self._answered = threading.Event()
        self._stopped = threading.Event()
        self._failure: BaseException | None = None
        self._threads = [
            threading.Thread(target=self._guarded, args=[work], daemon=True)
            for work in (self._speak, self._listen)
        ]
        for thread in self._threads:
            thread.start()

    def begin_anew(self) -> None:
        """Forget the waits so far."""
        with self._lock:
            self._waits = Waits()

    def waits(self) -> Waits:
        """Give the waits since; raises what went wrong."""
        if self._failure is not None:
            raise self._failure
        with self._lock:
            return self._waits + Waits()

    def close(self) -> None:
        """Stop."""
        self._stopped.set()
        self._answered.set()
        with contextlib.suppress(OSError):  # wakes who listens; to close alone would leave it listening
            self._websocket.connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        self._websocket.connection.close()

    def _guarded(self, work: object) -> None:
        try:
            work()  # type: ignore[operator]  # one of the two below
        except BaseException as error:  # noqa: BLE001 - told to whoever watches
            if not self._stopped.is_set():
                self._failure = error
        self._answered.set()

    def _speak(self) -> None:
        self._websocket.send(OPENING)
        due_s = time.monotonic()
        while not self._stopped.is_set():
            for each in self._frames:
                self._websocket.send(each, frame(PING, struct.pack("!d", time.monotonic())))
                due_s += FRAME_S
                self._stopped.wait(max(0.0, due_s - time.monotonic()))
            self._answered.clear()
            self._ended_s = time.monotonic()
            self._websocket.send(END)
            if not self._answered.wait(ANSWER_S):
                raise TimeoutError("the canary got no answer")
            due_s = time.monotonic()

    def _listen(self) -> None:
        while not self._stopped.is_set():
            message = self._websocket.receive(ANSWER_S)
            now_s = time.monotonic()
            if message.opcode == PONG:
                with self._lock:
                    self._waits.pongs_s.append(now_s - struct.unpack("!d", message.payload)[0])
                continue
            if message.opcode != TEXT:
                raise AssertionError(message)
            answer = json.loads(message.payload)
            if "error" in answer:
                raise AssertionError(answer)
            if answer.get("mode") == "2pass-offline":
                self._heard += answer["text"]
            if answer["is_final"]:
                with self._lock:
                    self._waits.finals_s.append(now_s - self._ended_s)
                    self._waits.transcripts.add(self._heard)
                self._heard = ""
                self._answered.set()


class Canaries:
    """Several at once, a little apart: there is nearly always one that waits."""

    def __init__(self, url: str, pcm: bytes, number: int = 4) -> None:
        """Let so many speak."""
        self._canaries = []
        for _ in range(number):
            self._canaries.append(Canary(url, pcm))
            time.sleep(len(pcm) / 32000 / number)  # so that their ends of speech do not coincide

    def __enter__(self) -> Canaries:
        """Speak until the end."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        for each in self._canaries:
            each.close()

    def watch(self, duration_s: float) -> Waits:
        """Give what they waited for `duration_s`, and for an answer of each at least."""
        for each in self._canaries:
            each.begin_anew()
        self._wait_for_answers(2, time.monotonic() + duration_s)
        # One may be stalled just now: its wait counts, too.
        return self._wait_for_answers(1 + max(len(each.waits().finals_s) for each in self._canaries), 0.0)

    def _wait_for_answers(self, number: int, not_before_s: float) -> Waits:
        limit_s = max(time.monotonic(), not_before_s) + ANSWER_S
        while True:
            found = [each.waits() for each in self._canaries]
            if time.monotonic() >= not_before_s and all(len(each.finals_s) >= number for each in found):
                return sum(found, Waits())
            assert time.monotonic() < limit_s, "the canaries got no answers"
            time.sleep(0.02)
