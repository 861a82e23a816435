"""Labelled scenes for voice activity detection: utterances with pauses, in a room, over a background.

    python -m asr_server.training.vad_scenes SCENES.npz

The labels come from the energy of the clean speech, frame by frame, before anything is added to it. What is
in the file depends on the seed alone. Takes some minutes of one core.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from rich.progress import track
from scipy.signal import fftconvolve, lfilter, resample_poly

from asr_server.paraformer.frontend import INT16_SCALE
from asr_server.training.corpus import log_mel
from asr_server.training.phrases import draw_phrase
from asr_server.training.speech import (
    FLITE_VOICES,
    HELD_OUT_FLITE_VOICE,
    HELD_OUT_VARIANTS,
    draw_voice,
    espeak_variants,
    speak,
)
from asr_server.training.vad_noise import SAMPLE_RATE_HZ, TRAINED_KINDS, make_noise, rms

if TYPE_CHECKING:
    from asr_server.training.phrases import Language

SCENE_S = 12.0
FRAME_SHIFT, FRAME_LENGTH = 160, 400
SPEECH_RANGE_DB = 38.0
"""A frame is speech if it is at most this far below the loudest frame of its utterance."""
LONGEST_CLOSURE_FRAMES = 15
"""Gaps of at most 150 ms, as before a plosive, are speech too."""
SENTENCES: dict[str, tuple[str, ...]] = {
    "en": (
        "The quick brown fox jumps over the lazy dog.", "She sells fresh fish by the shore each morning.",
        "Could you tell me when the next train leaves?", "We have thought about this for a long while.",
        "Please leave your message after the tone.", "Why would anybody choose the noisy room?",
        "A jovial wizard packed five dozen liquor jugs.", "Nothing was measured until late yesterday.",
        "They enjoyed the view from the top of the tower.", "My brother's bicycle was stolen again.",
    ),
    "cmn": (
        "今天天气很好我们出去走走吧", "请问下一班火车什么时候出发", "他昨天晚上没有来参加会议",
        "这个问题我们已经讨论过很多次了", "请在提示音之后留言", "孩子们喜欢在公园里玩游戏",
        "我想预订一张去北京的机票", "图书馆从早上九点开到晚上八点", "服务器需要检查一下内存",
        "谢谢你的帮助再见",
    ),
}  # fmt: skip
"""Beside the recogniser's phrases, so that the detector has heard every sound of both languages."""


@dataclass(frozen=True)
class Scene:
    """Samples at 16 kHz and, for every 10 ms frame of the front end, whether somebody speaks."""

    samples: np.ndarray
    speech: np.ndarray


def say_something(language: Language, random: np.random.Generator, *, held_out: bool) -> np.ndarray:
    """Synthesise a phrase or a sentence; `held_out` takes the voices that no training hears."""
    known = tuple(name for name in espeak_variants() if name not in HELD_OUT_VARIANTS)
    variants = HELD_OUT_VARIANTS if held_out else known
    voice = draw_voice(language, variants, (HELD_OUT_FLITE_VOICE,) if held_out else FLITE_VOICES, random)
    if random.random() < 0.5:
        text = str(random.choice(SENTENCES[language]))
    else:
        phrase = draw_phrase(language, random)
        text = phrase.dictated if random.random() < 0.3 else phrase.written
    samples = speak(text, voice)
    return samples / max(float(np.abs(samples).max(initial=0)), 1e-6)


def speech_frames(clean: np.ndarray) -> np.ndarray:
    """Tell for every frame of 25 ms, each 10 ms, whether clean speech is in it: bool [T]."""
    if len(clean) < FRAME_LENGTH:
        return np.zeros(0, dtype=bool)
    frames = np.lib.stride_tricks.sliding_window_view(clean, FRAME_LENGTH)[::FRAME_SHIFT]
    level_db = 10 * np.log10(np.einsum("ij,ij->i", frames, frames) / FRAME_LENGTH + 1e-10)
    speech = level_db > max(level_db.max() - SPEECH_RANGE_DB, -90.0)
    edges = np.flatnonzero(np.diff(np.concatenate(([False], speech, [False])).astype(np.int8)))
    for end, start in zip(edges[1:-1:2], edges[2::2], strict=True):
        if start - end <= LONGEST_CLOSURE_FRAMES:
            speech[end:start] = True
    return speech


