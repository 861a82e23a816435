"""From frames to what the dialogue reads: audio as it comes, text once it is whole; sans-I/O."""

from __future__ import annotations

from asr_server.wire import CLOSE_MESSAGE_TOO_BIG, WireError


def text_too_long(size_bytes: int, max_text_bytes: int) -> WireError:
    """Say that a message of text is too long; it has not been parsed."""
    return WireError(
        f"the text frame has {size_bytes} bytes or more: send at most {max_text_bytes} (--max-text-bytes)",
        CLOSE_MESSAGE_TOO_BIG,
    )


class MessageReader:
    """Puts the fragments of a text message together; those of audio need no putting together."""

    def __init__(self, max_text_bytes: int) -> None:
        """Begin between two messages."""
        self._max_text_bytes = max_text_bytes
        self._text: bytearray | None = None

    def read(
        self, data: bytes | bytearray | memoryview, *, begins_text: bool, final: bool
    ) -> str | bytes | None:
        """Take a data frame; give the audio in it, or the text that it completes, or None: not yet.

        Raises WireError for too much text, UnicodeDecodeError for text that is not UTF-8.
        """
        if begins_text:
            self._text = bytearray()
        if self._text is None:
            return bytes(data)
        if len(self._text) + len(data) > self._max_text_bytes:
            raise text_too_long(len(self._text) + len(data), self._max_text_bytes)
        self._text += data
        if not final:
            return None
        text, self._text = self._text, None
        return text.decode()
