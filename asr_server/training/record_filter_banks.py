"""Records Kaldi's filter banks as torchaudio computes them in double precision, to test the front end by.

    pip install torchaudio
    python asr_server/training/record_filter_banks.py OUT.npz CLIP.wav ...

The file gets one array per clip, named after it: every sixth frame, as many as there are features.
"""

from __future__ import annotations

import sys
import wave
from pathlib import Path

import numpy as np
import torch
from torchaudio.compliance import kaldi

STEP = 6


def main() -> None:
    """Run the command line."""
    target, *clips = (Path(argument) for argument in sys.argv[1:])
    banks = {}
    for clip in clips:
        with wave.open(str(clip)) as file:
            samples = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").astype(np.float64)
        frames = kaldi.fbank(
            torch.from_numpy(samples)[None],
            sample_frequency=16000.0,
            window_type="hamming",
            num_mel_bins=80,
            dither=0.0,
            energy_floor=0.0,
        )
        banks[clip.name] = frames[::STEP].numpy().astype(np.float32)
    np.savez_compressed(target, **banks)


if __name__ == "__main__":
    main()
