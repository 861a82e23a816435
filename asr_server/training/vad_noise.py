"""Backgrounds for voice activity detection, made from random numbers and from other voices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

Floats = NDArray[np.float32]

SAMPLE_RATE_HZ: Final = 16000
SPECTRAL_SLOPES: Final = {"white": 0.0, "pink": 1.0, "brown": 2.0}
"""Power falls with frequency to this power."""
LOWEST_SLOPED_HZ: Final = 20.0
BABBLE_VOICES: Final = 7
HUM_HARMONICS: Final = 24
TRAINED_KINDS: Final = ("white", "pink", "brown", "hum", "babble", "clatter", "gusts", "tones")
UNTRAINED_KINDS: Final = ("fan",)
"""For the benchmark: what a detector has not been trained on."""


def make_noise(kind: str, count: int, voices: Sequence[Floats], random: np.random.Generator) -> Floats:
    """Make `count` samples of RMS 1; `voices` are utterances for babble. ValueError: no such kind."""
    if kind in SPECTRAL_SLOPES:
        noise = _coloured(SPECTRAL_SLOPES[kind], count, random)
    elif kind == "hum":
        noise = _hum(count, random)
    elif kind == "babble":
        noise = _babble(count, voices, random)
    elif kind == "clatter":
        noise = _clatter(count, random)
    elif kind == "gusts":
        noise = _gusts(count, random)
    elif kind == "tones":
        noise = _tones(count, random)
    elif kind == "fan":
        noise = _fan(count, random)
    else:
        raise ValueError(f"no noise is called {kind!r}")
    normal: Floats = (noise / max(rms(noise), 1e-9)).astype(np.float32)
    return normal


def rms(samples: NDArray[np.floating]) -> float:
    """Give the root mean square; 0 for no samples."""
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64)))) if len(samples) else 0.0


def _coloured(slope: float, count: int, random: np.random.Generator) -> NDArray[np.float64]:
    spectrum = np.fft.rfft(random.standard_normal(count))
    frequency_hz = np.maximum(np.fft.rfftfreq(count, 1 / SAMPLE_RATE_HZ), LOWEST_SLOPED_HZ)
    return np.fft.irfft(spectrum * frequency_hz ** (-slope / 2), count)


def _hum(count: int, random: np.random.Generator) -> NDArray[np.float64]:
    """Mains hum: 50 or 60 Hz and its harmonics, falling off, over a little white noise."""
    time_s = np.arange(count) / SAMPLE_RATE_HZ
    mains_hz = random.choice([50.0, 60.0]) * random.uniform(0.998, 1.002)
    noise = random.standard_normal(count) * 0.02
    for harmonic in range(1, HUM_HARMONICS + 1):
        level = random.uniform(0.2, 1.0) / harmonic ** random.uniform(0.6, 1.4)
        noise += level * np.sin(2 * np.pi * (mains_hz * harmonic * time_s + random.random()))
    return noise


def _babble(count: int, voices: Sequence[Floats], random: np.random.Generator) -> NDArray[np.float64]:
    """Seven people who talk at once, each without a pause."""
    noise = np.zeros(count)
    for _ in range(BABBLE_VOICES):
        position = 0
        while position < count:
            voice = voices[int(random.integers(len(voices)))]
            start = int(random.integers(len(voice) // 2)) if position == 0 else 0
            piece = voice[start : start + count - position]
            noise[position : position + len(piece)] += piece / max(rms(voice), 1e-4)
            position += len(piece)
    return noise


def _clatter(count: int, random: np.random.Generator) -> NDArray[np.float64]:
    """Knocks and clicks that ring for 2 to 40 ms, about three a second, over a faint hiss."""
    noise = random.standard_normal(count) * 0.003
    for start in random.integers(0, count, max(1, round(3 * count / SAMPLE_RATE_HZ))):
        length = min(int(random.uniform(0.01, 0.2) * SAMPLE_RATE_HZ), count - start)
        decay = np.exp(-np.arange(length) / (random.uniform(0.002, 0.04) * SAMPLE_RATE_HZ))
        ring_hz = 10 ** random.uniform(2.2, 3.7)
        tone = np.sin(2 * np.pi * ring_hz * np.arange(length) / SAMPLE_RATE_HZ)
        blow = decay * (tone + random.standard_normal(length) * random.uniform(0.1, 1.0))
        noise[start : start + length] += blow * 10 ** random.uniform(-1, 0)
    return noise


def _gusts(count: int, random: np.random.Generator) -> NDArray[np.float64]:
    """Coloured noise that swells and falls, evenly or not, once in two seconds or up to 12 times a second."""
    swells = count / SAMPLE_RATE_HZ * 10 ** random.uniform(-0.3, 1.1)
    if random.random() < 0.5:
        swing_db = np.sin(2 * np.pi * np.linspace(0, swells, count)) * random.uniform(1, 10)
    else:
        corners = random.uniform(-15, 0, int(swells) + 2)
        swing_db = np.interp(np.linspace(0, len(corners) - 1, count), np.arange(len(corners)), corners)
    return _coloured(random.uniform(0, 2), count, random) * 10 ** (swing_db / 20)


def _tones(count: int, random: np.random.Generator) -> NDArray[np.float64]:
    """Notes of one to three tones with harmonics, held for 0.1 s or for ever, over a faint hiss."""
    noise = random.standard_normal(count) * 0.003
    note_s = random.choice([0.1, 0.25, 0.6, 2.0, count / SAMPLE_RATE_HZ])
    length = int(note_s * SAMPLE_RATE_HZ)
    pitches_hz = 10 ** random.uniform(2.0, 3.4, int(random.integers(1, 4)))
    time_s = np.arange(length) / SAMPLE_RATE_HZ
    edge = np.minimum(1.0, np.minimum(time_s, time_s[::-1]) / 0.01)
    for start in range(0, count, length):
        if note_s < 1 and random.random() < 0.4:
            continue
        step = random.choice([1.0, 1.0, 9 / 8, 5 / 4, 4 / 3, 3 / 2])
        harmonics = ((hz * step * k, 0.6 ** (k - 1)) for hz in pitches_hz for k in range(1, 6))
        note = sum(level * np.sin(2 * np.pi * hz * time_s) for hz, level in harmonics if hz < 7900)
        piece = min(length, count - start)
        noise[start : start + piece] += (edge * note)[:piece]
    return noise


def _fan(count: int, random: np.random.Generator) -> NDArray[np.float64]:
    """Pink noise whose strength swings several times a second, under a whine of two tones."""
    time_s = np.arange(count) / SAMPLE_RATE_HZ
    blades_hz, whine_hz = random.uniform(4, 12), random.uniform(250, 900)
    swing = 1 + 0.6 * np.sin(2 * np.pi * blades_hz * time_s)
    air = _coloured(1.0, count, random)
    whine = np.sin(2 * np.pi * whine_hz * time_s) + 0.5 * np.sin(2 * np.pi * 2.03 * whine_hz * time_s)
    return air / max(rms(air), 1e-9) * swing + 0.5 * whine
