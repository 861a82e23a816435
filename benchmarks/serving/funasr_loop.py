"""Recognises a recording with FunASR's own Python package in a bare loop.

`FUNASR_PYTHON funasr_loop.py MODEL_DIR PCM_FILE LEFT CHUNK RIGHT ROUNDS` prints one line of JSON.
The package pins another numpy than this project uses, so this file imports nothing of it and runs in an
environment made with:

    python -m venv FOLDER
    FOLDER/bin/pip install --no-deps funasr-onnx==0.4.3
    FOLDER/bin/pip install "numpy<=1.26.4" onnxruntime pyyaml kaldi-native-fbank
"""

from __future__ import annotations

import json
import logging
import sys
import time
import types
from typing import Any

import numpy as np

SAMPLE_RATE_HZ = 16000
SAMPLES_PER_FRAME = 960


def recognise(model: Any, samples: Any) -> str:
    """Stream a recording chunk by chunk (the package takes no other packets); give its transcript."""
    model.frontend.cache_reset()
    state: dict[str, Any] = {"cache": {}, "is_final": False}
    size = model.chunk_size[1] * SAMPLES_PER_FRAME
    whole = len(samples) // size * size
    answers = []
    for start in range(0, whole, size):
        answers += model(samples[start : start + size], param_dict=state)
    state["is_final"] = True
    answers += model(samples[whole:], param_dict=state)
    return " ".join(answer["preds"][0] for answer in answers if answer)


def main() -> None:
    """Measure and print."""
    for name in ("librosa", "jieba", "sentencepiece"):
        # Imported by the package at load, used by other models only.
        sys.modules.setdefault(name, types.ModuleType(name))
    logging.disable(logging.WARNING)
    from funasr_onnx.paraformer_online_bin import Paraformer  # type: ignore[import-not-found]  # noqa: PLC0415

    folder, pcm_file, *numbers = sys.argv[1:]
    *chunk_size, rounds = (int(number) for number in numbers)
    samples = (np.fromfile(pcm_file, dtype="<i2") / 32768).astype(np.float32)
    model = Paraformer(folder, chunk_size=chunk_size, quantize=True, intra_op_num_threads=1)
    transcript = recognise(model, samples)
    whole = []
    for _ in range(rounds):
        began_s = time.process_time()
        recognise(model, samples)
        whole.append((time.process_time() - began_s) / (len(samples) / SAMPLE_RATE_HZ))
    print(json.dumps({"transcript": transcript, "whole": whole}))


if __name__ == "__main__":
    main()
