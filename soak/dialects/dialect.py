"""What every dialect is: messages out and messages in, without a socket and without a clock.

A `Dialect` is a protocol with its options, the same for all connections. It makes one `Conversation` for
each connection, which knows what to send and what the server's messages mean. Who drives it moves the
messages: `opening`, then the frames of `audio` at their pace, then `closing`; all the while every message of
the server goes to `receive`, and `Final` ends the utterance.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from soak.plugins import Part

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

SAMPLE_RATE_HZ = 16000
"""Of the PCM that a conversation is given; a dialect that wants another rate converts it."""
SAMPLE_BYTES = 2

Message: TypeAlias = "str | bytes"
"""One WebSocket message: text or binary."""


class MessageError(ValueError):
    """The server sent what is not of this dialect; the message is one line."""


@dataclass(frozen=True)
class AudioFrame:
    """A message with audio in it."""

    message: Message
    duration_s: float
    """How long its audio lasts, in seconds."""


@dataclass(frozen=True)
class Partial:
    """Something was recognised, and more may come: an increment, the text so far, or a sentence."""

    text: str


@dataclass(frozen=True)
class Final:
    """The answer to the end of the utterance."""

    transcript: str
    """Everything that was recognised in it."""


@dataclass(frozen=True)
class Fault:
    """The server reported an error; the conversation is over."""

    message: str


@dataclass(frozen=True)
class Ready:
    """The server is ready for audio; only for a conversation that says `awaits_ready`."""


@dataclass(frozen=True)
class Send:
    """The server's message wants an answer: this one."""

    message: Message


Event: TypeAlias = "Partial | Final | Fault | Ready | Send"


class Conversation(ABC):
    """The client's side of one connection, about one utterance."""

    @property
    def awaits_ready(self) -> bool:
        """Whether audio is held back until the server's `Ready`."""
        return False

    def opening(self) -> Sequence[Message]:
        """Return what is sent first."""
        return ()

    @abstractmethod
    def audio(self, pcm: bytes) -> Iterator[AudioFrame]:
        """Cut an utterance (PCM16 little-endian mono at `SAMPLE_RATE_HZ`) into messages."""

    def closing(self) -> Sequence[Message]:
        """Return what says that the utterance is over; what comes after it may be its answer."""
        return ()

    @abstractmethod
    def receive(self, message: Message) -> Sequence[Event]:
        """Take one message of the server. Raises `MessageError` for one that is not of this dialect."""

    def hung_up(self) -> Sequence[Event]:
        """Say what it means that the server closed the connection; nothing, where that is a failure."""
        return ()


@dataclass(frozen=True)
class Dialect(Part):
    """A protocol, spoken to one kind of server; the fields of a subclass are its options."""

    @property
    def subprotocols(self) -> Sequence[str]:
        """WebSocket subprotocols to offer."""
        return ()

    @property
    def headers(self) -> Mapping[str, str]:
        """HTTP headers of the handshake beside the usual ones."""
        return {}

    @abstractmethod
    def conversation(self, connection: int | None = None) -> Conversation:
        """Begin a conversation. `connection` counts from 1; None for those that test readiness."""
