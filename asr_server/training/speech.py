"""Synthetic speech of many voices: espeak-ng (formants) and flite (recorded units), both Debian packages.

Both are free software whose output carries no rights of anybody. Some voices are never trained on, so that
the error rates in the model card are those of voices that the model has not heard.
"""

from __future__ import annotations

import functools
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy.signal import resample_poly

if TYPE_CHECKING:
    from asr_server.training.phrases import Language

SAMPLE_RATE_HZ = 16000
ESPEAK_RATE_HZ = 22050
WAV_HEADER_BYTES = 44
ENGLISH_ACCENTS = ("en-us", "en-us", "en-us", "en-us-nyc", "en-gb", "en-gb-scotland", "en-gb-x-rp", "en-029")
"""American English counts most: it is what the held-out recordings speak."""
LIST_VARIANTS = ("espeak-ng", "--voices=variant")
MANDARIN_ACCENT = "cmn-latn-pinyin"
HELD_OUT_VARIANTS = (
    *("Alicia", "Andy", "benjamin", "klatt3", "linda", "Mike"),
    *("norbert", "pablo", "steph2", "zac", "m6", "m8"),
)
"""espeak-ng's voice variants that no training has heard."""
UNSUITABLE_VARIANTS = frozenset({"whisper", "whisperf", "croak", "Demonic", "fast", "kaukovalta"})
"""Effects rather than voices."""
PLAIN_VARIANTS = ("m1", "m2", "m3", "m4", "m5", "m7", "f1", "f2", "f3", "f4", "f5")
SPEAKING_RATES_PER_MINUTE = {"cmn": (140, 80, 190), "en": (165, 90, 260)}
"""Mean, slowest and fastest words a minute by espeak-ng's count: beyond, digits run into each other."""
FLITE_VOICES = ("kal", "kal16", "awb", "slt")
HELD_OUT_FLITE_VOICE = "rms"


@dataclass(frozen=True)
class Voice:
    """Who speaks, and how."""

    synthesiser: Literal["espeak-ng", "flite"]
    name: str
    """For espeak-ng accent+variant, for flite its voice."""
    words_per_minute: int = 150
    pitch: int = 50
    """0 to 99, the middle is the voice's own; for flite it moves the mean pitch."""
    word_gap_ms: int = 0


@functools.cache
def espeak_variants() -> tuple[str, ...]:
    """All voice variants that this espeak-ng has and that speak as a voice does."""
    listing = subprocess.run(LIST_VARIANTS, capture_output=True, check=True, text=True)
    names = [line.split()[4].removeprefix("!v/") for line in listing.stdout.splitlines()[1:]]
    return tuple(sorted(set(names) - UNSUITABLE_VARIANTS))


def draw_voice(
    language: Language, variants: tuple[str, ...], flite_voices: tuple[str, ...], random: np.random.Generator
) -> Voice:
    """Draw a speaker among the variants, or (English, half the time) flite's voices, and a style."""
    mean, slowest, fastest = SPEAKING_RATES_PER_MINUTE[language]
    words_per_minute = int(np.clip(random.normal(mean, mean / 4), slowest, fastest))
    pitch = int(np.clip(random.normal(50, 18), 5, 95))
    word_gap_ms = int(random.choice([0, 0, 0, 20, 60, 150]))
    if language == "en" and flite_voices and random.random() < 0.5:
        return Voice("flite", str(random.choice(flite_voices)), words_per_minute, pitch)
    accent = MANDARIN_ACCENT if language == "cmn" else str(random.choice(ENGLISH_ACCENTS))
    return Voice("espeak-ng", f"{accent}+{random.choice(variants)}", words_per_minute, pitch, word_gap_ms)


def speak(text: str, voice: Voice) -> np.ndarray:
    """Synthesise: float32 [samples] at 16 kHz, in [-1, 1], silence at both ends cut off."""
    samples = _flite(text, voice) if voice.synthesiser == "flite" else _espeak(text, voice)
    loud = np.flatnonzero(np.abs(samples) > 0.005 * np.abs(samples).max(initial=1e-9))
    return samples[loud[0] : loud[-1] + 1] if len(loud) else samples[:0]


def _espeak(text: str, voice: Voice) -> np.ndarray:
    command = ["espeak-ng", "-v", voice.name, "-s", str(voice.words_per_minute), "-p", str(voice.pitch)]
    command += ["-g", str(voice.word_gap_ms // 10), "--stdout", text]
    wav = subprocess.run(command, capture_output=True, check=True).stdout
    return resampled(np.frombuffer(wav[WAV_HEADER_BYTES:], "<i2"), ESPEAK_RATE_HZ)


def _flite(text: str, voice: Voice) -> np.ndarray:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "speech.wav"
        command = ["flite", "-voice", voice.name, "-t", text, "-o", str(path)]
        command += ["--setf", f"duration_stretch={165 / voice.words_per_minute:.3f}"]
        mean_hz = {"slt": 170, "rms": 100, "awb": 110}.get(voice.name, 105) * 2 ** ((voice.pitch - 50) / 60)
        command += ["--setf", f"int_f0_target_mean={mean_hz:.1f}"]
        subprocess.run(command, capture_output=True, check=True)
        wav = path.read_bytes()
    rate_hz = int.from_bytes(wav[24:28], "little")
    return resampled(np.frombuffer(wav[WAV_HEADER_BYTES:], "<i2"), rate_hz)


def resampled(samples: np.ndarray, rate_hz: int) -> np.ndarray:
    """Turn 16-bit samples at `rate_hz` into float32 in [-1, 1) at 16 kHz."""
    floats = samples.astype(np.float32) / 32768.0
    if rate_hz == SAMPLE_RATE_HZ:
        return floats
    common = np.gcd(rate_hz, SAMPLE_RATE_HZ)
    return resample_poly(floats, SAMPLE_RATE_HZ // common, rate_hz // common).astype(np.float32)
