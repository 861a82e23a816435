"""Training: traces are made as they are needed, each is seen once, and seeds are fixed."""

from __future__ import annotations

import copy
import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from soak.learn.seen import seen
from soak.learn.training.network import Network, belief, surprise

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

SEED = 20261126
HELD_OUT_SEED = SEED + 1
BATCH = 128
RATE = 1.2e-3
"""Learning rate after the first steps; it falls to nothing along half a cosine."""
FIRST_STEPS = 500
AVERAGED = 0.999
"""Share of the running average of the weights that a step keeps; the average is what is taken."""
MOST_PULL = 1.0
"""Norm a gradient is cut to."""
BUDGET = 0.0025
"""The relative budget, in levels over the trace, that progress is told at."""


class Traces(Dataset[tuple[np.ndarray, np.ndarray, np.float32]]):
    """The traces of one seed, made when they are asked for."""

    def __init__(self, seed: int, count: int) -> None:
        """Promise `count` traces."""
        self.seed, self.count = seed, count

    def __len__(self) -> int:
        """Return how many there are."""
        return self.count

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray, np.float32]:
        """Return channels, scalars and log growth of one."""
        one = seen((self.seed, index))
        return one.channels, one.scalars, np.float32(one.growth)


@dataclass(frozen=True)
class Progress:
    """How training goes."""

    traces: int
    loss: float
    """Mean surprise on traces that are held out."""
    right: float
    """Share of the decided ones at 90 % that are decided rightly,"""
    undecided: float
    """and share that is not decided; both at the relative budget, near misses left out."""
    elapsed_s: float

    def in_words(self) -> str:
        """Return one line."""
        return (
            f"{self.traces:,} traces in {self.elapsed_s / 60:.0f} min: surprise {self.loss:.3f}, "
            f"{self.right:.1%} of the decided right, {self.undecided:.1%} undecided"
        )


def train(
    traces: int, report: Callable[[Progress], None], *, workers: int = 1, held_out: int = 8192
) -> Network:
    """Return the network after `traces` traces; `report` is called every 50,000."""
    torch.manual_seed(SEED)
    network = Network()
    average = copy.deepcopy(network)
    steps = traces // BATCH
    optimizer = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate(step, steps))
    exam = next(iter(DataLoader(Traces(HELD_OUT_SEED, held_out), batch_size=held_out)))
    begun_s = time.monotonic()
    loader = DataLoader(Traces(SEED, steps * BATCH), batch_size=BATCH, num_workers=workers, prefetch_factor=8)
    for step, (channels, scalars, growth) in enumerate(loader, start=1):
        loss = surprise(network(channels, scalars), growth).mean()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), MOST_PULL)
        optimizer.step()
        schedule.step()
        with torch.no_grad():
            keep = min(AVERAGED, (1 + step) / (10 + step))
            for slow, quick in zip(average.parameters(), network.parameters(), strict=True):
                slow.lerp_(quick, 1 - keep)
        if step % (50_000 // BATCH) == 0 or step == steps:
            report(_examined(average, exam, step * BATCH, time.monotonic() - begun_s))
    return average


def _rate(step: int, steps: int) -> float:
    warm = min(1.0, (step + 1) / FIRST_STEPS)
    return warm * (0.5 + 0.5 * math.cos(math.pi * min(1.0, step / steps))) + 1e-3


@torch.no_grad()
def _examined(network: Network, exam: list[Tensor], traces: int, elapsed_s: float) -> Progress:
    channels, scalars, growth = exam
    answer = network(channels, scalars)
    loss = float(surprise(answer, growth).mean())
    budget = math.log(BUDGET) + 8 * scalars[:, 8]
    beyond = probability_beyond(answer, budget)
    told = (growth == -math.inf) | (growth < budget - 0.7) | (growth > budget + 0.7)
    leaks = growth > budget
    climbing, flat = beyond >= 0.9, beyond <= 0.1
    right = (climbing & leaks) | (flat & ~leaks)
    decided = (climbing | flat) & told
    return Progress(
        traces,
        loss,
        float((right & decided).sum() / decided.sum().clamp(min=1)),
        1.0 - float(decided.sum() / told.sum()),
        elapsed_s,
    )


def probability_beyond(answer: Tensor, log_budget: Tensor) -> Tensor:
    """Return how likely growth beyond a budget is, given as its logarithm in units of the spread."""
    weights, centres, widths = belief(answer)
    above = torch.special.ndtr((centres - log_budget[:, None]) / widths)
    return (weights[:, 1:].exp() * above).sum(dim=1)
