"""From a trained network to the file that the judge loads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from soak.analyse.floors.points import MOST_POINTS
from soak.analyse.posterior.conditioning import CHANNELS, SCALARS
from soak.learn.training.network import belief

if TYPE_CHECKING:
    from pathlib import Path

    from soak.learn.training.network import Network

OPSET = 17


class _Told(nn.Module):
    """The network with its answer in words of probability."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, channels: Tensor, scalars: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        answer = self.network(channels, scalars)
        weights, centres, widths = belief(answer)
        return weights.exp(), centres, widths


def export(network: Network, path: Path) -> None:
    """Write the network as ONNX: channels and scalars in; weights, centres and widths out."""
    example = (torch.zeros(2, CHANNELS, MOST_POINTS), torch.zeros(2, SCALARS))
    inputs, outputs = ["channels", "scalars"], ["weights", "centres", "widths"]
    torch.onnx.export(
        _Told(network).eval(),
        example,
        path,
        input_names=inputs,
        output_names=outputs,
        dynamic_axes={name: {0: "series"} for name in (*inputs, *outputs)},
        opset_version=OPSET,
        dynamo=False,
    )
