"""The table of the transcripts: each recording with what is said in it and what the server made of it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from soak.quantity import MISSING, format_count, format_duration, format_percent

if TYPE_CHECKING:
    from soak.record import Transcripts
    from soak.record.events import TranscriptChanged
    from soak.record.transcripts import ClipTranscripts

MAX_ROWS = 50
"""Recordings in the table; of more, those that changed and then those with the most errors are shown."""
MAX_CHANGES_SHOWN = 3
"""Other transcripts shown for each recording."""


@dataclass(frozen=True)
class TranscriptRow:
    """One recording, as text."""

    clip: str
    reference: str
    """What is said; ``n/a`` where nobody knows."""
    transcript: str
    """The first transcript; ``(nothing)`` where it is empty."""
    cer: str
    connections: str
    changed: str
    has_changed: bool
    others: tuple[str, ...]
    """Transcripts of other connections that differ, with the connections' numbers."""


@dataclass(frozen=True)
class TranscriptTable:
    """What became of the transcripts, recording by recording."""

    rows: tuple[TranscriptRow, ...]
    note: str
    """What the table leaves out; empty for nothing."""


def transcript_table(transcripts: Transcripts | None, *, load_ended: bool) -> TranscriptTable | None:
    """Return the recordings of a run in order of name; None where none were recorded.

    `load_ended` says that the run got to the end of its load, so that the counts are of all of it.
    """
    if transcripts is None or not transcripts.clips:
        return None
    changes: dict[str, list[TranscriptChanged]] = defaultdict(list)
    for change in transcripts.changes:
        changes[change.clip].append(change)
    worst = sorted(transcripts.clips, key=_how_bad, reverse=True)[:MAX_ROWS]
    rows = tuple(_row(clip, changes[clip.clip]) for clip in sorted(worst, key=lambda clip: clip.clip))
    notes = []
    more = len(transcripts.clips) - len(worst)
    if more:
        notes.append(f"{format_count(more)} more recordings are in events.jsonl.")
    if transcripts.counted_up_to_s is None:
        notes.append("The run ended too early for counts.")
    elif not load_ended:
        notes.append(f"Counted up to {format_duration(transcripts.counted_up_to_s)}.")
    return TranscriptTable(rows, " ".join(notes))


def _how_bad(clip: ClipTranscripts) -> tuple[int, float]:
    return clip.changed, clip.character_error_rate or 0.0


def _row(clip: ClipTranscripts, changes: list[TranscriptChanged]) -> TranscriptRow:
    return TranscriptRow(
        clip=clip.clip,
        reference=MISSING if clip.reference is None else _shown(clip.reference),
        transcript=_shown(clip.transcript),
        cer=format_percent(clip.character_error_rate),
        connections=format_count(clip.connections),
        changed=format_count(clip.changed),
        has_changed=clip.changed > 0,
        others=tuple(_other(change) for change in changes[:MAX_CHANGES_SHOWN]),
    )


def _other(change: TranscriptChanged) -> str:
    who = "another connection" if change.connection is None else f"connection {change.connection}"
    return f"{who}: {_shown(change.now)}"


def _shown(text: str) -> str:
    return text if text.strip() else "(nothing)"
