"""What a run recorded of its transcripts: how much of them is wrong, and which ones changed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from soak.quantity import format_count
from soak.record.events import FirstTranscript, TranscriptChanged, TranscriptCounts

if TYPE_CHECKING:
    from soak.record.reader import Run

TEXT_IN_A_WARNING_CHARS = 30


@dataclass(frozen=True)
class ClipTranscripts:
    """What became of one recording. What was not recorded is None."""

    clip: str
    reference: str | None
    """What is said in it."""
    transcript: str
    """The first transcript of the run."""
    connections: int | None
    """Connections that got a transcript."""
    changed: int
    """Of these, the ones with another transcript than the first."""
    errors: int | None
    """Character errors of all."""
    characters: int | None
    """Characters of their references."""

    @property
    def character_error_rate(self) -> float | None:
        """Errors per character of reference; None without a reference, or where nothing is said."""
        return _rate(self.errors, self.characters)


@dataclass(frozen=True)
class Transcripts:
    """What became of all transcripts of a run."""

    connections: int
    """Connections that got a transcript."""
    checked: int
    """Of these, the ones that were compared with what is said."""
    changed: int
    """Of these, the ones with another transcript than the first of the same recording."""
    errors: int
    """Character errors of those checked."""
    characters: int
    """Characters of their references."""
    clips: tuple[ClipTranscripts, ...]
    """The recordings one by one, in order of appearance; empty in runs of before these were recorded."""
    counted_up_to_s: float | None
    """When the figures of `clips` were last recorded, in seconds: a run that was killed lacks the latest."""
    changes: tuple[TranscriptChanged, ...]
    """The first changes one by one."""

    @classmethod
    def of(cls, run: Run) -> Self | None:
        """Return what `run` recorded; None where it counted no transcripts, as a CSV of somebody else."""
        changed = _last(run, "transcripts_changed")
        if changed is None:
            return None
        counted = run.last_event(TranscriptCounts)
        changes = tuple(run.events_of(TranscriptChanged))
        return cls(
            connections=_last(run, "connections_completed") or 0,
            checked=_last(run, "transcripts_checked") or 0,
            changed=changed,
            errors=_last(run, "character_errors") or 0,
            characters=_last(run, "reference_characters") or 0,
            clips=_clips(run, counted, changes),
            counted_up_to_s=None if counted is None else counted.t_s,
            changes=changes,
        )

    @property
    def character_error_rate(self) -> float | None:
        """Errors per character of reference, over all transcripts checked; None for none."""
        return _rate(self.errors, self.characters)

    @property
    def change_in_words(self) -> str | None:
        """Say in a few words how many transcripts changed; None when none did."""
        if not self.changed:
            return None
        return f"{format_count(self.changed)} of {format_count(self.connections)} transcripts changed"

    @property
    def warning(self) -> str | None:
        """Say how many transcripts changed, and how the first ones did; None when none did."""
        said = self.change_in_words
        if said is None:
            return None
        if self.changes:
            said += f": {_in_words(self.changes[0])}"
            said += self._others_in_words()
        return (
            f"{said}. Either connections get into each other's way (a shared cache, lost audio), "
            "or recognition depends on timing."
        )

    def _others_in_words(self) -> str:
        """Name the next connections whose transcripts changed, and count the rest."""
        numbers = [change.connection for change in self.changes[1:4] if change.connection is not None]
        if not numbers:
            return ""
        named = f"connection{'s' if len(numbers) > 1 else ''} {', '.join(map(str, numbers))}"
        rest = self.changed - 1 - len(numbers)
        return f" (also {named}{f' and {format_count(rest)} more' if rest > 0 else ''})"

    def to_json_object(self) -> dict[str, Any]:
        """Return what `verdict.json` holds of it."""
        return {
            "connections": self.connections,
            "checked": self.checked,
            "changed": self.changed,
            "character_errors": self.errors,
            "reference_characters": self.characters,
            "character_error_rate": self.character_error_rate,
            "warning": self.warning,
            "clips": [
                {
                    "clip": clip.clip,
                    "reference": clip.reference,
                    "transcript": clip.transcript,
                    "connections": clip.connections,
                    "changed": clip.changed,
                    "character_errors": clip.errors,
                    "reference_characters": clip.characters,
                    "character_error_rate": clip.character_error_rate,
                }
                for clip in sorted(self.clips, key=lambda clip: clip.clip)
            ],
        }


def _in_words(change: TranscriptChanged) -> str:
    who = "a connection" if change.connection is None else f"connection {change.connection}"
    before = "the first" if change.first_connection is None else f"connection {change.first_connection}"
    return f"{who} got {_quoted(change.now)} for {change.clip} where {before} got {_quoted(change.first)}"


def _quoted(text: str) -> str:
    one_line = " ".join(text.split())
    shown = one_line if len(one_line) <= TEXT_IN_A_WARNING_CHARS else f"{one_line[:TEXT_IN_A_WARNING_CHARS]}…"
    return f"“{shown}”"


def _rate(errors: int | None, characters: int | None) -> float | None:
    return errors / characters if errors is not None and characters else None


def _last(run: Run, column: str) -> int | None:
    """Return the last reading of a counter; None where there is none."""
    if column not in run.samples:
        return None
    known = run.samples[column].dropna()
    return int(known.iloc[-1]) if len(known) else None


def _clips(
    run: Run, counted: TranscriptCounts | None, changes: tuple[TranscriptChanged, ...]
) -> tuple[ClipTranscripts, ...]:
    counts = {} if counted is None else {each.clip: each for each in counted.clips}
    seen_to_change = Counter(change.clip for change in changes)
    found = []
    for first in run.events_of(FirstTranscript):
        count = counts.get(first.clip)
        found.append(
            ClipTranscripts(
                clip=first.clip,
                reference=first.reference,
                transcript=first.transcript,
                connections=None if count is None else count.connections,
                changed=max(0 if count is None else count.transcripts_changed, seen_to_change[first.clip]),
                # of a clip that was not counted yet, the first transcript is all that is known
                errors=first.character_errors if count is None else count.character_errors,
                characters=first.reference_characters if count is None else count.reference_characters,
            )
        )
    return tuple(found)
