"""What every scenario is: a coroutine over one connection, which it opens, uses and ends."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from soak.plugins import Part

if TYPE_CHECKING:
    from soak.load.clips import Clip
    from soak.load.scenarios.pace import Pace


@dataclass(frozen=True)
class Answer:
    """What a completed utterance got."""

    transcript: str
    first_result_s: float
    """From the first frame of audio to the first result of any kind."""
    final_s: float
    """From the end-of-audio message to the final result."""


class Connection(Protocol):
    """The steps of which a scenario is made; each fails with a `SessionError` that has a name.

    Whatever is open when a scenario ends, is cancelled or fails, is closed by the driver.
    """

    @property
    def clip(self) -> Clip:
        """The recording that it is this connection's turn to send."""

    async def open(self) -> None:
        """Connect and make the WebSocket handshake, within `connect_timeout_s`."""

    async def converse(self, pace: Pace) -> Answer:
        """Hold the whole dialogue about the clip, from the opening to the final result.

        The result is waited for for `result_timeout_s` after the end of the audio.
        """

    async def begin(self) -> None:
        """Send the opening only, and wait until the server is ready where the dialect says so."""

    async def speak(self, pace: Pace, seconds: float) -> None:
        """Send the first so many seconds of the clip, in whole frames, without reading results."""

    async def close(self) -> None:
        """Make the closing handshake, code 1000, within `close_timeout_s`."""

    async def cut(self) -> None:
        """End the TCP connection by a reset, without a word, as a client does that is killed."""


@dataclass(frozen=True)
class Scenario(Part):
    """What a connection does; the fields of a subclass are its options."""

    @abstractmethod
    async def play(self, connection: Connection) -> Answer | None:
        """Do it; a connection counts as completed when this returns.

        The answer is checked and its latencies are recorded; None where the scenario wants no result.
        """

    @property
    def readiness(self) -> Scenario | None:
        """The scenario by which the server's readiness is tested; None for the usual dialogue."""
        return None
