"""Records what FunASR's own Python runtime (the PyPI package funasr-onnx) answers on the tiny online model.

Run it in an environment of its own, with this repository on the path of nothing: it imports only funasr-onnx.

    pip install --no-deps funasr-onnx==0.4.3
    pip install "numpy<=1.26.4" onnxruntime pyyaml kaldi-native-fbank
    python asr_server/training/record_reference.py MODEL_DIR OUT.json CLIP.wav ...

The audio goes in as that package demands it: packets of exactly 9600 samples, then the rest flagged final.
Each clip is cut to several lengths. Lengths that end on a packet boundary get an empty final packet, which is
what a server sees.
"""

from __future__ import annotations

import json
import logging
import sys
import types
import wave
from pathlib import Path

import numpy as np

CHUNK_SAMPLES = 9600
SHORTEST_FINAL_PACKET = 960
"""Below this the package leaves stale state behind, so every length gets a fresh front end."""
SHORTEST_CLIP = 1600
"""The package raises on first-and-only packets that are shorter."""
CUTS = (0, 1, 959, 960, 2400, 4799, 4800, 4960, 5760, 6000, 7777, 9599)
"""Samples beyond a whole number of packets: both sides of every boundary in the end-of-utterance rules."""


class RecordedParaformer:
    """The package's online Paraformer, giving raw token ids."""

    def __init__(self, model_dir: Path) -> None:
        """Load the int8 graphs."""
        for name in ("librosa", "jieba", "sentencepiece"):
            # Imported by the package at load, used by other models only.
            sys.modules.setdefault(name, types.ModuleType(name))
        from funasr_onnx.paraformer_online_bin import Paraformer  # noqa: PLC0415

        logging.disable(logging.WARNING)
        self._model = Paraformer(str(model_dir), quantize=True, intra_op_num_threads=1)
        self._ids: list[int] = []
        self._model.decode_one = self._keep

    def _keep(self, scores: np.ndarray, count: int) -> list[str]:
        self._ids += scores.argmax(axis=-1)[:count].tolist()
        return ["零"]

    def recognise(self, samples: np.ndarray) -> list[int]:
        """Stream one utterance and give its token ids."""
        self._ids = []
        self._model.frontend.cache_reset()
        state: dict[str, object] = {"cache": {}, "is_final": False}
        whole = len(samples) // CHUNK_SAMPLES * CHUNK_SAMPLES
        for start in range(0, whole, CHUNK_SAMPLES):
            self._model(samples[start : start + CHUNK_SAMPLES], param_dict=state)
        state["is_final"] = True
        self._model(samples[whole:], param_dict=state)
        return self._ids


def read_wav(path: Path) -> np.ndarray:
    """Read 16-bit mono samples as float32 in [-1, 1)."""
    with wave.open(str(path)) as file:
        return np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").astype(np.float32) / 32768.0


def main() -> None:
    """Run the command line."""
    model_dir, target, *clips = (Path(argument) for argument in sys.argv[1:])
    paraformer = RecordedParaformer(model_dir)
    utterances = []
    for clip in clips:
        samples = read_wav(clip)
        packets = len(samples) // CHUNK_SAMPLES
        lengths = {(packets - 1) * CHUNK_SAMPLES + cut for cut in CUTS} | {1600, 5000, len(samples)}
        utterances += [
            {"clip": clip.name, "samples": length, "ids": paraformer.recognise(samples[:length])}
            for length in sorted(lengths)
            if length >= SHORTEST_CLIP
        ]
    text = ",\n".join(json.dumps(utterance) for utterance in utterances)
    target.write_text(f"[\n{text}\n]\n", encoding="utf-8")
    print(f"{len(utterances)} utterances, {sum(len(u['ids']) for u in utterances)} tokens")


if __name__ == "__main__":
    main()
