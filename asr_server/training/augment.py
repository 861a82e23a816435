"""Makes other voices, rooms, microphones and noises out of the synthetic ones, on log-mel frames.

Everything here works on the front end's log-mel energies, [T, 80] at 10 ms, where a gain is a sum, a
microphone's response a curve, a longer vocal tract a shift of bins, an echo a smearing of power, and noise
adds as power. That costs far less than the same done to samples.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from asr_server.training.corpus import log_mel
from asr_server.training.speech import SAMPLE_RATE_HZ

if TYPE_CHECKING:
    from collections.abc import Sequence

SILENCE = float(np.log(np.finfo(np.float32).eps))
"""The log-mel energy of digital silence."""
NOISE_S = 60
NOISE_COLOURS = (0.0, 0.5, 1.0, 1.5, 2.0)
"""Exponents: white is 0, pink 1, brown 2."""


@dataclass(frozen=True)
class Strength:
    """How far each change may go; the probabilities are those of the change being made at all."""

    stretch: float = 0.18
    """Largest relative change of duration."""
    warp: float = 0.14
    """Largest relative shift of mel bins: the length of the vocal tract."""
    gain_nepers: tuple[float, float] = (-6.0, 0.5)
    """Natural logarithm of power, below full scale."""
    curve_nepers: float = 1.3
    """Standard deviation of the microphone's response, as a smooth curve over the bins."""
    echo_probability: float = 0.35
    telephone_probability: float = 0.25
    noise_probability: float = 0.75
    snr_nepers: tuple[float, float] = (0.7, 9.0)
    """3 to 39 dB."""
    mask_probability: float = 0.4


FULL = Strength()
"""For most of the training."""
MILD = Strength(
    stretch=0.15,
    warp=0.10,
    gain_nepers=(-5.0, 0.5),
    curve_nepers=0.8,
    echo_probability=0.25,
    telephone_probability=0.2,
    noise_probability=0.55,
    snr_nepers=(1.6, 10.0),
    mask_probability=0.15,
)
"""For the end of it: closer to what is heard most."""
PLAIN = Strength(
    stretch=0.08,
    warp=0.04,
    gain_nepers=(-3.0, 0.5),
    curve_nepers=0.3,
    echo_probability=0.05,
    telephone_probability=0.05,
    noise_probability=0.2,
    snr_nepers=(4.0, 10.0),
    mask_probability=0.0,
)
"""To count tokens exactly by: in noise, miscounts by chance hide those that are always the same way."""
STRENGTHS = {"full": FULL, "mild": MILD, "plain": PLAIN}


@dataclass(frozen=True)
class Speaker:
    """What makes another speaker out of a voice."""

    stretch: float
    """Relative duration."""
    warp: float
    """Relative place of mel bins."""
    gain_nepers: float


