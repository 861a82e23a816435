"""What a stream sends to each server, and when it has its answer: without sockets or clocks."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from websockets.frames import Frame, Opcode

from asr_server.wire import ClientDialogue, Final, ServerFault, UtteranceConfig
from soak.load.clips import SAMPLE_RATE_HZ

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PACKET_S = 0.06
"""FunASR's clients send 60 ms at a time; the clients of every server here do."""
PACKET_SAMPLES = round(PACKET_S * SAMPLE_RATE_HZ)


class ContenderError(RuntimeError):
    """A contender that does not do what it should; one line."""


@dataclass(frozen=True)
class Script:
    """The frames of a stream as bytes for the socket: made once, sent by every stream."""

    opening: bytes
    packets: tuple[bytes, ...]
    """One for each 60 ms."""
    closing: bytes


class Reader(Protocol):
    """Reads one stream's answers."""

    def receive(self, text: str) -> str | None:
        """Take one message; give the transcript if it was the last one."""


class Dialect(Protocol):
    """One server's protocol."""

    def script(self, pcm: NDArray[np.int16]) -> Script:
        """What a stream sends."""

    def reader(self) -> Reader:
        """A reader for one stream."""


class FunasrReader:
    """Reads the answers of this server."""

    def __init__(self, config: UtteranceConfig) -> None:
        """Wait for the answers to a stream that `config` opened."""
        self._dialogue = ClientDialogue(config)
        self._dialogue.closing()

    def receive(self, text: str) -> str | None:
        """See `Reader`."""
        for event in self._dialogue.receive(text):
            if isinstance(event, ServerFault):
                raise ContenderError(event.message)
            if isinstance(event, Final):
                return event.transcript
        return None


@dataclass(frozen=True)
class FunasrDialect:
    """The protocol of FunASR and of this server."""

    config: UtteranceConfig

    def script(self, pcm: NDArray[np.int16]) -> Script:
        """See `Dialect`."""
        dialogue = ClientDialogue(self.config)
        packets = tuple(_frame(Opcode.BINARY, packet) for packet in dialogue.audio_frames(pcm.tobytes()))
        return Script(
            _frame(Opcode.TEXT, dialogue.opening().encode()),
            packets,
            _frame(Opcode.TEXT, dialogue.closing().encode()),
        )

    def reader(self) -> FunasrReader:
        """See `Dialect`."""
        return FunasrReader(self.config)


class SherpaReader:
    """Reads the answers of sherpa-onnx's server: the whole text after each chunk, then `Done!`."""

    def __init__(self) -> None:
        """Wait for the first answer."""
        self._text = ""

    def receive(self, text: str) -> str | None:
        """See `Reader`; the message with `is_eof` is missing when the end came after the last chunk."""
        if text == "Done!":
            return self._text
        message = json.loads(text)
        self._text = message["text"]
        return self._text if message.get("is_eof") else None


class SherpaDialect:
    """The protocol of sherpa-onnx's online WebSocket server."""

    def script(self, pcm: NDArray[np.int16]) -> Script:
        """See `Dialect`."""
        samples = (pcm / 32768).astype("<f4")
        starts = range(0, len(samples), PACKET_SAMPLES)
        packets = [samples[start : start + PACKET_SAMPLES].tobytes() for start in starts]
        return Script(
            b"", tuple(_frame(Opcode.BINARY, each) for each in packets), _frame(Opcode.TEXT, b"Done")
        )

    def reader(self) -> SherpaReader:
        """See `Dialect`."""
        return SherpaReader()


def _frame(opcode: Opcode, payload: bytes) -> bytes:
    return Frame(opcode, payload).serialize(mask=True)
