"""The tiny models recognise speech: the bundled recordings, long streams, and names by their hotwords."""

import json
import wave
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from rapidfuzz.distance import Levenshtein

from asr_server.paraformer.catalog import resolve_model
from asr_server.paraformer.contextual import ContextualRecogniser
from asr_server.paraformer.offline import OfflineRecogniser
from asr_server.paraformer.sessions import RuntimeSettings
from asr_server.paraformer.streaming import OnlineRecogniser
from asr_server.paraformer.tokens import tokens_to_text
from soak.load.clips import load_clips

Samples = NDArray[np.float32]
Spoken = list[tuple[Samples, list[str]]]

NAMES = Path(__file__).parent / "data" / "names"
SAMPLE_RATE_HZ = 16000
TWO_MINUTES_S = 120


def read(path: Path) -> Samples:
    with wave.open(str(path)) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    return samples.astype(np.float32) / np.float32(32768)


@pytest.fixture(scope="module")
def bundled() -> Spoken:
    spoken = []
    for clip in load_clips():
        assert clip.transcript is not None
        words = clip.transcript.split() if clip.transcript.isascii() else list(clip.transcript)
        spoken.append((np.frombuffer(clip.pcm, "<i2").astype(np.float32) / np.float32(32768), words))
    return spoken


def error_rate(heard: Sequence[Sequence[str]], said: Sequence[Sequence[str]]) -> float:
    edits = sum(Levenshtein.distance(a, b) for a, b in zip(heard, said, strict=True))
    return edits / sum(map(len, said))


def test_the_bundled_recordings_are_understood_while_they_stream(
    online: OnlineRecogniser, bundled: Spoken
) -> None:
    heard = [online.new_stream().accept(samples, is_final=True) for samples, _ in bundled]
    assert error_rate(heard, [said for _, said in bundled]) <= 0.005


def test_the_float_graphs_hear_what_the_int8_ones_hear(bundled: Spoken) -> None:
    model = OnlineRecogniser.load(resolve_model("tiny") / "online", RuntimeSettings(), quantize=False)
    heard = [model.new_stream().accept(samples, is_final=True) for samples, _ in bundled]
    assert error_rate(heard, [said for _, said in bundled]) <= 0.005


@pytest.mark.parametrize("kind", ["offline", "contextual"])
def test_the_second_pass_understands_them_too(
    kind: str, offline: OfflineRecogniser, contextual: ContextualRecogniser, bundled: Spoken
) -> None:
    model = offline if kind == "offline" else contextual
    heard = [model.recognise(samples) for samples, _ in bundled]
    assert error_rate(heard, [said for _, said in bundled]) <= 0.005


def test_a_stream_of_two_minutes_is_understood_like_a_short_one(
    online: OnlineRecogniser, bundled: Spoken
) -> None:
    samples: list[Samples] = []
    said: list[str] = []
    while sum(map(len, samples)) < TWO_MINUTES_S * SAMPLE_RATE_HZ:
        for clip, tokens in bundled:
            samples.append(clip)
            said += tokens
    heard = online.new_stream().accept(np.concatenate(samples), is_final=True)
    assert error_rate([heard], [said]) <= 0.02


def names() -> list[dict[str, str]]:
    entries: list[dict[str, str]] = json.loads((NAMES / "names.json").read_text(encoding="utf-8"))
    return entries


@pytest.mark.parametrize("entry", names(), ids=lambda entry: entry["with_hotword"])
def test_a_hotword_decides_between_names_that_sound_alike(
    contextual: ContextualRecogniser, offline: OfflineRecogniser, entry: dict[str, str]
) -> None:
    samples = read(NAMES / entry["file"])
    assert tokens_to_text(offline.recognise(samples)) == entry["common"]
    assert tokens_to_text(contextual.recognise(samples)) == entry["common"]
    biased = contextual.with_hotwords([entry["hotword"]])
    assert tokens_to_text(biased.recognise(samples)) == entry["with_hotword"]


def test_hotwords_that_nobody_says_hardly_matter(contextual: ContextualRecogniser, bundled: Spoken) -> None:
    biased = contextual.with_hotwords([entry["hotword"] for entry in names()])
    heard = [biased.recognise(samples) for samples, _ in bundled]
    assert error_rate(heard, [said for _, said in bundled]) <= 0.01


def test_the_bundled_models_take_at_most_8_mb() -> None:
    assert sum(path.stat().st_size for path in resolve_model("tiny").rglob("*") if path.is_file()) <= 8e6
