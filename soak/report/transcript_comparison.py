"""The transcripts of several runs side by side: of a recording, one server makes the same in all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from soak.quantity import format_count
from soak.record.transcripts import Transcripts
from soak.report.facts import section

if TYPE_CHECKING:
    from collections.abc import Sequence

    from soak.record import Run

SHAPES_THE_TEXT = (
    *(("server", name) for name in ("model", "second_pass", "hotword")),
    *(("load", name) for name in ("dialect", "mode", "chunk_size", "hotwords", "clips")),
)
"""Section and name of the settings on which transcripts depend."""
BEFORE_THERE_WAS_A_CHOICE = {"dialect": "funasr"}
"""What runs were made with that do not record a setting."""
NAMED_RECORDINGS = 3


@dataclass(frozen=True)
class TranscriptNote:
    """A sentence on the transcripts of several runs."""

    text: str
    is_warning: bool


def transcript_notes(runs: Sequence[Run]) -> list[TranscriptNote]:
    """Say in which runs transcripts changed, and whether the runs got the same ones.

    The second is said only of runs with the same model and settings on which transcripts depend: these must
    agree, whatever the number of threads and of connections open at once.
    """
    found = [Transcripts.of(run) for run in runs]
    notes = [
        TranscriptNote(f"{run.name}: {transcripts.change_in_words}.", is_warning=True)
        for run, transcripts in zip(runs, found, strict=True)
        if transcripts is not None and transcripts.changed
    ]
    if len(runs) > 1 and all(transcripts and transcripts.clips for transcripts in found):
        # where some changed, it is no news that the first ones agree
        notes += [
            note
            for note in _agreement(runs, [_first_transcripts(each) for each in found])
            if note.is_warning or not notes
        ]
    return notes


def _agreement(runs: Sequence[Run], transcripts: Sequence[dict[str, str]]) -> list[TranscriptNote]:
    """Compare the runs' first transcripts, by recording, with those of the first run."""
    first, *others = runs
    if any(_kind(other) != _kind(first) for other in others):
        return []
    before = transcripts[0]
    notes = []
    for other, now in zip(others, transcripts[1:], strict=True):
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
    clips = set(before).intersection(*transcripts[1:])
    if not clips:
        return []
    text = f"Transcripts agree in all runs, recording for recording ({format_count(len(clips))} compared)."
    return [TranscriptNote(text, is_warning=False)]


def _kind(run: Run) -> tuple[str, ...]:
    return tuple(
        str(section(run, part).get(name, BEFORE_THERE_WAS_A_CHOICE.get(name)))
        for part, name in SHAPES_THE_TEXT
    )


def _first_transcripts(transcripts: Transcripts | None) -> dict[str, str]:
    return {} if transcripts is None else {clip.clip: clip.transcript for clip in transcripts.clips}
