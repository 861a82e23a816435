"""Make the bundled recordings: digit strings spoken by espeak-ng, resampled and levelled by sox.

Run `python -m soak.load.clips.make_clips` with `espeak-ng` (1.51) and `sox` on the path; it rewrites the WAV
files and `clips.json` in this folder. Not needed at run time.
"""

from __future__ import annotations

import json
import subprocess
import wave
from dataclasses import dataclass
from pathlib import Path

SAMPLE_RATE_HZ = 16000
PEAK_DBFS = -3
LEAD_S, TAIL_S = 0.2, 0.4
"""Silence around the speech: a microphone opens before a speaker starts and closes after the end."""

WORDS = {
    "cmn": ["零", "一", "二", "三", "四", "五", "六", "七", "八", "九"],
    "en": ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"],
}
VOICES = {"cmn": "cmn-latn-pinyin", "en": "en-us"}
"""espeak-ng's plain `cmn` voice reads the tone numbers of its own dictionary aloud as English words."""


@dataclass(frozen=True)
class Line:
    """One recording: what is said, by which voice variant and how fast."""

    language: str
    digits: str
    variant: str
    words_per_minute: int

    @property
    def transcript(self) -> str:
        """What a recogniser would write: characters without spaces, or words with them."""
        separator = "" if self.language == "cmn" else " "
        return separator.join(self._words())

    @property
    def spoken(self) -> str:
        """The text for espeak-ng, word by word."""
        return " ".join(self._words())

    @property
    def name(self) -> str:
        """File name without its ending."""
        return f"{self.language}-{self.variant}-{len(self.digits):02d}-digits"

    def _words(self) -> list[str]:
        return [WORDS[self.language][int(digit)] for digit in self.digits]


LINES = (
    Line("cmn", "3810", "m1", 150),
    Line("en", "729", "f2", 150),
    Line("cmn", "62840957", "f1", 150),
    Line("en", "5", "m3", 150),
    Line("cmn", "13800562947", "m3", 140),
    Line("en", "408316", "f4", 145),
    Line("cmn", "9", "f2", 150),
    Line("en", "2071895364", "m1", 150),
    Line("cmn", "057", "m4", 140),
    Line("en", "906135782409168", "m2", 135),
    Line("cmn", "482016", "f4", 150),
    Line("en", "36", "f3", 140),
    Line("cmn", "7031", "f5", 135),
    Line("en", "18492", "m4", 150),
    Line("cmn", "20", "m2", 150),
    Line("en", "64735081", "f1", 155),
    Line("cmn", "31415926535897932384626", "m7", 140),
    Line("en", "8027", "m7", 135),
)


def make_clip(line: Line, folder: Path) -> dict[str, object]:
    """Synthesise one recording into `folder` and return its entry for `clips.json`."""
    voice = f"{VOICES[line.language]}+{line.variant}"
    target = folder / f"{line.name}.wav"
    speed = str(line.words_per_minute)
    # both programs are found on the path, as the docstring above says
    speak = ["espeak-ng", "-v", voice, "-s", speed, "--stdout", line.spoken]
    speech = subprocess.run(speak, capture_output=True, check=True).stdout
    # --stdout leaves the length in the WAV header open; -D and -R keep the output the same every time
    shape = ["-r", str(SAMPLE_RATE_HZ), "-b", "16", "-c", "1"]
    effects = ["silence", "1", "0.02", "0.1%", "reverse", "silence", "1", "0.02", "0.1%", "reverse"]
    effects += ["pad", str(LEAD_S), str(TAIL_S), "norm", str(PEAK_DBFS)]
    convert = ["sox", "-R", "-D", "--ignore-length", "-t", "wav", "-", *shape, str(target), *effects]
    subprocess.run(convert, input=speech, check=True)
    with wave.open(str(target)) as recording:
        duration_s = recording.getnframes() / recording.getframerate()
    return {
        "name": line.name,
        "file": target.name,
        "language": line.language,
        "transcript": line.transcript,
        "duration_s": round(duration_s, 3),
        "voice": voice,
    }


def main() -> None:
    """Make all recordings and the list of them."""
    folder = Path(__file__).parent
    for old in folder.glob("*.wav"):
        old.unlink()
    entries = [make_clip(line, folder) for line in LINES]
    text = json.dumps(entries, ensure_ascii=False, indent=1)
    (folder / "clips.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
