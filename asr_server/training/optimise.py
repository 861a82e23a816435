"""The optimiser's loop: AdamW, a warm-up and a cosine, and an average of the weights over the last steps."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

if TYPE_CHECKING:
    from collections.abc import Callable

LOG_EVERY = 100
KEEP_EVERY = 500
GRADIENT_NORM = 5.0
AVERAGED_SHARE = 0.1
"""Of the steps, how many the average of the weights reaches back: a short run has to leave where it began."""
LONGEST_WARM_UP, WARM_UP_SHARE = 300, 0.1


@dataclass(frozen=True)
class Schedule:
    """How the weights move."""

    steps: int
    peak_rate: float
    weight_decay: float = 0.01

    @property
    def warm_up_steps(self) -> int:
        """Steps until the rate is at its peak."""
        return min(LONGEST_WARM_UP, round(WARM_UP_SHARE * self.steps))

    @property
    def average_decay(self) -> float:
        """What a step leaves of the average of the weights before it."""
        return 1.0 - 1.0 / max(AVERAGED_SHARE * self.steps, 1.0)

    def relative_rate(self, step: int) -> float:
        """Linear warm-up, then a cosine to a hundredth."""
        if step < self.warm_up_steps:
            return (step + 1) / self.warm_up_steps
        done = (step - self.warm_up_steps) / max(self.steps - self.warm_up_steps, 1)
        return 0.01 + 0.99 * 0.5 * (1.0 + float(np.cos(np.pi * min(done, 1.0))))


def optimise(
    module: nn.Module,
    schedule: Schedule,
    loss_of_next: Callable[[], tuple[Tensor, dict[str, float]]],
    keep: Callable[[dict[str, Tensor]], None],
) -> None:
    """Run the schedule over the parameters that want a gradient.

    `loss_of_next` draws a batch and gives its loss, and figures for the log; `keep` gets the averaged weights
    now and then, and at the end.
    """
    average = AveragedModel(
        module, multi_avg_fn=get_ema_multi_avg_fn(schedule.average_decay), use_buffers=True
    )
    moved = [parameter for parameter in module.parameters() if parameter.requires_grad]
    optimiser = torch.optim.AdamW(moved, schedule.peak_rate, weight_decay=schedule.weight_decay)
    rate = torch.optim.lr_scheduler.LambdaLR(optimiser, schedule.relative_rate)
    began = time.monotonic()
    sums: dict[str, float] = {}
    for step in range(1, schedule.steps + 1):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss, report = loss_of_next()
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(moved, GRADIENT_NORM)
        optimiser.step()
        rate.step()
        average.update_parameters(module)
        sums = {name: sums.get(name, 0.0) + value for name, value in report.items()}
        if step % LOG_EVERY == 0:
            means = "  ".join(f"{name} {value / LOG_EVERY:.4f}" for name, value in sums.items())
            print(f"step {step}  {time.monotonic() - began:.0f} s  {means}", flush=True)
            sums = {}
        if step % KEEP_EVERY == 0 or step == schedule.steps:
            keep(average.module.state_dict())
