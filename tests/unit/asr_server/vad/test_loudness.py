"""What `decibel_thres` and `snr_thres` add to the network's word."""

from dataclasses import replace

import numpy as np
import pytest

from asr_server.paraformer.frontend import FrontendSettings
from asr_server.vad.endpoint import EndpointSettings
from asr_server.vad.loudness import LoudnessGate

FRONTEND = FrontendSettings(shift=np.zeros(400), scale=np.ones(400), lfr_m=5, lfr_n=1)
PUBLISHED = EndpointSettings()


def tone(level: float, frames: int) -> np.ndarray:
    """Samples that complete so many frames of 25 ms, 10 ms apart, of one level."""
    return np.full(240 + 160 * frames, level, np.float32)


def test_the_published_thresholds_need_no_levels() -> None:
    assert not LoudnessGate.is_needed(PUBLISHED, FRONTEND)
    assert LoudnessGate.is_needed(replace(PUBLISHED, decibel_thres=-30.0), FRONTEND)
    assert LoudnessGate.is_needed(replace(PUBLISHED, snr_thres=5.0), FRONTEND)


@pytest.mark.parametrize(("threshold", "kept"), [(-15.0, True), (-13.0, False)])
def test_quiet_frames_are_no_speech(threshold: float, kept: bool) -> None:
    gate = LoudnessGate(replace(PUBLISHED, decibel_thres=threshold), FRONTEND)
    gate.hear(tone(0.01, 3))  # 400 samples of 1e-4: -14 dB
    assert gate.loud_enough(np.ones(3, bool)) == [kept] * 3


def test_speech_must_stand_out_of_the_noise() -> None:
    gate = LoudnessGate(replace(PUBLISHED, snr_thres=10.0), FRONTEND)
    gate.hear(tone(0.01, 10))
    assert gate.loud_enough(np.zeros(10, bool)) == [False] * 10  # the noise is learnt
    gate.reset()
    gate.hear(np.concatenate([tone(0.01, 20), tone(0.02, 20), tone(0.1, 20)]))
    voiced = np.concatenate([np.zeros(20, bool), np.ones(43, bool)])
    decided = gate.loud_enough(voiced)
    assert not any(decided[:40]), "6 dB above the noise is not 10"
    assert all(decided[45:])


@pytest.mark.parametrize("packet", [1, 100, 161, 5000])
def test_levels_belong_to_their_frames_however_the_audio_is_cut(packet: int) -> None:
    gate = LoudnessGate(replace(PUBLISHED, decibel_thres=0.0), FRONTEND)
    samples = np.concatenate([tone(0.5, 8), tone(0.001, 8)])
    for start in range(0, len(samples), packet):
        gate.hear(samples[start : start + packet])
    assert gate.loud_enough(np.ones(16, bool)) == [True] * 10 + [False] * 6
