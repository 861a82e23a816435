"""Seeded weights for networks that have not been trained, and the parts that trained ones are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

from asr_server.training.network import (
    FIRING_BIAS,
    CifPredictor,
    Decoder,
    Encoder,
)

if TYPE_CHECKING:
    from asr_server.training.geometry import Geometry

ATTENTION_GAIN = 2.0
"""Query and key weights are larger than usual by this, so that untrained attention looks at content."""
PREDICTOR_SPREAD = 0.2
"""Standard deviation of the CIF output weights times sqrt(dim): small, so that the bias decides."""
VECTOR_SPREAD = 0.02
"""Standard deviation of biases and of normalisation's weights."""


def seed_weights(module: nn.Module, seed: int) -> None:
    """Fill a network with normal weights of variance 1 / fan-in, the same ones for the same seed."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            if parameter.dim() > 1:
                fan_in = parameter[0].numel()
                parameter.normal_(0.0, fan_in**-0.5 * _gain(name), generator=generator)
            elif name.endswith("cif_output.bias"):
                parameter.fill_(FIRING_BIAS)
            else:
                # Not plain ones and zeros: the exporter would merge equal tensors, and the graph would have
                # fewer of them than a trained one.
                mean = 1.0 if "norm" in name and name.endswith("weight") else 0.0
                parameter.normal_(mean, VECTOR_SPREAD, generator=generator)


def _gain(name: str) -> float:
    if "linear_q" in name:
        return ATTENTION_GAIN
    return PREDICTOR_SPREAD if "cif_output" in name else 1.0


class Parts(nn.Module):
    """What online and offline models are made of, for weights that both share."""

    def __init__(self, geometry: Geometry) -> None:
        """Make the three parts, with PyTorch's own first weights."""
        super().__init__()
        self.encoder = Encoder(geometry)
        self.predictor = CifPredictor(geometry.encoder_dim)
        self.decoder = Decoder(geometry)
