"""Which recording each connection sends."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

ClipOrder = Literal["cycle", "shuffle"]
"""`cycle`: the clips in their order, again and again; `shuffle`: each round in an order from a seed."""


def clip_order(clips: int, order: ClipOrder, seed: int) -> Iterator[int]:
    """Yield indices of clips without end; each round of `clips` of them has every clip once."""
    generator = random.Random(seed)  # noqa: S311  an order, not a secret
    indices = list(range(clips))
    while True:
        if order == "shuffle":
            generator.shuffle(indices)
        yield from indices
