"""What a stream sends, as bytes made once, and when it has its answer; in any dialect of soak."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from websockets.frames import Frame, Opcode

from soak.dialects import Fault, Final, MessageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from soak.dialects import Dialect, Message

PACKET_S = 0.06
"""FunASR's clients send 60 ms at a time; the clients of every server here do."""


class ContenderError(RuntimeError):
    """A contender that does not do what it should; one line."""


@dataclass(frozen=True)
class Script:
    """The frames of a stream as bytes for the socket: made once, sent by every stream."""

    opening: bytes
    packets: tuple[bytes, ...]
    """One for each 60 ms."""
    closing: bytes


class Reader:
    """Reads one stream's answers."""

    def __init__(self, dialect: Dialect) -> None:
        """Wait for the answers to a stream that `script_of` wrote."""
        self._conversation = dialect.conversation()
        self._conversation.closing()

    def receive(self, message: Message) -> str | None:
        """Take one message; give the transcript if it was the last one."""
        try:
            events = self._conversation.receive(message)
        except MessageError as error:
            raise ContenderError(str(error)) from None
        for event in events:
            if isinstance(event, Fault):
                raise ContenderError(event.message)
            if isinstance(event, Final):
                return event.transcript
        return None


def script_of(dialect: Dialect, pcm: NDArray[np.int16]) -> Script:
    """Write down what a stream sends. Raises ContenderError if its packets do not last 60 ms."""
    conversation = dialect.conversation()
    opening = b"".join(_frame(message) for message in conversation.opening())
    audio = list(conversation.audio(pcm.tobytes()))
    if any(abs(frame.duration_s - PACKET_S) > 1e-9 for frame in audio[:-1]):
        raise ContenderError(f"{dialect.name} cuts audio into other packets than the {PACKET_S:g} s of all")
    closing = b"".join(_frame(message) for message in conversation.closing())
    return Script(opening, tuple(_frame(frame.message) for frame in audio), closing)


def _frame(message: Message) -> bytes:
    if isinstance(message, str):
        return Frame(Opcode.TEXT, message.encode()).serialize(mask=True)
    return Frame(Opcode.BINARY, message).serialize(mask=True)
