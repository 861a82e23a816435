"""Is every transcript what was said, and what the first connection got? In memory bounded by the clips.

Two checks. Against the reference, where a clip has one: character errors. Against the clip's own first
transcript: the same audio on the same server must give the same text, whatever else is going on; where it
does not, connections got into each other's way (a shared cache, a lost chunk), or recognition depends on
timing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rapidfuzz.distance import Prefix

from soak.load.character_errors import CharacterErrors, character_errors

if TYPE_CHECKING:
    from collections.abc import Callable

    from soak.load.clips import Clip

CLIPS_TOLD = 1000
"""So many clips are told of one by one; of more the sums are."""
SHOWN_CHARS = 200
"""The longest text that is passed on."""
BEFORE_THE_DIFFERENCE_CHARS = 40


@dataclass
class _Heard:
    """What became of one clip so far."""

    transcript: str
    """The first."""
    connection: int
    """The connection that got it."""
    of_first: CharacterErrors | None
    """Its errors; None without a reference."""
    connections: int = 0
    changed: int = 0
    errors: int = 0


class TranscriptCheck:
    """Compares transcripts as they come."""

    def __init__(self, report: Callable[[str, dict[str, object]], None]) -> None:
        """Pass the first transcript of each clip, and those that differ from it, to `report`."""
        self.checked = 0
        """Transcripts of clips with a reference."""
        self.changed = 0
        """Transcripts that differ from the first one of their clip."""
        self.total = CharacterErrors(0, 0)
        """Errors and reference characters of all that were checked."""
        self._report = report
        self._heard: dict[str, _Heard] = {}

    def take(self, clip: Clip, transcript: str, connection: int) -> None:
        """Check the transcript that the connection of that number got for `clip`."""
        heard = self._heard.get(clip.name)
        if heard is None:
            heard = self._heard[clip.name] = _first(clip, transcript, connection)
            self._tell_first(clip, heard)
        errors = heard.of_first
        if transcript != heard.transcript:
            heard.changed += 1
            self.changed += 1
            errors = _errors(clip, transcript)
            self._tell_changed(clip, heard, transcript, connection)
        heard.connections += 1
        if errors is not None:
            heard.errors += errors.errors
            self.checked += 1
            total = self.total
            self.total = CharacterErrors(total.errors + errors.errors, total.characters + errors.characters)

    def clips(self) -> list[dict[str, object]]:
        """Return what became of each clip so far, at most `CLIPS_TOLD` of them, in order of appearance."""
        told = list(self._heard.items())[:CLIPS_TOLD]
        return [
            {
                "clip": name,
                "connections": heard.connections,
                "transcripts_changed": heard.changed,
                "character_errors": None if heard.of_first is None else heard.errors,
                "reference_characters": (
                    None if heard.of_first is None else heard.of_first.characters * heard.connections
                ),
            }
            for name, heard in told
        ]

    def _tell_first(self, clip: Clip, heard: _Heard) -> None:
        if len(self._heard) > CLIPS_TOLD:
            return
        first = heard.of_first
        self._report(
            "first_transcript",
            {
                "clip": clip.name,
                "connection": heard.connection,
                "reference": None if clip.transcript is None else _beginning(clip.transcript),
                "transcript": _beginning(heard.transcript),
                "character_errors": None if first is None else first.errors,
                "reference_characters": None if first is None else first.characters,
            },
        )

    def _tell_changed(self, clip: Clip, heard: _Heard, transcript: str, connection: int) -> None:
        at = Prefix.similarity(heard.transcript, transcript)
        self._report(
            "transcript_changed",
            {
                "clip": clip.name,
                "connection": connection,
                "now": _around(transcript, at),
                "first": _around(heard.transcript, at),
                "first_connection": heard.connection,
            },
        )


def _first(clip: Clip, transcript: str, connection: int) -> _Heard:
    return _Heard(transcript, connection, _errors(clip, transcript))


def _errors(clip: Clip, transcript: str) -> CharacterErrors | None:
    return None if clip.transcript is None else character_errors(clip.transcript, transcript)


def _beginning(text: str) -> str:
    return text if len(text) <= SHOWN_CHARS else f"{text[: SHOWN_CHARS - 1]}…"


def _around(text: str, at: int) -> str:
    """Return `text`, or where it is too long the part with the position `at` in it."""
    start = 0 if len(text) <= SHOWN_CHARS else max(0, at - BEFORE_THE_DIFFERENCE_CHARS)
    return f"…{_beginning(text[start:])}" if start else _beginning(text)
