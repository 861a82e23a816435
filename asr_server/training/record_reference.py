"""Records what FunASR's own Python runtime (the PyPI package funasr-onnx) answers on the bundled tiny models.

Run it in an environment of its own, with this repository on the path of nothing: it imports only funasr-onnx.

    pip install --no-deps funasr-onnx==0.4.3
    pip install "numpy<=1.26.4" onnxruntime pyyaml kaldi-native-fbank
    cd tests/unit/asr_server/paraformer/data
    python ../../../../../asr_server/training/record_reference.py ../../../../../asr_server/models/tiny .

The second folder holds the clips and gets the answers: `online.json` for several chunk sizes, `offline.json`
and `contextual.json` for several lists of hotwords. Utterances are the clips and joins of them, cut to many
lengths. What the package cannot do, and what is therefore not recorded:

- online, packets of another size than a chunk, utterances under 100 ms, and a chunk size without left context
  (it then takes the whole window for the context of the last one);
- contextual, hotwords of other than single-character tokens (it spells words letter by letter), characters
  outside of the vocabulary (it takes 8403 for the unknown token), over ten characters, and no hotwords at all
  (it then reads one of no tokens).
"""

from __future__ import annotations

import json
import logging
import sys
import tempfile
import types
import wave
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    Utterances = Iterable[np.ndarray]

SAMPLES_PER_FRAME = 960
"""60 ms: the unit of `chunk_size`, and the shortest final packet that leaves no stale state behind."""
SHORTEST_UTTERANCE = 1600
"""The package raises on first-and-only packets that are shorter."""
CHUNK_SIZES = ([5, 10, 5], [4, 8, 4], [8, 8, 4], [2, 6, 3], [5, 20, 5])
ODD_LENGTHS = (0, 1, 959, 960, 2400, 4799, 4800, 4960, 5760, 6000, 7777)
"""Samples beyond a whole number of chunks: both sides of every boundary in the end-of-utterance rules."""
OFFLINE_LENGTHS = (400, 959, 1360, 1600, 5000, 9600, 16000, 23456, 32000)
HOTWORDS = ("一", "三七", "九八 四五六", "一二三四五六七八九十", "零 一 二 三 四 五 六 七 八 九 十 百 千")


class Recorder:
    """Collects token ids in the place of a model's last step, the choice of the best token at each place."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.ids: list[int] = []

    def decode_one(self, scores: np.ndarray, count: int) -> list[str]:
        """Stand in for the package's method of this name: blanks and ends taken out, then cut."""
        best = [token_id for token_id in scores.argmax(axis=-1).tolist() if token_id not in {0, 2}]
        self.ids += best[: int(count)]
        return ["零"]


def recognise_online(folder: Path, chunk_size: list[int], utterances: Utterances) -> list[list[int]]:
    """Stream utterances, chunk by chunk."""
    from funasr_onnx.paraformer_online_bin import Paraformer  # noqa: PLC0415

    model = Paraformer(str(folder), chunk_size=chunk_size, quantize=True)
    model.decode_one = (recorder := Recorder()).decode_one
    size = chunk_size[1] * SAMPLES_PER_FRAME
    answers = []
    for samples in utterances:
        recorder.ids = []
        model.frontend.cache_reset()
        state: dict[str, object] = {"cache": {}, "is_final": False}
        whole = len(samples) // size * size
        for start in range(0, whole, size):
            model(samples[start : start + size], param_dict=state)
        state["is_final"] = True
        model(samples[whole:], param_dict=state)
        answers.append(recorder.ids)
    return answers


def recognise_offline(folder: Path, utterances: Utterances) -> list[list[int]]:
    """Recognise whole utterances."""
    from funasr_onnx.paraformer_bin import Paraformer  # noqa: PLC0415

    model = Paraformer(str(folder), quantize=True)
    model.decode_one = (recorder := Recorder()).decode_one
    answers = []
    for samples in utterances:
        recorder.ids = []
        model(samples)
        answers.append(recorder.ids)
    return answers


