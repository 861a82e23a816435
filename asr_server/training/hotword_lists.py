"""Hotwords to train with: names spelled either way, and targets that follow the spelling asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from asr_server.training.contextual import NO_HOTWORD
from asr_server.training.graphs import LONGEST_HOTWORD
from asr_server.training.vocabularies import (
    ENGLISH_NAMES,
    MANDARIN_GIVEN_NAMES,
    MANDARIN_SURNAMES,
    TINY_TOKENS,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

NUMBERS = {token: number for number, token in enumerate(TINY_TOKENS)}
OTHER_SPELLING = {
    NUMBERS[common]: NUMBERS[other] for common, other in (*MANDARIN_GIVEN_NAMES, *ENGLISH_NAMES)
}
"""What sounds like a token and is written without a hotword -> its other spelling."""
SOUND = {other: common for common, other in OTHER_SPELLING.items()}
NAME_TOKENS = frozenset(OTHER_SPELLING) | {NUMBERS[surname] for surname in MANDARIN_SURNAMES}
NO_LIST = 0.3
"""Share of batches without hotwords: most connections send none."""
ASKED = 0.8
"""Share of names said that are among the hotwords."""
MOST_STRANGERS = 12
"""Hotwords that nobody says."""
RESPELLED = 0.75
"""Share of the tokens of a hotword that are spelled the other way."""


def sound(tokens: Sequence[int]) -> tuple[int, ...]:
    """How tokens sound: all that sound alike become one."""
    return tuple(SOUND.get(token, token) for token in tokens)


def names_in(ids: Sequence[int]) -> list[tuple[int, ...]]:
    """The runs of name tokens that hold at least one with another spelling."""
    runs: list[list[int]] = [[]]
    for token in ids:
        if token in NAME_TOKENS:
            runs[-1].append(token)
        elif runs[-1]:
            runs.append([])
    return [tuple(run) for run in runs if any(token in OTHER_SPELLING for token in run)]


def draw_hotwords(
    said: Sequence[Sequence[int]], strangers: Sequence[tuple[int, ...]], random: np.random.Generator
) -> list[tuple[int, ...]]:
    """Draw the hotwords of a batch: names out of `said`, and `strangers`; no two of them sound alike."""
    if random.random() < NO_LIST:
        return []
    wanted = [name for ids in said for name in names_in(ids) if random.random() < ASKED]
    wanted += [
        strangers[int(i)] for i in random.integers(0, len(strangers), int(random.integers(MOST_STRANGERS)))
    ]
    spelled: dict[tuple[int, ...], tuple[int, ...]] = {}
    for name in wanted:
        short = name[:LONGEST_HOTWORD]
        spelling = tuple(OTHER_SPELLING.get(t, t) if random.random() < RESPELLED else t for t in short)
        spelled.setdefault(sound(short), spelling)
    hotwords = list(spelled.values())
    random.shuffle(hotwords)
    return hotwords


def respell(ids: Sequence[int], hotwords: Sequence[tuple[int, ...]]) -> list[int]:
    """Write what was said as the hotwords spell it; longer ones first."""
    written, sounds = list(ids), sound(ids)
    taken = [False] * len(written)
    for hotword in sorted(hotwords, key=len, reverse=True):
        length, sounds_like = len(hotword), sound(hotword)
        for start in range(len(written) - length + 1):
            here = slice(start, start + length)
            if sounds[here] == sounds_like and not any(taken[here]):
                written[here] = hotword
                taken[here] = [True] * length
    return written


def as_tensors(hotwords: Sequence[tuple[int, ...]]) -> tuple[Tensor, Tensor]:
    """Pad hotwords to [H + 1, L], the last one being none, and give their lengths."""
    rows = [*hotwords, (NO_HOTWORD,)]
    padded = np.zeros((len(rows), LONGEST_HOTWORD), np.int64)
    for row, hotword in zip(padded, rows, strict=True):
        row[: len(hotword)] = hotword
    return torch.from_numpy(padded), torch.tensor([len(row) for row in rows])
