"""The audio of a stream: bundled recordings, one after another."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np

from soak.load.clips import SAMPLE_RATE_HZ, load_clips

if TYPE_CHECKING:
    from numpy.typing import NDArray

FRAME_SAMPLES = SAMPLE_RATE_HZ // 100
LOUD_DBFS = -45.0
"""A recording begins with its first frame of 10 ms above this, and ends with its last."""
PAUSE_S = 1.0
"""Longer than what voice activity detection waits for before it ends a sentence (800 ms)."""


def continuous_speech(seconds: float) -> NDArray[np.int16]:
    """Return so many seconds of PCM at 16 kHz, without silent ends of recordings.

    Nowhere in it is a pause at which voice activity detection would cut: all of it is recognised by everyone.
    """
    return _joined(seconds, pause_s=0.0)


def sentences(seconds: float) -> NDArray[np.int16]:
    """Return so many seconds of PCM at 16 kHz, with a pause after every recording."""
    return _joined(seconds, pause_s=PAUSE_S)


def _joined(seconds: float, *, pause_s: float) -> NDArray[np.int16]:
    wanted = round(seconds * SAMPLE_RATE_HZ)
    parts: list[NDArray[np.int16]] = []
    gathered = 0
    for clip in itertools.cycle(load_clips()):
        speech = without_silent_ends(np.frombuffer(clip.pcm, "<i2"))
        parts.append(np.pad(speech, (0, round(pause_s * SAMPLE_RATE_HZ))))
        gathered += len(parts[-1])
        if gathered >= wanted:
            return np.concatenate(parts)[:wanted]
    raise AssertionError("there is always another recording")


def without_silent_ends(pcm: NDArray[np.int16]) -> NDArray[np.int16]:
    """Cut what is before the first loud frame and after the last."""
    frames = pcm[: len(pcm) // FRAME_SAMPLES * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES) / 32768
    loud = np.flatnonzero(10 * np.log10((frames**2).mean(axis=1) + 1e-12) > LOUD_DBFS)
    return pcm[loud[0] * FRAME_SAMPLES : (loud[-1] + 1) * FRAME_SAMPLES]
