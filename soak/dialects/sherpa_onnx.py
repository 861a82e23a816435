"""sherpa-onnx's online WebSocket server.

The client sends nothing but samples (float32 little-endian, from -1 to 1, in binary messages) and then the
text `Done`. The server answers every chunk with the whole text of the present segment, as JSON, and the end
with a result that says `is_eof`, then with the text `Done!`; the result is missing when the end came after
the last chunk. A pause begins a new segment where the server detects endpoints.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from soak.dialects.dialect import (
    SAMPLE_RATE_HZ,
    AudioFrame,
    Conversation,
    Dialect,
    Event,
    Final,
    Message,
    MessageError,
    Partial,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

FRAME_S = 0.06
"""Audio of one message: as much as FunASR's clients send, so that loads can be compared."""
FRAME_SAMPLES = round(FRAME_S * SAMPLE_RATE_HZ)
FULL_SCALE = 32768
_SHOWN_CHARS = 80


@dataclass(frozen=True)
class SherpaOnnx(Dialect):
    """The protocol of `sherpa-onnx-online-websocket-server`."""

    name: ClassVar[str] = "sherpa-onnx"

    def conversation(self, connection: int | None = None) -> SherpaOnnxConversation:  # noqa: ARG002
        """See `Dialect`."""
        return SherpaOnnxConversation()


class SherpaOnnxConversation(Conversation):
    """One connection."""

    def __init__(self) -> None:
        """Wait for the first answer."""
        self._segments: dict[int, str] = {}

    def audio(self, pcm: bytes) -> Iterator[AudioFrame]:
        """See `Conversation`."""
        samples = (np.frombuffer(pcm, "<i2") / FULL_SCALE).astype("<f4")
        for start in range(0, len(samples), FRAME_SAMPLES):
            frame = samples[start : start + FRAME_SAMPLES]
            yield AudioFrame(frame.tobytes(), len(frame) / SAMPLE_RATE_HZ)

    def closing(self) -> list[Message]:
        """See `Conversation`."""
        return ["Done"]

    def receive(self, message: Message) -> list[Event]:
        """See `Conversation`."""
        if isinstance(message, bytes):
            raise MessageError(f"the server sent a binary message of {len(message)} bytes")
        if message == "Done!":
            return [Final(self._transcript())]
        segment, text, is_eof = _result(message)
        self._segments[segment] = text
        events: list[Event] = [Partial(text)] if text else []
        if is_eof:
            events.append(Final(self._transcript()))
        return events

    def _transcript(self) -> str:
        return " ".join(text for _, text in sorted(self._segments.items()) if text)


def _result(message: str) -> tuple[int, str, bool]:
    """Return segment, text and whether it is the last one; raises `MessageError`."""
    try:
        result = json.loads(message)
        segment, text = result.get("segment", 0), result["text"]
    except (ValueError, RecursionError, AttributeError, KeyError, TypeError):
        segment, text, result = None, None, {}
    if not isinstance(segment, int) or not isinstance(text, str):
        shown = json.dumps(message[:_SHOWN_CHARS])
        raise MessageError(f"the server sent what is no result of sherpa-onnx: {shown}")
    return segment, text.strip(), result.get("is_eof") is True
