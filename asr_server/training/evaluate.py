"""Measures the exported tiny models through the server's own runtime, voice by voice.

    python -m asr_server.training.evaluate [--recordings FOLDER] [--markdown FILE]

The voices are those that no training has heard, a plain one that it has, the bundled clips, streams of
minutes, and recordings of a person: a folder with `0.wav` to `9.wav`, English, such as Debian's
asterisk-core-sounds-en-wav installs in /usr/share/asterisk/sounds/en/digits. Token error rate is the edit
distance over the tokens said.
"""

from __future__ import annotations

import argparse
import json
import re
import wave
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from rapidfuzz.distance import Levenshtein
from rich.progress import track

from asr_server.paraformer.catalog import VAD
from asr_server.paraformer.contextual import load_second_pass
from asr_server.paraformer.sessions import RuntimeSettings
from asr_server.paraformer.streaming import OnlineRecogniser
from asr_server.recogniser import ConnectionRecogniser, Models
from asr_server.training.phrases import Language, draw_digits, draw_phrase
from asr_server.training.speech import (
    HELD_OUT_FLITE_VOICE,
    HELD_OUT_VARIANTS,
    MANDARIN_ACCENT,
    SAMPLE_RATE_HZ,
    Voice,
    resampled,
    speak,
)
from asr_server.training.vocabularies import ENGLISH_DIGITS
from asr_server.vad.fsmn import FsmnVad
from asr_server.wire import UtteranceConfig

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from asr_server.wire import ResultMode

MODELS = Path(__file__).parent.parent / "models" / "tiny"
CLIPS = Path(__file__).parents[2] / "soak" / "load" / "clips"
PHRASES_A_VOICE = 30
LONG_STREAMS_S = (10, 40, 120)
LONG_STREAMS = 6
LONGEST_OFFLINE_S = 60
AS_SERVED = ", sentences cut by the VAD"
"""Added to the name of a group that is recognised as the server does it, also."""
PACKET_SAMPLES = 960
FULL_SCALE = 32767
TOKEN = re.compile("[a-z]+|[^a-z ]")
"""In a text of the tiny models: an English word or a Chinese character."""
PEAK = 0.7


@dataclass(frozen=True)
class Spoken:
    """A recording and what is said in it."""

    group: str
    samples: np.ndarray
    tokens: tuple[str, ...]
    is_stream: bool = False
    """Whether it is one phrase after another, with pauses."""


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--models", type=Path, default=MODELS, help="folder of online/, offline/, contextual/"
    )
    parser.add_argument("--recordings", type=Path, help="folder with 0.wav to 9.wav, English digits")
    parser.add_argument("--only", help="groups whose name holds this")
    parser.add_argument("--markdown", type=Path, help="write the table here too")
    arguments = parser.parse_args()
    spoken = [*bundled_clips(), *held_out_voices(), *long_streams()]
    if arguments.recordings:
        spoken += recorded_digits(arguments.recordings)
    if arguments.only:
        spoken = [item for item in spoken if arguments.only in item.group]
    table = markdown(score(arguments.models, spoken))
    print(table)
    if arguments.markdown:
        arguments.markdown.write_text(table + "\n", encoding="utf-8")


def score(models: Path, spoken: Sequence[Spoken]) -> dict[str, dict[str, tuple[int, int]]]:
    """Recognise everything with every model: group -> model -> (edits, tokens)."""
    settings = RuntimeSettings()
    online = OnlineRecogniser.load(models / "online", settings)
    second = {
        kind: load_second_pass(models / kind, settings)
        for kind in ("offline", "contextual")
        if (models / kind / "model_quant.onnx").exists()
    }
    vad = FsmnVad.load(MODELS / VAD, settings)
    totals: dict[str, dict[str, tuple[int, int]]] = {}

    def count(group: str, kind: str, said: Sequence[str], heard: Sequence[str]) -> None:
        row = totals.setdefault(group, {})
        edits, tokens = row.get(kind, (0, 0))
        row[kind] = edits + Levenshtein.distance(heard, said), tokens + len(said)

    for item in track(spoken, "recognising"):
        count(item.group, "online", item.tokens, online.new_stream().accept(item.samples, is_final=True))
        if len(item.samples) <= LONGEST_OFFLINE_S * SAMPLE_RATE_HZ:
            for kind, model in second.items():
                count(item.group, kind, item.tokens, model.recognise(item.samples))
        if item.is_stream:
            for kind, model in second.items():
                heard = hear_as_served(Models(online, model, vad), item.samples)
                row = item.group + AS_SERVED
                count(row, kind, item.tokens, heard["2pass-offline"])
                if kind == "offline":
                    count(row, "online", item.tokens, heard["2pass-online"])
    return totals


def hear_as_served(models: Models, samples: np.ndarray) -> dict[ResultMode, list[str]]:
    """Give the tokens of both passes over what a client streams in packets of 60 ms, as the server does."""
    connection = ConnectionRecogniser(models, UtteranceConfig())
    results = []
    for begin in range(0, len(samples), PACKET_SAMPLES):
        packet = samples[begin : begin + PACKET_SAMPLES]
        results += connection.accept((packet * FULL_SCALE).astype("<i2").tobytes())
    results += connection.finish()
    passes: tuple[ResultMode, ...] = ("2pass-online", "2pass-offline")
    return {
        kind: [token for result in results if result.mode == kind for token in TOKEN.findall(result.text)]
        for kind in passes
    }


