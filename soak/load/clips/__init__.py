"""The bundled recordings: short synthetic speech of varied length, with transcripts (see README.md here)."""

from __future__ import annotations

import json
import wave
from dataclasses import dataclass
from pathlib import Path

CLIP_FOLDER = Path(__file__).parent
SAMPLE_RATE_HZ = 16000
_SAMPLE_BYTES = 2


@dataclass(frozen=True)
class Clip:
    """One recording and what is said in it."""

    name: str
    """Unique name."""
    language: str
    """`cmn` (Mandarin) or `en`."""
    transcript: str
    """What a recogniser would write: Chinese characters, or English words with spaces."""
    voice: str
    """The espeak-ng voice and variant."""
    pcm: bytes
    """PCM16 little-endian mono at 16 kHz."""

    @property
    def duration_s(self) -> float:
        """Length of the recording in seconds."""
        return len(self.pcm) / (SAMPLE_RATE_HZ * _SAMPLE_BYTES)


def load_clips(folder: Path = CLIP_FOLDER) -> tuple[Clip, ...]:
    """Read the recordings that `clips.json` in the folder lists, in its order.

    Raises OSError for a file that is missing and ValueError for one that is not PCM16 mono at 16 kHz.
    """
    entries = json.loads((folder / "clips.json").read_text(encoding="utf-8"))
    return tuple(
        Clip(
            name=entry["name"],
            language=entry["language"],
            transcript=entry["transcript"],
            voice=entry["voice"],
            pcm=_read_pcm(folder / entry["file"]),
        )
        for entry in entries
    )


def _read_pcm(path: Path) -> bytes:
    with wave.open(str(path)) as recording:
        shape = (recording.getframerate(), recording.getnchannels(), recording.getsampwidth())
        if shape != (SAMPLE_RATE_HZ, 1, _SAMPLE_BYTES):
            raise ValueError(f"{path.name}: not PCM16 mono at {SAMPLE_RATE_HZ} Hz")
        pcm: bytes = recording.readframes(recording.getnframes())
    return pcm
