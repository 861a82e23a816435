"""Leaks of Python objects: lists, caches and cycles that nobody clears."""

from __future__ import annotations

import gc
from collections import OrderedDict
from typing import ClassVar, Final

from asr_server.inject.leak import Event, Leak, Occasion, Resource, python_block

CACHE_ENTRIES: Final = 200
"""What the bounded cache holds at most: it grows for this many connections and then no more."""
BUFFER_BLOCK_BYTES: Final = 64 * 1024
"""How much a buffer grows by at a time: a second of audio in single precision."""


class _KeptList(Leak):
    """Appends to a list for as long as the process lives."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._kept: list[bytes] = []

    def keep(self, size_bytes: int, occasion: Occasion) -> int:  # noqa: ARG002 - the same at every event
        """Keep one more object."""
        self._kept.append(python_block(size_bytes))
        return size_bytes


class KeptAtClose(_KeptList):
    """The usual leak: an object per connection in a global set."""

    event = Event.CLOSED
    summary = "an object in a global list"


class KeptWhenCut(_KeptList):
    """A clean-up that only the closing handshake triggers."""

    event = Event.CUT
    summary = "an object that only a closing handshake would have freed"


class _KeptBuffer(Leak):
    """Writes into a buffer that nobody empties: a chain of equal blocks, each written to its end.

    An object for each of many small pieces would break up malloc's heap, because others are freed around it.
    RSS then grew by up to a quarter more than what was kept (24 % with pieces of 4 KB of audio, up to 28 %
    with results of 2 KB, 432 connections), by free memory between the blocks, so that a true measurement
    looked like a wrong one.
    """

    def __init__(self) -> None:
        """Begin with nothing."""
        self._blocks: list[bytearray] = []
        self._room_bytes = 0

    def keep(self, size_bytes: int, occasion: Occasion) -> int:  # noqa: ARG002 - the same at every event
        """Write so much more."""
        left_bytes = size_bytes
        while left_bytes:
            if not self._room_bytes:
                self._blocks.append(bytearray(BUFFER_BLOCK_BYTES))
                self._room_bytes = BUFFER_BLOCK_BYTES
            part_bytes, start = min(left_bytes, self._room_bytes), BUFFER_BLOCK_BYTES - self._room_bytes
            self._blocks[-1][start : start + part_bytes] = python_block(part_bytes)
            self._room_bytes -= part_bytes
            left_bytes -= part_bytes
        return size_bytes


class KeptAudio(_KeptBuffer):
    """A buffer of audio that nobody empties; it outlives its connection."""

    event = Event.AUDIO
    summary = "a buffer that nobody empties"


class LostSegment(_KeptList):
    """Audio of segments that were recognised and not let go."""

    event = Event.SPEECH
    summary = "the audio of a segment that was recognised"


class KeptPerInference(_KeptList):
    """Tensors kept by every run of the networks."""

    event = Event.PIECE
    summary = "what one inference worked on"


class KeptResults(_KeptBuffer):
    """A log of results in memory."""

    event = Event.RESULT
    summary = "the result in a log in memory"


class HotwordCache(Leak):
    """A cache keyed by the client's string of hotwords: it grows with lists that are not alike."""

    event = Event.HOTWORDS
    summary = "its vector in a cache keyed by the whole list, so once for a list that is always the same"

    def __init__(self) -> None:
        """Begin with nothing."""
        self._cache: dict[str, bytes] = {}

    def keep(self, size_bytes: int, occasion: Occasion) -> int:
        """Remember the list, unless it is known."""
        if occasion.text in self._cache:
            return 0
        self._cache[occasion.text] = python_block(size_bytes)
        return size_bytes


class BoundedCache(Leak):
    """No leak at all: it stops at `CACHE_ENTRIES`. To be called climbing before, a plateau after."""

    event = Event.CLOSED
    summary = f"an entry of a cache that ends at {CACHE_ENTRIES} of them: a late plateau, no leak"
    is_bounded = True

    def __init__(self) -> None:
        """Begin with nothing."""
        self._entries: OrderedDict[int, bytes] = OrderedDict()
        self._stored = 0

    def keep(self, size_bytes: int, occasion: Occasion) -> int:  # noqa: ARG002 - the same at every event
        """Store a new entry, and drop the oldest when there are too many."""
        self._stored += 1
        self._entries[self._stored] = python_block(size_bytes)
        if len(self._entries) <= CACHE_ENTRIES:
            return size_bytes
        self._entries.popitem(last=False)
        return 0


class UncollectedCycle(Leak):
    """Cycles, in a process that has turned its cycle collector off (from the first cycle on)."""

    event = Event.UTTERANCE
    summary = "a cycle of objects, with the cycle collector off"

    def keep(self, size_bytes: int, occasion: Occasion) -> int:  # noqa: ARG002 - the same at every event
        """Make one and let go of it."""
        gc.disable()
        cycle: list[object] = [python_block(size_bytes)]
        cycle.append(cycle)
        return size_bytes


class KeptSession(Leak):
    """The session itself stays, with ballast in place of what it recognised with: the count shows it too."""

    event = Event.CLOSED
    summary = "the session, with ballast in place of its streams"
    resources: ClassVar = (Resource.MEMORY, Resource.SESSIONS)

    def __init__(self) -> None:
        """Begin with nothing."""
        self._kept: list[tuple[object, bytes]] = []

    def keep(self, size_bytes: int, occasion: Occasion) -> int:
        """Keep session and ballast; its recogniser goes after the last task that is queued for it."""
        session = occasion.session
        if session is not None:
            session.strand.post(session.drop_recogniser)
        self._kept.append((session, python_block(size_bytes)))
        return size_bytes
