"""Makes the recordings of names that sound alike, on which hotwords are tested.

    python -m asr_server.training.name_clips FOLDER

Every clip says a name that has two spellings; `names.json` gives what a model writes without a hotword, and
what it should write when the other spelling is one.
"""

from __future__ import annotations

import argparse
import json
import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from asr_server.training.speech import MANDARIN_ACCENT, SAMPLE_RATE_HZ, Voice, speak

LEAD_S, TAIL_S = 0.25, 0.4
PEAK = 0.7


@dataclass(frozen=True)
class NameClip:
    """One recording: what is said, its spelling without a hotword, and the other one."""

    voice: str
    common: str
    hotword: str
    with_hotword: str


CLIPS = (
    NameClip(f"{MANDARIN_ACCENT}+m1", "呼叫王明", "王鸣", "呼叫王鸣"),
    NameClip(f"{MANDARIN_ACCENT}+f2", "李静", "李靖", "李靖"),
    NameClip(f"{MANDARIN_ACCENT}+m3", "呼叫张丽芳", "张莉方", "呼叫张莉方"),
    NameClip(f"{MANDARIN_ACCENT}+f4", "刘红军", "刘宏君", "刘宏君"),
    NameClip(f"{MANDARIN_ACCENT}+m8", "呼叫陈平", "陈萍", "呼叫陈萍"),
    NameClip("en-us+m1", "call eric", "erik", "call erik"),
    NameClip("en-us+f2", "steven", "stephen", "stephen"),
    NameClip("en-us+m3", "call john", "jon", "call jon"),
    NameClip("en-us+f4", "call sara", "sarah", "call sarah"),
    NameClip("en-us+m8", "brian", "bryan", "bryan"),
)


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    entries = []
    for number, clip in enumerate(CLIPS):
        name = f"name-{number}.wav"
        write_wav(folder / name, speak(clip.common, Voice("espeak-ng", clip.voice)))
        entries.append({"file": name, **vars(clip)})
    text = json.dumps(entries, ensure_ascii=False, indent=1)
    (folder / "names.json").write_text(text + "\n", encoding="utf-8")


def write_wav(path: Path, samples: np.ndarray) -> None:
    """Write 16-bit mono at 16 kHz, brought to one level, with silence around."""
    lead, tail = (np.zeros(int(seconds * SAMPLE_RATE_HZ), np.float32) for seconds in (LEAD_S, TAIL_S))
    padded = np.concatenate((lead, samples / np.abs(samples).max() * PEAK, tail))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE_HZ)
        file.writeframes((padded * 32767).astype("<i2").tobytes())


if __name__ == "__main__":
    main()
