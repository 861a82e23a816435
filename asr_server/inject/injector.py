"""Lets the leaks that were asked for happen, and counts them."""

from __future__ import annotations

import logging
import random
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from asr_server.inject.kinds import KINDS
from asr_server.inject.leak import Event, Occasion

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asr_server.inject.injection import Injection
    from asr_server.session import Session
    from asr_server.wire import Result

logger = logging.getLogger(__name__)

TIMER_INTERVAL_S: Final = 0.5
"""How often what leaks by the second does."""


@dataclass(frozen=True)
class Injected:
    """What one kind has come to."""

    kind: str
    kept_bytes: int
    """Held now on its account, as far as it was asked for: what comes with it is not in it."""
    times: int
    """How often it happened."""


class _ActiveLeak:
    """One injection at work."""

    def __init__(self, injection: Injection, seed: int) -> None:
        """`seed` is what the dice of a probability begin with."""
        self.injection = injection
        self.kept_bytes = self.times = 0
        self._leak = KINDS[injection.kind]()
        self._dice = random.Random(seed)  # noqa: S311 - a sequence that can be had again, not a secret
        self._lock = threading.Lock()
        self._exhausted = False

    @property
    def event(self) -> Event:
        """What it waits for."""
        return self._leak.event

    def happen(self, occasion: Occasion) -> None:
        """Keep what is due; when the system has no more of it, say so once and go on."""
        size_bytes = round(self.injection.size_bytes * occasion.amount)
        with self._lock:
            if self._dice.random() >= self.injection.probability or not size_bytes:
                return
            try:
                self.kept_bytes += self._leak.keep(size_bytes, occasion)
                self.times += 1
            except (OSError, RuntimeError, MemoryError) as error:
                if not self._exhausted:
                    logger.warning("--inject %s: nothing more can be kept: %s", self.injection, error)
                self._exhausted = True


class LeakInjector:
    """What the server tells of its events; it does nothing unless there are injections.

    With a probability below 1, what happens at an event is drawn from a sequence that is seeded with the
    place of the injection among the others: the same events in the same order always leak the same.
    """

    def __init__(self, injections: Sequence[Injection] = ()) -> None:
        """Prepare to leak; nothing is kept before the first event."""
        self._active = [_ActiveLeak(injection, seed) for seed, injection in enumerate(injections)]
        self._waiting: dict[Event, list[_ActiveLeak]] = {}
        for active in self._active:
            self._waiting.setdefault(active.event, []).append(active)
        self._closed = 0
        self._lock = threading.Lock()

    def start(self) -> None:
        """Log loudly what will leak, and start the clock of what leaks by the second."""
        for active in self._active:
            logger.warning("LEAKING ON PURPOSE (--inject): %s", active.injection.in_words())
        if Event.SECOND in self._waiting:
            threading.Thread(target=self._tick, name="leak-timer", daemon=True).start()

    def connection_closed(self, session: Session, *, cut: bool, compressed: bool) -> None:
        """A connection has ended; `cut` without a closing handshake, `compressed` with permessage-deflate."""
        if not self._active:
            return
        occasion = Occasion(session=session)
        self._happened(Event.CLOSED, occasion)
        if cut:
            self._happened(Event.CUT, occasion)
        if compressed:
            self._happened(Event.CLOSED_COMPRESSED, occasion)
        with self._lock:
            self._closed += 1

    def hotwords_sent(self, text: str) -> None:
        """A client has sent its hotwords, separated by spaces."""
        if self._active:
            self._happened(Event.HOTWORDS, Occasion(amount=len(text.split()), text=text))

    def decoded(self, audio_s: float, results: Sequence[Result]) -> None:
        """A decoding task has worked on `audio_s` seconds of audio and found `results`."""
        if not self._active:
            return
        if audio_s:
            self._happened(Event.AUDIO, Occasion(amount=audio_s))
            self._happened(Event.PIECE, Occasion())
        for result in results:
            self._happened(Event.RESULT, Occasion(text=result.text))
            if result.start_time_ms is not None and result.end_time_ms is not None:
                self._happened(Event.SEGMENT, Occasion())
                speech_s = (result.end_time_ms - result.start_time_ms) / 1000
                self._happened(Event.SPEECH, Occasion(amount=speech_s))
        if results and results[-1].is_final:
            self._happened(Event.UTTERANCE, Occasion())

    def read(self) -> list[Injected]:
        """Say what each kind asked for has come to."""
        totals: dict[str, Injected] = {}
        for active in self._active:
            kind = active.injection.kind
            before = totals.get(kind, Injected(kind, 0, 0))
            totals[kind] = Injected(kind, before.kept_bytes + active.kept_bytes, before.times + active.times)
        return list(totals.values())

    def _happened(self, event: Event, occasion: Occasion) -> None:
        for active in self._waiting.get(event, ()):
            if self._closed >= active.injection.after:
                active.happen(occasion)

    def _tick(self) -> None:
        last_s = time.monotonic()
        while True:
            time.sleep(TIMER_INTERVAL_S)
            now_s = time.monotonic()
            self._happened(Event.SECOND, Occasion(amount=now_s - last_s))
            last_s = now_s