def draw_scene(voices: list[np.ndarray], random: np.random.Generator) -> Scene:
    """Draw utterances and pauses, a room and a microphone, a background and its level."""
    count = int(SCENE_S * SAMPLE_RATE_HZ)
    clean, speech = np.zeros(count, np.float32), np.zeros((count - FRAME_LENGTH) // FRAME_SHIFT + 1, bool)
    loudness_db = random.uniform(-36, -3)
    position = int(random.exponential(0.6) * SAMPLE_RATE_HZ) if random.random() < 0.9 else count
    while position < count - FRAME_LENGTH:
        first = position // FRAME_SHIFT
        voice = voices[int(random.integers(len(voices)))][: count - first * FRAME_SHIFT]
        level = 10 ** ((loudness_db + random.normal(0, 2)) / 20)
        clean[first * FRAME_SHIFT : first * FRAME_SHIFT + len(voice)] += level * voice
        labels = speech_frames(voice)[: len(speech) - first]
        speech[first : first + len(labels)] |= labels
        position += len(voice) + int(min(random.exponential(1.1) + 0.05, 6.0) * SAMPLE_RATE_HZ)
    heard = _through_a_microphone(_in_a_room(clean, random), random)
    if random.random() < 0.85:
        heard = heard + _background(heard, speech, voices, random)
    if random.random() < 0.5:  # half of all recordings have passed through 16 bits
        heard = np.round(heard * INT16_SCALE) / INT16_SCALE
    return Scene(np.clip(heard, -1, 1).astype(np.float32), speech)


def _in_a_room(clean: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Add the tail of a small room to every second scene."""
    if random.random() < 0.5:
        return clean
    decay_s = random.uniform(0.02, 0.12)
    time_s = np.arange(int(4 * decay_s * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    tail = random.standard_normal(len(time_s)) * np.exp(-time_s / decay_s)
    tail *= 10 ** (random.uniform(-25, -8) / 20) / np.sqrt(np.sum(tail**2))
    tail[0] = 1.0
    return fftconvolve(clean, tail)[: len(clean)]


def _through_a_microphone(heard: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Tilt the spectrum by a filter of one zero or one pole; one scene in five is a telephone of 8 kHz."""
    if random.random() < 0.2:
        heard = resample_poly(resample_poly(heard, 1, 2), 2, 1)[: len(heard)]
    tilt = random.uniform(-0.5, 0.6)
    tilted = lfilter([1.0, -tilt], [1.0], heard) if tilt > 0 else lfilter([1.0 + tilt], [1.0, tilt], heard)
    return tilted * rms(heard) / max(rms(tilted), 1e-9)


def _background(
    heard: np.ndarray, speech: np.ndarray, voices: list[np.ndarray], random: np.random.Generator
) -> np.ndarray:
    """One or two noises, the first at a drawn ratio to the speech, of which some change level on the way."""
    spoken = heard[: len(speech) * FRAME_SHIFT].reshape(-1, FRAME_SHIFT)[speech]
    speech_rms = rms(spoken.ravel()) or 10 ** (random.uniform(-45, -15) / 20)
    sum_of_noises = np.zeros(len(heard))
    for _ in range(1 + int(random.random() < 0.25)):
        kind = str(random.choice(TRAINED_KINDS))
        snr_db = random.uniform(3 if kind == "babble" else -3, 40)
        noise = make_noise(kind, len(heard), voices, random) * speech_rms / 10 ** (snr_db / 20)
        if random.random() < 0.3:
            corners = np.linspace(0, len(heard), 6)
            swing_db = np.interp(np.arange(len(heard)), corners, random.uniform(-12, 0, 6))
            noise = noise * 10 ** (swing_db / 20)
        sum_of_noises += noise
    return sum_of_noises


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("target", type=Path)
    parser.add_argument("--utterances", type=int, default=2400, help="synthesised, half of each language")
    parser.add_argument("--scenes", type=int, default=2600)
    parser.add_argument("--held-out-scenes", type=int, default=200, help="of voices no training hears")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    random = np.random.default_rng(arguments.seed)
    made: dict[str, np.ndarray] = {}
    for part, held_out, voices_wanted, scenes_wanted in (
        ("train", False, arguments.utterances, arguments.scenes),
        ("held_out", True, arguments.utterances // 10, arguments.held_out_scenes),
    ):
        spoken = (
            say_something(("cmn", "en")[index % 2], random, held_out=held_out)
            for index in track(range(voices_wanted), description=f"{part}: speech")
        )
        voices = [voice for voice in spoken if len(voice) > SAMPLE_RATE_HZ // 5]
        progress = track(range(scenes_wanted), description=f"{part}: scenes")
        scenes = [draw_scene(voices, random) for _ in progress]
        made[f"{part}_mel"] = np.stack([log_mel(scene.samples) for scene in scenes]).astype(np.float16)
        made[f"{part}_speech"] = np.stack([scene.speech for scene in scenes])
        hours = made[f"{part}_speech"].size / 360_000
        print(f"{part}: {hours:.2f} hours, {made[f'{part}_speech'].mean():.0%} of it speech")
    np.savez(arguments.target, **made)


if __name__ == "__main__":
    main()
