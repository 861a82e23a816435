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
PARTING_PAUSE = 25
"""Frames of 10 ms between two utterances from which on their tokens are counted apart."""
BABBLE_UTTERANCES = 400
FAVOURED_SHARE = 0.5
ONE_SPEAKER_SHARE = 0.5
"""Recordings in which all utterances are one speaker's, as in most streams."""


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
    part_ends: Tensor
    """Frames of a recording up to which each part of it reaches, parted where it pauses: int [B, P]."""
    part_counts: Tensor
    """Tokens said in each part; 0 behind the last: int [B, P]."""
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
    """Utterances that most recordings begin with one of."""


@dataclass
class Recording:
    """Utterances joined, before they are stacked."""

    mel: np.ndarray
    """[T, 80]."""
    ids: np.ndarray
    """int [N]."""
    parts: list[tuple[int, int]]
    """Where each part ends, in frames of 10 ms, and how many tokens it holds."""


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

    def _recording(self, corpus: Corpus, augmenter: Augmenter, random: np.random.Generator) -> Recording:
        count = 1 if random.random() < 0.6 else int(random.integers(1, self._mixture.longest_join + 1))
        pieces, ids = [augmenter.pause(int(random.integers(0, LONGEST_PAUSE)))], []
        parts: list[tuple[int, int]] = []
        frames, waiting = len(pieces[0]), 0
        chosen = random.integers(0, len(corpus), count)
        if self._mixture.favoured and random.random() < FAVOURED_SHARE:
            chosen[0] = random.choice(self._mixture.favoured)
        speakers = [augmenter.speaker() for _ in chosen]
        if random.random() < ONE_SPEAKER_SHARE:
            chosen[1:] = random.choice(corpus.same_voice(int(chosen[0])), count - 1)
            speakers = speakers[:1] * count
        for index, speaker in zip(chosen, speakers, strict=True):
            utterance = corpus[int(index)]
            pause = augmenter.pause(int(random.integers(3, LONGEST_PAUSE)))
            pieces += [augmenter.voice(utterance.mel, speaker), pause]
            ids.append(utterance.ids)
            frames += len(pieces[-2]) + len(pause)
            waiting += len(utterance.ids)
            if len(pause) >= PARTING_PAUSE:
                parts.append((frames - len(pause) // 2, waiting))
                waiting = 0
        if waiting:
            parts.append((frames, waiting))
        parts[-1] = (frames, parts[-1][1])
        return Recording(augmenter.channel(np.concatenate(pieces)), np.concatenate(ids), parts)

    def collate(self, recordings: list[Recording], random: np.random.Generator) -> Batch:
        """Stack, normalise and cut recordings; half of the streams have been going on for a while."""
        features = [(stack(recording.mel) + self._shift) * self._scale for recording in recordings]
        lengths = np.array([len(rows) for rows in features])
        late = random.random(len(features)) < 0.5
        offsets = 1 + late * random.integers(0, self._mixture.largest_offset, len(features))
        positions = [np.arange(length) + offset for length, offset in zip(lengths, offsets, strict=True)]
        starts = np.cumsum(lengths) - lengths + 1
        cuts = [cut(int(length), int(start)) for length, start in zip(lengths, starts, strict=True)]
        targets = np.full((len(features), max(len(recording.ids) for recording in recordings)), -1)
        part_ends = np.repeat(lengths[:, None], max(len(recording.parts) for recording in recordings), axis=1)
        part_counts = np.zeros_like(part_ends)
        for number, recording in enumerate(recordings):
            targets[number, : len(recording.ids)] = recording.ids
            for part, (end, count) in enumerate(recording.parts):
                part_ends[number, part] = min(-(-end // STEP), lengths[number])
                part_counts[number, part] = count
        owners = [(b, k) for b, (rows, _, _) in enumerate(cuts) for k in range(len(rows))]
        return Batch(
            frames=torch.from_numpy(np.concatenate([np.zeros((1, features[0].shape[1])), *features])).float(),
            positions=torch.from_numpy(np.concatenate([[0], *positions])),
            lengths=torch.from_numpy(lengths),
            targets=torch.from_numpy(targets),
            target_lengths=torch.tensor([len(recording.ids) for recording in recordings]),
            part_ends=torch.from_numpy(part_ends),
            part_counts=torch.from_numpy(part_counts),
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
