"""The FSMN voice activity detector as PyTorch modules, and its export, with the published geometry.

Zhang et al., "Deep-FSMN for large vocabulary continuous speech recognition" (2018): 400 inputs -> 140 -> 250,
four blocks of a projection to 128, a memory over the last 20 frames and 250 outputs, then 140 -> 248
probabilities, of which the first is silence. Every block carries 19 frames from one call to the next.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from asr_server.training.graphs import OPSET

if TYPE_CHECKING:
    from pathlib import Path

EXAMPLE_FRAMES = 6


@dataclass(frozen=True)
class VadGeometry:
    """The sizes; the fields are those of FunASR's `encoder_conf`."""

    input_dim: int = 400
    """80 mel bins times 5 stacked frames."""
    input_affine_dim: int = 140
    fsmn_layers: int = 4
    linear_dim: int = 250
    proj_dim: int = 128
    lorder: int = 20
    """Taps of every memory, the present frame among them."""
    rorder: int = 0
    lstride: int = 1
    rstride: int = 0
    output_affine_dim: int = 140
    output_dim: int = 248


class FsmnBlock(nn.Module):
    """One projection with a memory: [B, T, linear_dim] and cache [B, proj_dim, lorder - 1, 1]."""

    def __init__(self, geometry: VadGeometry) -> None:
        """Make the block with PyTorch's random weights."""
        super().__init__()
        self.project = nn.Linear(geometry.linear_dim, geometry.proj_dim, bias=False)
        self.memory = nn.Conv2d(
            geometry.proj_dim, geometry.proj_dim, (geometry.lorder, 1), groups=geometry.proj_dim, bias=False
        )
        self.expand = nn.Linear(geometry.proj_dim, geometry.linear_dim)
        self._carried = geometry.lorder - 1

    def forward(self, hidden: Tensor, cache: Tensor) -> tuple[Tensor, Tensor]:
        """Give the block's output and the cache for the frames that follow."""
        projected = self.project(hidden).transpose(1, 2).unsqueeze(3)
        seen = torch.cat((cache, projected), dim=2)
        remembered = (projected + self.memory(seen)).squeeze(3).transpose(1, 2)
        return torch.relu(self.expand(remembered)), seen[:, :, -self._carried :, :]


class FsmnVad(nn.Module):
    """The whole network: features [B, T, 400] to probabilities [B, T, 248]."""

    def __init__(self, geometry: VadGeometry) -> None:
        """Make the network with PyTorch's random weights."""
        super().__init__()
        self.geometry = geometry
        self.in_linear1 = nn.Linear(geometry.input_dim, geometry.input_affine_dim)
        self.in_linear2 = nn.Linear(geometry.input_affine_dim, geometry.linear_dim)
        self.fsmn = nn.ModuleList(FsmnBlock(geometry) for _ in range(geometry.fsmn_layers))
        self.out_linear1 = nn.Linear(geometry.linear_dim, geometry.output_affine_dim)
        self.out_linear2 = nn.Linear(geometry.output_affine_dim, geometry.output_dim)

    def empty_caches(self, batch: int) -> list[Tensor]:
        """Give what a stream begins with."""
        sizes = (batch, self.geometry.proj_dim, self.geometry.lorder - 1, 1)
        return [torch.zeros(sizes) for _ in self.fsmn]

    def scores(self, speech: Tensor, *caches: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Give the logits before the softmax, [B, T, 248], and the new caches."""
        hidden = torch.relu(self.in_linear2(self.in_linear1(speech)))
        carried = []
        for block, cache in zip(self.fsmn, caches, strict=True):
            hidden, new = block(hidden, cache)
            carried.append(new)
        return self.out_linear2(self.out_linear1(hidden)), carried

    def forward(self, speech: Tensor, *caches: Tensor) -> tuple[Tensor, ...]:
        """Give what the graph gives: probabilities, named `logits` by FunASR, and the new caches."""
        scores, carried = self.scores(speech, *caches)
        return (torch.softmax(scores, dim=-1), *carried)


def export_vad(network: FsmnVad, target: Path) -> None:
    """Write `model.onnx` with FunASR's names; the number of frames is free."""
    caches = network.empty_caches(1)
    numbers = range(len(caches))
    with warnings.catch_warnings():
        # The tracer warns about its own age; the newer one is not what FunASR's graphs are made with.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network.eval(),
            (torch.randn(1, EXAMPLE_FRAMES, network.geometry.input_dim), *caches),
            str(target),
            input_names=["speech", *(f"in_cache{number}" for number in numbers)],
            output_names=["logits", *(f"out_cache{number}" for number in numbers)],
            dynamic_axes={"speech": {1: "feats_length"}, "logits": {1: "feats_length"}},
            opset_version=OPSET,
            dynamo=False,
        )
