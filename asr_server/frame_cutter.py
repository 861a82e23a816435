"""Cuts what a client sends into small steps before it is read as WebSocket frames, sans-I/O.

A frame may be as long as the largest message. Read whole, it is held three times over while it is unmasked
and copied; cut into fragments, as RFC 6455 (5.4) lets any intermediary do, it is worked off as it arrives.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

FRAGMENT_BYTES: Final = 64_000
"""A longer data frame is cut into fragments of this length: two seconds of audio at 16 kHz.

A multiple of four, so that the same mask fits every fragment (RFC 6455, 5.3)."""
COMPRESSED_FRAGMENT_BYTES: Final = 1024
"""The same where the client may compress: deflate makes a thousand times as much of a byte, and no more."""
_CONTINUATION, _TEXT, _FIRST_CONTROL = 0x0, 0x1, 0x8
_OPCODES = frozenset((0x0, 0x1, 0x2, 0x8, 0x9, 0xA))
_FINAL, _MASKED = 0x80, 0x80
_TWO_BYTES, _EIGHT_BYTES = 126, 127
"""What stands for a length that follows in as many bytes."""
_MASK_BYTES = 4


@dataclass(frozen=True)
class TextTooLong:
    """A frame of text is longer than allowed; what comes of it is skipped."""

    size_bytes: int


Step = bytes | TextTooLong


class FrameCutter:
    """Holds what has come and gives it away step by step, at most one frame at a time.

    What is wrong with a frame is left to who reads it: it comes out as it went in.
    """

    def __init__(self, *, max_message_bytes: int, max_text_bytes: int, compressed: bool) -> None:
        """Begin between two frames. Longer frames than `max_message_bytes` are not cut: they get refused."""
        self._max_message_bytes, self._max_text_bytes = max_message_bytes, max_text_bytes
        self._fragment_bytes = COMPRESSED_FRAGMENT_BYTES if compressed else FRAGMENT_BYTES
        self._data, self._start = b"", 0
        self._payload_bytes = 0
        """How much of the present fragment's payload is to come."""
        self._rest_bytes = 0
        """How much of the present frame comes after that, in fragments of its own."""
        self._rest_is_final, self._mask = False, b""
        self._skipped_bytes = 0

    def take_in(self, data: bytes) -> None:
        """Take what has come."""
        self._data = self._data[self._start :] + data if self._start < len(self._data) else data
        self._start = 0

    def next_step(self) -> Step | None:
        """Give the next step; None when more must come first."""
        available = len(self._data) - self._start
        if self._skipped_bytes:
            skipped = min(available, self._skipped_bytes)
            self._start += skipped
            available -= skipped
            self._skipped_bytes -= skipped
        if not available:
            return None
        if self._payload_bytes:
            return self._give(min(available, self._payload_bytes))
        if self._rest_bytes:
            return self._begin_fragment(_CONTINUATION)
        return self._begin_frame(available)

    def _begin_frame(self, available: int) -> Step | None:
        """Read a header, and give it with what there is of the payload."""
        if available < 2:
            return None
        head, masked_length = self._data[self._start], self._data[self._start + 1]
        opcode, length = head & 0x0F, masked_length & 0x7F
        if not masked_length & _MASKED or opcode not in _OPCODES:
            return self._give(available)  # who reads it fails here, and reads no more
        header = 2 + _MASK_BYTES
        if length == _TWO_BYTES:
            header += 2
        elif length == _EIGHT_BYTES:
            header += 8
        if available < header:
            return None
        if length == _TWO_BYTES:
            (length,) = struct.unpack_from("!H", self._data, self._start + 2)
        elif length == _EIGHT_BYTES:
            (length,) = struct.unpack_from("!Q", self._data, self._start + 2)
        if opcode == _TEXT and length > self._max_text_bytes:
            self._start += header
            self._skipped_bytes = length
            return TextTooLong(length)
        if opcode >= _FIRST_CONTROL or not self._fragment_bytes < length <= self._max_message_bytes:
            self._payload_bytes = header + length
            return self._give(min(available, header + length))
        self._mask = self._data[self._start + header - _MASK_BYTES : self._start + header]
        self._rest_is_final, self._rest_bytes = bool(head & _FINAL), length
        self._start += header
        return self._begin_fragment(head & ~_FINAL)

    def _begin_fragment(self, head: int) -> bytes:
        """Write a header for the next part of a frame that is too long, and give it alone."""
        size = min(self._rest_bytes, self._fragment_bytes)
        self._rest_bytes -= size
        self._payload_bytes = size
        if self._rest_is_final and not self._rest_bytes:
            head |= _FINAL
        if size < _TWO_BYTES:
            return struct.pack("!BB", head, _MASKED | size) + self._mask
        return struct.pack("!BBH", head, _MASKED | _TWO_BYTES, size) + self._mask

    def _give(self, size: int) -> bytes:
        self._payload_bytes = max(0, self._payload_bytes - size)
        start, self._start = self._start, self._start + size
        return self._data if size == len(self._data) else self._data[start : start + size]
