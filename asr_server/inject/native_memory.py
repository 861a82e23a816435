"""Leaks that Python knows nothing of: malloc without free, and shared memory."""

from __future__ import annotations

import mmap

from asr_server.inject.leak import Event, Leak, Occasion, native_block, python_block


class _NeverFreed(Leak):
    """Allocates with malloc and forgets the address."""

    def keep(self, size_bytes: int, occasion: Occasion) -> int:  # noqa: ARG002 - the same at every event
        """Lose one more block."""
        native_block(size_bytes)
        return size_bytes


class NativeHandle(_NeverFreed):
    """A handle of a C library, one per utterance, that is never destroyed."""

    event = Event.UTTERANCE
    summary = "a block of malloc, as a library's handle that nobody destroys"


class NativePerSegment(_NeverFreed):
    """A few bytes per segment: real, and too slow for most runs to see."""

    event = Event.SEGMENT
    summary = "a block of malloc; with a few bytes, less than most runs can see"


class CompressionContext(_NeverFreed):
    """zlib's window and hash table, kept for connections that compressed their messages."""

    event = Event.CLOSED_COMPRESSED
    summary = "a block of malloc, as zlib's context; needs compression on both sides"


class IdleTimer(_NeverFreed):
    """A timer that keeps something whether or not anybody is connected."""

    event = Event.SECOND
    summary = "a block of malloc"


class SharedMemory(Leak):
    """Shared memory (what tmpfs and System V segments are made of), mapped, written and never unmapped."""

    event = Event.UTTERANCE
    summary = "a mapping of shared memory"

    def __init__(self) -> None:
        """Begin with nothing."""
        self._mappings: list[mmap.mmap] = []

    def keep(self, size_bytes: int, occasion: Occasion) -> int:  # noqa: ARG002 - the same at every event
        """Map one more; without a file behind it, so that no descriptor is held."""
        mapping = mmap.mmap(-1, size_bytes)
        mapping.write(python_block(size_bytes))
        self._mappings.append(mapping)
        return size_bytes
