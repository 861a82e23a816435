"""Seeded weights for networks that have not been trained, and what makes their output worth looking at.

An untrained network answers almost the same token to everything: its hidden states share one large mean. The
calibration here takes that mean, measured on real clips, out of the logits, so that different audio gives
different transcripts, and sets the predictor so that tokens fire at a speaking rate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from asr_server.training.network import (
    FIRING_BIAS,
    CifPredictor,
    Decoder,
    Encoder,
    integrate_and_fire,
    length_mask,
    position_encoding,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asr_server.training.geometry import Geometry

ATTENTION_GAIN = 2.0
"""Query and key weights are larger than usual by this, so that untrained attention looks at content."""
PREDICTOR_SPREAD = 0.2
"""Standard deviation of the CIF output weights times sqrt(dim): small, so that the bias decides."""
VECTOR_SPREAD = 0.02
"""Standard deviation of biases and of normalisation's weights."""
NEVER = -30.0
"""Logit bias of tokens that stand for no speech."""
MARKS = 4
WINDOW_FRAMES = 20
"""Length of the windows that the online model sees: 5 + 10 + 5 frames."""


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


@torch.no_grad()
def calibrate(parts: Parts, geometry: Geometry, utterances: Sequence[Tensor], *, windowed: bool) -> None:
    """Centre logits and firing on `utterances`, each [T, F]; `windowed` as the online model sees them."""
    inputs = [_prepared(features, geometry, windowed=windowed) for features in utterances]
    encoded = [(parts.encoder(x, torch.ones(x.shape[:2])), x) for x in inputs]
    parts.predictor.cif_output.bias.zero_()
    raw = [torch.logit(parts.predictor(enc, torch.ones(enc.shape[:2]))).flatten() for enc, _ in encoded]
    parts.predictor.cif_output.bias.fill_(FIRING_BIAS - torch.cat(raw).mean().item())
    hidden = []
    for enc, _ in encoded:
        mask = torch.ones(enc.shape[:2])
        lengths = torch.full((enc.shape[0],), enc.shape[1], dtype=torch.int32)
        embeds, counts = integrate_and_fire(enc, parts.predictor(enc, mask), lengths, geometry.tail_threshold)
        embeds_mask = length_mask(counts, embeds.shape[1])
        caches = [None] * len(parts.decoder.blocks)
        states, _ = parts.decoder.hidden(enc, mask, embeds, embeds_mask, caches)
        hidden.append(states[embeds_mask.bool()])
    states = torch.cat(hidden)
    output = parts.decoder.output_layer
    logits = (states - states.mean(dim=0)) @ output.weight.T
    # Every token gets the same spread, or the few with the longest weights would win everything.
    output.weight.div_(logits.std(dim=0)[:, None])
    output.bias.copy_(-(output.weight @ states.mean(dim=0)))
    output.bias[:MARKS] = NEVER


def _prepared(features: Tensor, geometry: Geometry, *, windowed: bool) -> Tensor:
    """Scale, add positions and, for the online model, cut into windows: [B, T, F]."""
    scaled = features * geometry.encoder_dim**0.5 + position_encoding(features.shape[0], features.shape[1])[0]
    if not windowed:
        return scaled[None]
    padded = nn.functional.pad(scaled, (0, 0, 0, -len(scaled) % WINDOW_FRAMES))
    return padded.reshape(-1, WINDOW_FRAMES, features.shape[1])
