"""How fast audio is sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Pace:
    """Audio is sent no earlier than it would have been said, by a speaker of that speed."""

    seconds_per_audio_s: float
    """1 for a microphone, 0 for as fast as the server takes it."""

    def due_s(self, audio_s: float) -> float:
        """Return when the audio from `audio_s` on may be sent, in seconds after the first."""
        return audio_s * self.seconds_per_audio_s


PACES: Mapping[str, Pace] = {
    "realtime": Pace(1.0),
    "unpaced": Pace(0.0),
}
