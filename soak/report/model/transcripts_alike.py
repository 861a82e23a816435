"""The transcripts of several runs side by side: of a recording, one server makes the same in all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from soak.quantity import format_count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from soak.record import Transcripts
    from soak.report.model.model import ReportModel

NAMED_RECORDINGS = 3


@dataclass(frozen=True)
class TranscriptNote:
    """A sentence on the transcripts of several runs."""

    text: str
    is_warning: bool


def transcript_notes(models: Sequence[ReportModel]) -> tuple[TranscriptNote, ...]:
    """Say in which runs transcripts changed, and whether the runs got the same ones.

    The second is said only of runs with the same model and settings on which transcripts depend: these must
    agree, whatever the number of threads and of connections open at once.
    """
    notes = tuple(
        TranscriptNote(f"{model.name}: {model.transcripts.change_in_words}.", is_warning=True)
        for model in models
        if model.transcripts is not None and model.transcripts.changed
    )
    if len(models) > 1 and all(model.transcripts and model.transcripts.clips for model in models):
        # where some changed, it is no news that the first ones agree
        notes += tuple(note for note in _agreement(models) if note.is_warning or not notes)
    return notes


def _agreement(models: Sequence[ReportModel]) -> list[TranscriptNote]:
    """Compare the runs' first transcripts, by recording, with those of the first run."""
    first, *others = models
    if any(other.text_settings != first.text_settings for other in others):
        return []
    before, *after = (_first_transcripts(model.transcripts) for model in models)
    notes = []
    for other, now in zip(others, after, strict=True):
        differ = sorted(clip for clip in before.keys() & now.keys() if before[clip] != now[clip])
        if differ:
            named = ", ".join(differ[:NAMED_RECORDINGS]) + (" …" if len(differ) > NAMED_RECORDINGS else "")
            words = (
                f"{format_count(len(differ))} of {format_count(len(now))} recordings have another transcript"
            )
            notes.append(
                TranscriptNote(f"{other.name}: {words} than in {first.name}: {named}", is_warning=True)
            )
    if notes:
        return notes
    clips = set(before).intersection(*after)
    if not clips:
        return []
    text = f"Transcripts agree in all runs, recording for recording ({format_count(len(clips))} compared)."
    return [TranscriptNote(text, is_warning=False)]


def _first_transcripts(transcripts: Transcripts | None) -> dict[str, str]:
    return {} if transcripts is None else {clip.clip: clip.transcript for clip in transcripts.clips}
