"""FunASR's WebSocket servers, online, offline and 2pass; the bundled server speaks the same."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, get_args

from asr_server.wire import ClientDialogue, Mode, Sentence, ServerFault, UtteranceConfig
from asr_server.wire import Final as WireFinal
from asr_server.wire import Partial as WirePartial
from soak.dialects.dialect import (
    SAMPLE_BYTES,
    SAMPLE_RATE_HZ,
    AudioFrame,
    Conversation,
    Dialect,
    Event,
    Fault,
    Final,
    Message,
    MessageError,
    Partial,
)
from soak.plugins import OptionError, check_choice, check_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from asr_server.wire import ClientEvent

CONNECTION_NUMBER = "{connection}"
"""Stands in the hotwords for the number of the connection."""


@dataclass(frozen=True)
class Funasr(Dialect):
    """FunASR's protocol and what its first message says."""

    name: ClassVar[str] = "funasr"
    mode: Mode = "2pass"
    """Recognition mode."""
    chunk_size: tuple[int, int, int] = (5, 10, 5)
    """Left context, chunk and right context in units of 60 ms."""
    hotwords: str = ""
    """The `hotwords` field of the opening message, as FunASR takes it: words with spaces between them, or a
    JSON object of words and weights in a string. They work where the second pass is contextual. Where it
    says {connection} the number of the connection stands, so that every client has a list of its own."""

    def __post_init__(self) -> None:
        """Refuse what FunASR does not know."""
        check_choice("mode", self.mode, get_args(Mode))
        chunk = tuple(self.chunk_size) if isinstance(self.chunk_size, list) else self.chunk_size
        object.__setattr__(self, "chunk_size", chunk)
        integers = isinstance(chunk, tuple) and all(type(part) is int and part >= 0 for part in chunk)
        if not integers or len(chunk) != 3 or chunk[1] == 0:
            raise OptionError(f"chunk_size is {chunk!r}: it must be three whole numbers such as [5, 10, 5]")
        check_text("hotwords", self.hotwords)

    def conversation(self, connection: int | None = None) -> FunasrConversation:
        """See `Dialect`."""
        config = UtteranceConfig(
            mode=self.mode, chunk_size=self.chunk_size, hotwords=self.hotwords, wav_name="soak"
        )
        if connection is not None:
            config = replace(config, hotwords=self.hotwords.replace(CONNECTION_NUMBER, str(connection)))
        return FunasrConversation(config)


class FunasrConversation(Conversation):
    """One connection."""

    def __init__(self, config: UtteranceConfig) -> None:
        """Prepare a conversation about audio as `config` describes it."""
        self._dialogue = ClientDialogue(config)

    def opening(self) -> list[Message]:
        """See `Conversation`."""
        return [self._dialogue.opening()]

    def audio(self, pcm: bytes) -> Iterator[AudioFrame]:
        """See `Conversation`."""
        for frame in self._dialogue.audio_frames(pcm):
            yield AudioFrame(frame, len(frame) / (SAMPLE_BYTES * SAMPLE_RATE_HZ))

    def closing(self) -> list[Message]:
        """See `Conversation`."""
        return [self._dialogue.closing()]

    def receive(self, message: Message) -> list[Event]:
        """See `Conversation`."""
        if isinstance(message, bytes):
            raise MessageError(f"the server sent a binary message of {len(message)} bytes")
        return [_event(event) for event in self._dialogue.receive(message)]


def _event(event: ClientEvent) -> Event:
    match event:
        case WirePartial(text) | Sentence(text):
            return Partial(text)
        case WireFinal(transcript):
            return Final(transcript)
        case ServerFault(message):
            return Fault(message)
