"""The usual client: it connects, says one utterance, waits for the final result and leaves."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from soak.load.scenarios.pace import PACES
from soak.load.scenarios.scenario import Answer, Connection, Scenario
from soak.plugins import check_choice

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

CLOSINGS: Mapping[str, Callable[[Connection], Awaitable[None]]] = {
    "normal": lambda connection: connection.close(),
    "abrupt": lambda connection: connection.cut(),
}


@dataclass(frozen=True)
class Dialogue(Scenario):
    """One utterance for each connection."""

    name: ClassVar[str] = "dialogue"
    pace: str = "unpaced"
    """`realtime`: frames come as from a microphone; `unpaced`: as fast as the server takes it."""
    closing: str = "normal"
    """`normal`: the closing handshake, code 1000; `abrupt`: after the final result the connection is cut
    (TCP reset), as by a client that is killed."""

    def __post_init__(self) -> None:
        """Refuse what is neither."""
        check_choice("pace", self.pace, PACES)
        check_choice("closing", self.closing, CLOSINGS)

    async def play(self, connection: Connection) -> Answer:
        """See `Scenario`."""
        await connection.open()
        answer = await connection.converse(PACES[self.pace])
        await CLOSINGS[self.closing](connection)
        return answer

    @property
    def readiness(self) -> Dialogue:
        """See `Scenario`: the same without waiting for a speaker."""
        return replace(self, pace="unpaced")
