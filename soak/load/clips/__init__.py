"""The recordings a load sends: the bundled ones (see README.md here), or a folder of somebody's own.

A folder holds WAV files (PCM16 mono at 16 kHz) and says what is said in them, as far as that is known:
either in a list `clips.json` as in this folder, where only `name` and `file` are needed, or in a text file
beside each WAV file (`call.wav`, `call.txt`). A recording without a transcript is only compared with itself.
"""

from __future__ import annotations

import json
import stat
import wave
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

CLIP_FOLDER = Path(__file__).parent
SAMPLE_RATE_HZ = 16000
_SAMPLE_BYTES = 2
MOST_AUDIO_BYTES, MOST_LIST_BYTES, MOST_TEXT_BYTES = 2**29, 2**24, 2**20
"""Of one recording (more than four hours), of the list of all, of what is said in one."""
_LIST_NAME = "clips.json"
_CONVERT = f"convert it with: sox IN.wav -r {SAMPLE_RATE_HZ} -c 1 -b 16 OUT.wav"


class ClipError(ValueError):
    """Recordings that cannot be used; the message is one line that names the file."""


@dataclass(frozen=True)
class Clip:
    """One recording and what is said in it."""

    name: str
    """Unique name."""
    language: str
    """`cmn` (Mandarin) or `en`; empty where nobody said."""
    transcript: str | None
    """What a recogniser would write: Chinese characters, or English words with spaces. Empty where nothing is
    said, None where nobody knows."""
    voice: str
    """The espeak-ng voice and variant; empty where nobody said."""
    pcm: bytes
    """PCM16 little-endian mono at 16 kHz."""

    @property
    def duration_s(self) -> float:
        """Length of the recording in seconds."""
        return len(self.pcm) / (SAMPLE_RATE_HZ * _SAMPLE_BYTES)


@dataclass(frozen=True)
class ClipFile:
    """One recording that has been found, but not read."""

    name: str
    path: Path
    language: str = ""
    transcript: str | None = None
    voice: str = ""


def load_clips(folder: Path = CLIP_FOLDER) -> tuple[Clip, ...]:
    """Read the recordings of the folder, in the order of its list or of their names; see `find_clips`."""
    return tuple(
        Clip(
            name=found.name,
            language=found.language,
            transcript=found.transcript,
            voice=found.voice,
            pcm=_read_pcm(found.path),
        )
        for found in find_clips(folder)
    )


def find_clips(folder: Path) -> tuple[ClipFile, ...]:
    """Find the recordings of the folder and check the headers of the files, without reading the audio.

    Raises `ClipError` for a folder without recordings, a list that cannot be read, two recordings of one
    name, or a file that is not PCM16 mono at 16 kHz.
    """
    if not folder.is_dir():
        raise ClipError(f"{folder} is no folder: give one with WAV files")
    found = _listed(folder) if (folder / _LIST_NAME).is_file() else _beside(folder)
    if not found:
        raise ClipError(f"{folder} holds no recordings: put WAV files into it (PCM16, mono, 16 kHz)")
    (name, count), *_ = Counter(clip.name for clip in found).most_common(1)
    if count > 1:
        raise ClipError(f"{folder} has {count} recordings named {name!r}: rename them")
    for clip in found:
        _read_pcm(clip.path, header_only=True)
    return found


def _listed(folder: Path) -> tuple[ClipFile, ...]:
    path = folder / _LIST_NAME
    try:
        entries = json.loads(_read_text(path, MOST_LIST_BYTES))
    except RecursionError:
        raise ClipError(f"{path} is not a JSON list of recordings: it is nested too deep") from None
    except json.JSONDecodeError as error:
        raise ClipError(f"{path} is not a JSON list of recordings: {error}") from None
    if not isinstance(entries, list):
        raise ClipError(f"{path} is not a JSON list of recordings")
    return tuple(_entry(path, number, entry) for number, entry in enumerate(entries, 1))


def _entry(path: Path, number: int, entry: object) -> ClipFile:
    if not isinstance(entry, dict):
        raise ClipError(f"{path}, entry {number} is not an object with name and file")
    file = _text(path, number, entry, "file")
    if file is None:
        raise ClipError(f'{path}, entry {number} names no recording: write "file": "call.wav"')
    return ClipFile(
        name=_text(path, number, entry, "name") or Path(file).stem,
        path=path.parent / file,
        language=_text(path, number, entry, "language") or "",
        transcript=_text(path, number, entry, "transcript"),
        voice=_text(path, number, entry, "voice") or "",
    )


def _text(path: Path, number: int, entry: Mapping[str, Any], key: str) -> str | None:
    value = entry.get(key)
    if value is None or isinstance(value, str):
        return value
    raise ClipError(f"{path}, entry {number}: {key} is {value!r}, not a text")


def _beside(folder: Path) -> tuple[ClipFile, ...]:
    """Find WAV files with their transcripts in text files of the same names."""
    found = []
    for path in sorted(each for each in folder.iterdir() if each.suffix.lower() == ".wav"):
        text = path.with_suffix(".txt")
        transcript = _read_text(text, MOST_TEXT_BYTES).strip() if text.is_file() else None
        found.append(ClipFile(path.stem, path, transcript=transcript))
    return tuple(found)


def _read_text(path: Path, most_bytes: int) -> str:
    _refuse_what_is_no_file(path, most_bytes)
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise ClipError(f"{path} is not UTF-8 text: save it as UTF-8") from None
    except OSError as error:
        raise ClipError(f"cannot read {path}: {error.strerror}") from None


def _refuse_what_is_no_file(path: Path, most_bytes: int) -> None:
    """Refuse a pipe, whose reading may never end, and what no recording and no transcript is as long as."""
    try:
        found = path.stat()
    except OSError as error:
        raise ClipError(f"cannot read {path}: {error.strerror}") from None
    if not stat.S_ISREG(found.st_mode):
        raise ClipError(f"{path} is no regular file")
    if found.st_size > most_bytes:
        raise ClipError(f"{path} is longer than {most_bytes // 2**20} MiB")


def _read_pcm(path: Path, *, header_only: bool = False) -> bytes:
    _refuse_what_is_no_file(path, MOST_AUDIO_BYTES)
    try:
        with wave.open(str(path)) as recording:
            shape = (recording.getframerate(), recording.getnchannels(), recording.getsampwidth())
            if shape != (SAMPLE_RATE_HZ, 1, _SAMPLE_BYTES):
                raise ClipError(f"{path} is not PCM16 mono at {SAMPLE_RATE_HZ} Hz: {_CONVERT}")
            if recording.getnframes() == 0:
                raise ClipError(f"{path} holds no audio")
            pcm: bytes = b"" if header_only else recording.readframes(recording.getnframes())
    except (wave.Error, EOFError) as error:
        raise ClipError(f"{path} is not a PCM WAV file ({error}): {_CONVERT}") from None
    except OSError as error:
        raise ClipError(f"cannot read {path}: {error.strerror}") from None
    return pcm
