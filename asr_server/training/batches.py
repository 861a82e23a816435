"""Training batches: utterances joined into recordings, changed at random, stacked, cut into windows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import IterableDataset

from asr_server.training.augment import FULL, Augmenter, Strength
from asr_server.training.corpus import Corpus

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LEFT, CHUNK, RIGHT = 5, 10, 5
"""The windows that the online model is trained on, in frames of 60 ms: FunASR's default."""
WINDOW = LEFT + CHUNK + RIGHT
STACKED, STEP = 7, 6
"""Frames stacked into one feature vector, and frames between two of them."""
LONGEST_PAUSE = 60
BABBLE_UTTERANCES = 400
FAVOURED_SHARE = 0.5


@dataclass(frozen=True)
class Batch:
    """Recordings, one after another; S is the number of all their frames."""

    frames: Tensor
    """Normalised features of all recordings, a row of zeros in front: [1 + S, F]."""
    positions: Tensor
    """Position in its stream of each frame: int [1 + S]; 0 for the row of zeros."""
    lengths: Tensor
    """Frames of each recording: int [B]."""
    targets: Tensor
    """Token ids, padded with -1: int [B, N]."""
    target_lengths: Tensor
    """int [B]."""
    windows: Tensor
    """For the online model: which rows of `frames` each window holds, [W, 20]."""
    window_lengths: Tensor
    """int [W]."""
    window_ends: Tensor
    """How far into each window its tokens fire: int [W]."""
    owners: Tensor
    """Which recording a window is of, and the how-manieth of it: int [W, 2]."""


@dataclass(frozen=True)
class Mixture:
    """What recordings are made of."""

    size: int = 32
    """Recordings in a batch."""
    longest_join: int = 4
    """Most utterances in one recording."""
    largest_offset: int = 4000
    """Most frames that a stream has been going on for: four minutes."""
    strength: Strength = FULL
    favoured: tuple[int, ...] = ()
    """Utterances of which half of all recordings begin with one."""


class Batches(IterableDataset):
    """Batches without end. Every worker draws its own."""

    def __init__(self, path: Path, shift: np.ndarray, scale: np.ndarray, mixture: Mixture, seed: int) -> None:
        """`shift` and `scale` normalise stacked frames: [F]."""
        self._path, self._shift, self._scale, self._mixture, self._seed = path, shift, scale, mixture, seed

    def __iter__(self) -> Iterator[Batch]:
        """Draw batches."""
        worker = torch.utils.data.get_worker_info()
        random = np.random.default_rng([self._seed, worker.id if worker else 0])
        corpus = Corpus(self._path)
        speech = [corpus[int(index)].mel for index in random.integers(0, len(corpus), BABBLE_UTTERANCES)]
        augmenter = Augmenter(self._mixture.strength, speech, random)
        while True:
            recordings = [self._recording(corpus, augmenter, random) for _ in range(self._mixture.size)]
            yield self.collate(recordings, random)

    def _recording(
        self, corpus: Corpus, augmenter: Augmenter, random: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        count = 1 if random.random() < 0.6 else int(random.integers(1, self._mixture.longest_join + 1))
        parts, ids = [augmenter.pause(int(random.integers(0, LONGEST_PAUSE)))], []
        chosen = random.integers(0, len(corpus), count)
        if self._mixture.favoured and random.random() < FAVOURED_SHARE:
            chosen[0] = random.choice(self._mixture.favoured)
        for index in chosen:
            utterance = corpus[int(index)]
            parts += [augmenter.voice(utterance.mel), augmenter.pause(int(random.integers(3, LONGEST_PAUSE)))]
            ids.append(utterance.ids)
        return augmenter.channel(np.concatenate(parts)), np.concatenate(ids)

    def collate(
        self, recordings: list[tuple[np.ndarray, np.ndarray]], random: np.random.Generator | None
    ) -> Batch:
        """Stack, normalise and cut recordings (mel [T, 80], ids [N]); without `random` streams begin at 1."""
        features = [(stack(mel) + self._shift) * self._scale for mel, _ in recordings]
        lengths = np.array([len(rows) for rows in features])
        offsets = np.ones(len(features), int)
        if random is not None:
            late = random.random(len(features)) < 0.5
            offsets += late * random.integers(0, self._mixture.largest_offset, len(features))
        positions = [np.arange(length) + offset for length, offset in zip(lengths, offsets, strict=True)]
        starts = np.cumsum(lengths) - lengths + 1
        cuts = [cut(int(length), int(start)) for length, start in zip(lengths, starts, strict=True)]
        targets = np.full((len(features), max(len(ids) for _, ids in recordings)), -1)
        for row, (_, ids) in zip(targets, recordings, strict=True):
            row[: len(ids)] = ids
        owners = [(b, k) for b, (rows, _, _) in enumerate(cuts) for k in range(len(rows))]
        return Batch(
            frames=torch.from_numpy(np.concatenate([np.zeros((1, features[0].shape[1])), *features])).float(),
            positions=torch.from_numpy(np.concatenate([[0], *positions])),
            lengths=torch.from_numpy(lengths),
            targets=torch.from_numpy(targets),
            target_lengths=torch.tensor([len(ids) for _, ids in recordings]),
            windows=torch.from_numpy(np.concatenate([rows for rows, _, _ in cuts])),
            window_lengths=torch.from_numpy(np.concatenate([lengths for _, lengths, _ in cuts])),
            window_ends=torch.from_numpy(np.concatenate([ends for _, _, ends in cuts])),
            owners=torch.tensor(owners),
        )


def stack(mel: np.ndarray) -> np.ndarray:
    """The front end's stacking for a whole recording: [T, 80] -> [ceil(T / 6), 560]."""
    padded = np.concatenate((np.repeat(mel[:1], STACKED // 2, axis=0), mel))
    count = -(-len(mel) // STEP)
    rows = np.arange(count)[:, None] * STEP + np.arange(STACKED)
    return padded[np.minimum(rows, len(padded) - 1)].reshape(count, -1)


def cut(length: int, start: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cut `length` frames, the first in row `start`, as the server does: see `streaming.OnlineStream`.

    Gives the rows of each window [W, 20], row 0 where there is nothing, the windows' lengths [W], and up to
    where in them tokens fire [W].
    """
    rows = np.concatenate((np.zeros(LEFT + RIGHT, int), np.arange(start, start + length)))
    full, rest = divmod(length, CHUNK)
    windows = [rows[CHUNK * k : CHUNK * k + WINDOW] for k in range(full)]
    ends = [LEFT + CHUNK] * full
    last = rows[CHUNK * full :]
    if rest + RIGHT <= CHUNK:
        windows.append(last)
        ends.append(len(last))
    else:
        windows.append(np.concatenate((last, np.zeros(WINDOW - len(last), int))))
        ends.append(LEFT + CHUNK)
        windows.append(np.concatenate((last[-LEFT:], last[LEFT + CHUNK :])))
        ends.append(len(windows[-1]))
    padded = np.stack([np.pad(window, (0, WINDOW - len(window))) for window in windows])
    return padded, np.array([len(window) for window in windows]), np.array(ends)