def markdown(totals: dict[str, dict[str, tuple[int, int]]]) -> str:
    """Write the rates as a Markdown table."""
    kinds = ("online", "offline", "contextual")
    rows = [f"| voice | tokens | {' | '.join(kinds)} |", "|---|---|---|---|---|"]
    for group, row in totals.items():
        rates = [f"{100 * row[kind][0] / row[kind][1]:.1f} %" if kind in row else "" for kind in kinds]
        rows.append(f"| {group} | {row['online'][1]} | {' | '.join(rates)} |")
    return "\n".join(rows)


def bundled_clips() -> Iterator[Spoken]:
    """The recordings that the load driver sends."""
    for clip in json.loads((CLIPS / "clips.json").read_text(encoding="utf-8")):
        text = clip["transcript"]
        tokens = tuple(text) if clip["language"] == "cmn" else tuple(text.split())
        yield Spoken("bundled clips", read_wav(CLIPS / clip["file"]), tokens)


def held_out_voices() -> list[Spoken]:
    """Voices that training has not heard, digits and other phrases apart, and a plain voice that it has."""
    tasks: list[tuple[str, Language, Voice, int]] = []
    for language, accent in (("cmn", MANDARIN_ACCENT), ("en", "en-us")):
        for variant in ("m1", *HELD_OUT_VARIANTS):
            kind = "known" if variant == "m1" else "unseen"
            for seed in range(PHRASES_A_VOICE):
                voice = Voice(
                    "espeak-ng", f"{accent}+{variant}", (110, 140, 170)[seed % 3], (35, 50, 65)[seed // 3 % 3]
                )
                group = f"espeak-ng {kind}, {language}, {'digits' if seed % 3 else 'all phrases'}"
                tasks.append((group, language, voice, seed))
    flite = Voice("flite", HELD_OUT_FLITE_VOICE)
    tasks += [("flite unseen (rms), en, digits", "en", flite, seed) for seed in range(3 * PHRASES_A_VOICE)]
    with ProcessPoolExecutor() as pool:
        return list(pool.map(_say, tasks, chunksize=10))


def _say(task: tuple[str, Language, Voice, int]) -> Spoken:
    group, language, voice, seed = task
    random = np.random.default_rng([7, seed, sum(voice.name.encode())])
    phrase = draw_digits(language, random) if "digits" in group else draw_phrase(language, random)
    return Spoken(group, padded(speak(phrase.written, voice), random), phrase.tokens)


def long_streams() -> Iterator[Spoken]:
    """Digit strings of known voices, one after another for as long as a stream may be."""
    for seconds in LONG_STREAMS_S:
        for number in range(LONG_STREAMS):
            random = np.random.default_rng([11, seconds, number])
            language: Language = "cmn" if number % 2 else "en"
            accent = MANDARIN_ACCENT if language == "cmn" else "en-us"
            voice = Voice("espeak-ng", f"{accent}+{('m1', 'f2', 'm3')[number % 3]}")
            samples, tokens = [], []
            while sum(map(len, samples)) < seconds * SAMPLE_RATE_HZ:
                phrase = draw_digits(language, random)
                samples.append(padded(speak(phrase.written, voice), random))
                tokens += phrase.tokens
            yield Spoken(f"streams of {seconds} s", np.concatenate(samples), tuple(tokens), is_stream=True)


def recorded_digits(folder: Path) -> Iterator[Spoken]:
    """A person's digits, alone and strung together with pauses."""
    digits = [read_wav(folder / f"{digit}.wav") for digit in range(10)]
    for digit, samples in enumerate(digits):
        random = np.random.default_rng([13, digit])
        for _ in range(3):
            yield Spoken("person, en, single digits", padded(samples, random), (ENGLISH_DIGITS[digit],))
    for seed in range(30):
        random = np.random.default_rng([17, seed])
        chosen = random.integers(0, 10, int(random.integers(2, 8)))
        pause = np.zeros(int(0.1 * SAMPLE_RATE_HZ), np.float32)
        joined = np.concatenate([part for digit in chosen for part in (digits[digit], pause)])
        tokens = tuple(ENGLISH_DIGITS[digit] for digit in chosen)
        yield Spoken("person, en, strings of digits", padded(joined, random), tokens)


def padded(samples: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Bring to one level, with silence around as a microphone has it."""
    lead, tail = (
        np.zeros(int(random.uniform(low, low + 0.2) * SAMPLE_RATE_HZ), np.float32) for low in (0.2, 0.4)
    )
    return np.concatenate((lead, samples / max(np.abs(samples).max(initial=0.0), 1e-6) * PEAK, tail))


def read_wav(path: Path) -> np.ndarray:
    """Read 16-bit mono samples at any rate as float32 in [-1, 1) at 16 kHz."""
    with wave.open(str(path)) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")
        rate_hz = file.getframerate()
    return resampled(samples, rate_hz)


if __name__ == "__main__":
    main()