def recognise_contextual(folder: Path, hotwords: str, utterances: Utterances) -> list[list[int]]:
    """Recognise whole utterances with hotwords."""
    from funasr_onnx.paraformer_bin import ContextualParaformer  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as linked:
        for path in folder.resolve().iterdir():
            (Path(linked) / path.name).symlink_to(path)
        wanted = Path(linked) / "model_eb_quant.onnx"  # the package knows no mixture of int8 and float
        if not wanted.exists():
            wanted.symlink_to(folder.resolve() / "model_eb.onnx")
        model = ContextualParaformer(linked, quantize=True)
    model.decode_one = (recorder := Recorder()).decode_one
    answers = []
    for samples in utterances:
        recorder.ids = []
        model(samples, hotwords)
        answers.append(recorder.ids)
    return answers


def joins(clips: dict[str, np.ndarray]) -> Iterator[list[str]]:
    """Name the utterances: every clip, every two neighbours both ways, and all of them."""
    names = list(clips)
    yield from ([name] for name in names)
    for first, second in zip(names, names[1:] + names[:1], strict=True):
        yield [first, second]
    yield [*names, *reversed(names)]


def lengths(samples: np.ndarray, chunk: int | None) -> list[int]:
    """Choose the lengths to cut an utterance to; `chunk` in samples, None for offline."""
    if chunk is None:
        chosen = {length for length in OFFLINE_LENGTHS if length < len(samples)}
        return sorted(chosen | {len(samples)})
    start = (len(samples) // chunk - 1) * chunk
    chosen = {start + odd for odd in ODD_LENGTHS} | {1600, 5000, len(samples)}
    return sorted(length for length in chosen if SHORTEST_UTTERANCE <= length <= len(samples))


def record(models: Path, clips: dict[str, np.ndarray]) -> Iterator[tuple[str, list[dict[str, object]]]]:
    """Give the name of each file and what belongs into it."""
    whole = [(names, np.concatenate([clips[name] for name in names])) for names in joins(clips)]

    def cut(chunk: int | None) -> tuple[list[dict[str, object]], list[np.ndarray]]:
        chosen = [(names, samples[:n]) for names, samples in whole for n in lengths(samples, chunk)]
        return [{"clips": names, "samples": len(part)} for names, part in chosen], [p for _, p in chosen]

    answers = []
    for chunk_size in CHUNK_SIZES:
        heads, parts = cut(chunk_size[1] * SAMPLES_PER_FRAME)
        ids = recognise_online(models / "online", chunk_size, parts)
        answers += [{**head, "chunk_size": chunk_size, "ids": i} for head, i in zip(heads, ids, strict=True)]
    yield "online.json", answers
    heads, parts = cut(None)
    ids = recognise_offline(models / "offline", parts)
    yield "offline.json", [{**head, "ids": i} for head, i in zip(heads, ids, strict=True)]
    answers = []
    for hotwords in HOTWORDS:
        ids = recognise_contextual(models / "contextual", hotwords, parts)
        answers += [{**head, "hotwords": hotwords, "ids": i} for head, i in zip(heads, ids, strict=True)]
    yield "contextual.json", answers


def read_wav(path: Path) -> np.ndarray:
    """Read 16-bit mono samples as float32 in [-1, 1)."""
    with wave.open(str(path)) as file:
        return np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").astype(np.float32) / 32768.0


def main() -> None:
    """Run the command line."""
    models, data = (Path(argument) for argument in sys.argv[1:])
    for name in ("librosa", "jieba", "sentencepiece"):
        # Imported by the package at load, used by other models only.
        sys.modules.setdefault(name, types.ModuleType(name))
    logging.disable(logging.WARNING)
    clips = {path.name: read_wav(path) for path in sorted(data.glob("*.wav"))}
    for name, utterances in record(models, clips):
        text = ",\n".join(json.dumps(utterance, ensure_ascii=False) for utterance in utterances)
        (data / name).write_text(f"[\n{text}\n]\n", encoding="utf-8")
        print(f"{name}: {len(utterances)} utterances, {sum(len(u['ids']) for u in utterances)} tokens")


if __name__ == "__main__":
    main()
