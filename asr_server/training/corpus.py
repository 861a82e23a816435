"""The training corpus: synthesised phrases as log-mel frames, in one file.

    python -m asr_server.training.corpus CORPUS.npz --mandarin 8000 --english 10000

Takes some minutes of all cores. What is in it depends on the seed alone.
"""

from __future__ import annotations

import argparse
import multiprocessing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.progress import track

from asr_server.paraformer.frontend import INT16_SCALE, FrontendSettings
from asr_server.training.phrases import Language, Phrase, draw_phrase
from asr_server.training.speech import (
    FLITE_VOICES,
    HELD_OUT_VARIANTS,
    SAMPLE_RATE_HZ,
    draw_voice,
    espeak_variants,
    speak,
)
from asr_server.training.vocabularies import TINY_TOKENS

DICTATED_SHARE = 0.2
"""Phrases spoken with a pause after every word."""
MEL_BINS = 80
SHORTEST_S = 0.12


@dataclass(frozen=True)
class Utterance:
    """One spoken phrase."""

    mel: np.ndarray
    """Log-mel energies of 10 ms frames, as the front end has them before stacking: [T, 80]."""
    ids: np.ndarray
    """Token ids: int [N]."""
    voice: str
    """Who speaks, with the accent: a voice says more than one utterance."""


class Corpus:
    """Many utterances, their frames end to end in half precision."""

    def __init__(self, path: Path) -> None:
        """Read a corpus file."""
        with np.load(path) as file:
            self._mel, self._frame_ends = file["mel"], file["frame_ends"]
            self._ids, self._id_ends = file["ids"], file["id_ends"]
            self._voices = file["voices"]
        names, self._speakers = np.unique(self._voices, return_inverse=True)
        self._spoken = [np.flatnonzero(self._speakers == speaker) for speaker in range(len(names))]

    def __len__(self) -> int:
        """How many utterances."""
        return len(self._frame_ends)

    def __getitem__(self, index: int) -> Utterance:
        """One utterance, in single precision."""
        frames = slice(self._frame_ends[index - 1] if index else 0, self._frame_ends[index])
        ids = slice(self._id_ends[index - 1] if index else 0, self._id_ends[index])
        return Utterance(self._mel[frames].astype(np.float32), self._ids[ids], str(self._voices[index]))

    def same_voice(self, index: int) -> np.ndarray:
        """The utterances of the voice that speaks this one, itself among them: int [M]."""
        return self._spoken[self._speakers[index]]


def log_mel(samples: np.ndarray) -> np.ndarray:
    """Kaldi's log-mel energies as the server computes them: [T, 80]."""
    bank = plain_frontend().filter_bank()
    bank.accept_waveform(SAMPLE_RATE_HZ, (samples * INT16_SCALE).tolist())
    bank.input_finished()
    return np.stack([bank.get_frame(index).copy() for index in range(bank.num_frames_ready)])


def plain_frontend() -> FrontendSettings:
    """Make a front end that does not normalise."""
    return FrontendSettings(shift=np.zeros(560), scale=np.ones(560))


def _make(task: tuple[Language, int]) -> tuple[np.ndarray, Phrase, str] | None:
    """Draw and speak one phrase; None for the rare one that comes out too short to hold its words."""
    language, seed = task
    random = np.random.default_rng(seed)
    phrase = draw_phrase(language, random)
    variants = tuple(name for name in espeak_variants() if name not in HELD_OUT_VARIANTS)
    voice = draw_voice(language, variants, FLITE_VOICES, random)
    text = phrase.dictated if random.random() < DICTATED_SHARE else phrase.written
    samples = speak(text, voice)
    if len(samples) < SHORTEST_S * SAMPLE_RATE_HZ * len(phrase.tokens) ** 0.8:
        return None
    return log_mel(samples / np.abs(samples).max()).astype(np.float16), phrase, voice.name


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("target", type=Path)
    parser.add_argument("--mandarin", type=int, default=8000, help="phrases")
    parser.add_argument("--english", type=int, default=10000, help="phrases, half of them by flite")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    counts: dict[Language, int] = {"cmn": arguments.mandarin, "en": arguments.english}
    tasks = [
        (language, arguments.seed * 10_000_000 + offset * 1_000_000 + index)
        for offset, (language, count) in enumerate(counts.items())
        for index in range(count)
    ]
    with multiprocessing.Pool() as pool:
        made = [item for item in track(pool.imap(_make, tasks, 20), total=len(tasks)) if item is not None]
    numbers = {token: number for number, token in enumerate(TINY_TOKENS)}
    ids = [np.array([numbers[token] for token in phrase.tokens], np.int16) for _, phrase, _ in made]
    np.savez(
        arguments.target,
        mel=np.concatenate([mel for mel, _, _ in made]),
        frame_ends=np.cumsum([len(mel) for mel, _, _ in made]),
        ids=np.concatenate(ids),
        id_ends=np.cumsum([len(row) for row in ids]),
        voices=np.array([voice for _, _, voice in made]),
    )
    hours = sum(len(mel) for mel, _, _ in made) / 360_000
    print(f"{len(made)} utterances, {hours:.1f} hours, {sum(map(len, ids))} tokens")


if __name__ == "__main__":
    main()