class Augmenter:
    """Changes utterances at random; one per process."""

    def __init__(self, strength: Strength, speech: Sequence[np.ndarray], random: np.random.Generator) -> None:
        """Prepare noises: coloured ones, and a babble of the utterances in `speech`."""
        self._strength = strength
        self._random = random
        self._noises = [coloured_noise(exponent, random) for exponent in NOISE_COLOURS]
        if speech:
            self._noises += [babble(speech, voices, random) for voices in (3, 6, 12)]

    def speaker(self) -> Speaker:
        """Draw another speaker, faster or slower, louder or softer."""
        random, strength = self._random, self._strength
        return Speaker(
            stretch=1.0 + random.uniform(-strength.stretch, strength.stretch),
            warp=1.0 + random.uniform(-strength.warp, strength.warp),
            gain_nepers=random.uniform(*strength.gain_nepers),
        )

    def voice(self, mel: np.ndarray, speaker: Speaker) -> np.ndarray:
        """Let another speaker say it: [T, 80] -> [T', 80]."""
        frames, bins = mel.shape
        at_frame = np.linspace(0, frames - 1, max(int(frames * speaker.stretch), 2))
        at_bin = np.clip(np.arange(bins) * speaker.warp, 0, bins - 1)
        lower, right = at_frame.astype(int), at_bin.astype(int)
        mel = _mixed(mel, lower, (at_frame - lower)[:, None], axis=0)
        mel = _mixed(mel, right, (at_bin - right)[None, :], axis=1)
        return mel + speaker.gain_nepers

    def channel(self, mel: np.ndarray) -> np.ndarray:
        """One room, microphone and noise for a whole recording: [T, 80] -> [T, 80]."""
        random, strength = self._random, self._strength
        bins = mel.shape[1]
        if random.random() < strength.echo_probability:
            mel = _echo(mel, decay=random.uniform(0.5, 0.88), level=random.uniform(0.05, 0.5))
        speech_level = np.quantile(mel.max(axis=1), 0.8)
        if random.random() < strength.noise_probability:
            noise = self._noise(len(mel))
            level = speech_level - random.uniform(*strength.snr_nepers)
            mel = np.logaddexp(mel, noise - np.quantile(noise.max(axis=1), 0.8) + level)
        curve = random.normal(0.0, strength.curve_nepers * random.random(), 5)
        mel = mel + np.interp(np.linspace(0, 4, bins), np.arange(5), curve)
        if random.random() < strength.telephone_probability:
            low, high = random.uniform(2, 10), random.uniform(57, 66)
            outside = np.maximum(0, np.maximum(low - np.arange(bins), np.arange(bins) - high))
            mel = mel - np.minimum(outside * random.uniform(0.5, 2.0), 14.0)
            mel = np.logaddexp(mel, speech_level - random.uniform(9, 14))
        if random.random() < strength.mask_probability:
            width = int(random.integers(2, 12))
            start = int(random.integers(0, bins - width))
            mel[:, start : start + width] = mel.mean()
        return np.maximum(mel, SILENCE)

    def pause(self, frames: int) -> np.ndarray:
        """Silence before noise is added: [frames, 80]."""
        return np.full((frames, self._noises[0].shape[1]), SILENCE, np.float32)

    def _noise(self, frames: int) -> np.ndarray:
        noise = self._noises[int(self._random.integers(len(self._noises)))]
        start = int(self._random.integers(0, len(noise)))
        return np.take(noise, np.arange(start, start + frames), axis=0, mode="wrap")


def coloured_noise(exponent: float, random: np.random.Generator) -> np.ndarray:
    """A minute of noise whose power falls with frequency to the `exponent`: [T, 80]."""
    count = NOISE_S * SAMPLE_RATE_HZ
    spectrum = np.fft.rfft(random.standard_normal(count))
    spectrum[1:] *= np.arange(1, len(spectrum), dtype=np.float64) ** (-exponent / 2)
    samples = np.fft.irfft(spectrum, count)
    return log_mel((samples / np.abs(samples).max()).astype(np.float32))


def babble(speech: Sequence[np.ndarray], voices: int, random: np.random.Generator) -> np.ndarray:
    """A minute of `voices` utterances at once: [T, 80]."""
    total = np.full((NOISE_S * 100, speech[0].shape[1]), SILENCE)
    for _ in range(voices):
        position = -int(random.integers(0, 100))
        while position < len(total):
            mel = speech[int(random.integers(len(speech)))]
            part = mel[max(-position, 0) : len(total) - position]
            place = slice(max(position, 0), max(position, 0) + len(part))
            total[place] = np.logaddexp(total[place], part + random.uniform(-2, 0))
            position += len(mel) + int(random.integers(0, 40))
    return total


def _mixed(mel: np.ndarray, lower: np.ndarray, share: np.ndarray, axis: int) -> np.ndarray:
    """Interpolate between neighbours along an axis."""
    upper = np.minimum(lower + 1, mel.shape[axis] - 1)
    return np.take(mel, lower, axis) * (1 - share) + np.take(mel, upper, axis) * share


def _echo(mel: np.ndarray, decay: float, level: float) -> np.ndarray:
    """Smear power over the frames that follow, by `decay` a frame."""
    reach = int(np.ceil(np.log(0.01) / np.log(decay)))
    kernel = np.concatenate(([1.0], level * decay ** np.arange(1, reach)))
    power = np.exp(mel)
    padded = np.concatenate((np.full((reach - 1, mel.shape[1]), np.exp(SILENCE)), power))
    windows = np.lib.stride_tricks.sliding_window_view(padded, reach, axis=0)
    return np.log(windows @ kernel[::-1])
