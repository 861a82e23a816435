"""The network that says what is believed of the growth that lasts, and how wrong it is of a trace."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from soak.analyse.floors.points import MOST_POINTS
from soak.analyse.posterior.conditioning import CHANNELS, SCALARS

WIDTH = 96
HEADS = 4
BLOCKS = 2
PARTS = 8
"""Normal distributions of log growth that a belief is a mixture of."""
NARROWEST = 0.01
"""Standard deviation of such a part, at least: growth is told to a per cent at best."""
OUTPUTS = 3 * PARTS + 1
"""Weight of no growth; weight, centre and width of each part."""


class Attention(nn.Module):
    """Every point sees every other."""

    def __init__(self) -> None:
        """Make the weights."""
        super().__init__()
        self.before = nn.LayerNorm(WIDTH)
        self.asked = nn.Linear(WIDTH, 3 * WIDTH)
        self.told = nn.Linear(WIDTH, WIDTH)
        self.between = nn.LayerNorm(WIDTH)
        self.wider = nn.Linear(WIDTH, 2 * WIDTH)
        self.narrower = nn.Linear(2 * WIDTH, WIDTH)

    def forward(self, x: Tensor, hidden: Tensor) -> Tensor:
        """Return (batch, points, WIDTH); `hidden` is added to the scores: very negative where no point is."""
        count = x.shape[1]
        query, key, value = (
            self.asked(self.before(x)).reshape(-1, count, 3, HEADS, WIDTH // HEADS).permute(2, 0, 3, 1, 4)
        )
        scores = query @ key.transpose(-1, -2) / math.sqrt(WIDTH // HEADS) + hidden
        mixed = (scores.softmax(dim=-1) @ value).transpose(1, 2).reshape(-1, count, WIDTH)
        x = x + self.told(mixed)
        return x + self.narrower(functional.gelu(self.wider(self.between(x))))


class Network(nn.Module):
    """From conditioned points to the parameters of a belief."""

    def __init__(self) -> None:
        """Make the weights."""
        super().__init__()
        self.near = nn.Conv1d(CHANNELS, 48, 5, padding=2)
        self.wider = nn.Conv1d(48, 80, 5, stride=2, padding=2)
        self.widest = nn.Conv1d(80, WIDTH, 5, stride=2, padding=2)
        self.whole = nn.Linear(SCALARS, WIDTH)
        self.place = nn.Parameter(0.02 * torch.randn(MOST_POINTS // 4, WIDTH))
        self.blocks = nn.ModuleList(Attention() for _ in range(BLOCKS))
        self.last = nn.LayerNorm(WIDTH)
        self.weigh = nn.Linear(WIDTH, 2)
        self.hidden = nn.Linear(3 * WIDTH + SCALARS, 128)
        self.out = nn.Linear(128, OUTPUTS)

    def forward(self, channels: Tensor, scalars: Tensor) -> Tensor:
        """Return (batch, OUTPUTS) for (batch, CHANNELS, MOST_POINTS) and (batch, SCALARS)."""
        there = channels[:, :1]
        x = functional.gelu(self.near(channels)) * there
        x = functional.gelu(self.wider(x))
        x = functional.gelu(self.widest(x)).transpose(1, 2)
        x = x + self.whole(scalars)[:, None] + self.place
        some = functional.max_pool1d(there, 4)
        hidden = (some - 1.0)[:, None] * 1e4
        for block in self.blocks:
            x = block(x, hidden)
        x = self.last(x)
        shares = (self.weigh(x) + (some.transpose(1, 2) - 1.0) * 1e4).softmax(dim=1)
        gathered = [(x * shares[:, :, k : k + 1]).sum(dim=1) for k in range(2)]
        told = torch.cat([*gathered, x[:, -1], scalars], dim=1)
        answer: Tensor = self.out(functional.gelu(self.hidden(told)))
        return answer


def belief(answer: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return log weights (batch, 1 + PARTS), centres and widths (batch, PARTS) of the logarithm of growth."""
    weights = answer[:, : PARTS + 1].log_softmax(dim=1)
    start = torch.linspace(-9.0, 1.0, PARTS, device=answer.device)
    centres = start + 3.0 * answer[:, PARTS + 1 : 2 * PARTS + 1]
    widths = NARROWEST + functional.softplus(answer[:, 2 * PARTS + 1 : 3 * PARTS + 1])
    return weights, centres, widths


def surprise(answer: Tensor, growth: Tensor) -> Tensor:
    """Return the loss of each trace: minus the log of what was believed of the truth.

    `growth` is the logarithm of the growth, -inf for none.
    """
    weights, centres, widths = belief(answer)
    grows = torch.isfinite(growth)
    truth = torch.where(grows, growth, torch.zeros_like(growth))[:, None]
    parts = weights[:, 1:] - 0.5 * ((truth - centres) / widths) ** 2 - torch.log(widths)
    return torch.where(grows, -parts.logsumexp(dim=1) + 0.5 * math.log(2 * math.pi), -weights[:, 0])
