"""The trained network: from conditioned points to a belief, by ONNX Runtime."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np
import onnxruntime

from soak.analyse.posterior.growth import Growth

if TYPE_CHECKING:
    from collections.abc import Sequence

    from soak.analyse.posterior.conditioning import Conditioned

WEIGHTS = "posterior.onnx"
"""What `python -m soak.learn` writes, beside this module; its card is `docs/posterior.md`."""


def beliefs(shown: Sequence[Conditioned]) -> list[Growth]:
    """Return what is believed of the growth in each of these, over the points, in the unit of the series."""
    weights, centres, widths = _session().run(
        None,
        {
            "channels": np.stack([one.channels for one in shown]),
            "scalars": np.stack([one.scalars for one in shown]),
        },
    )
    return [
        Growth(
            float(weight[0]),
            weight[1:].astype(np.float64),
            centre.astype(np.float64),
            width.astype(np.float64),
        ).scaled(one.unit)
        for one, weight, centre, width in zip(shown, weights, centres, widths, strict=True)
    ]


@cache
def _session() -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(
        files("soak.analyse.posterior").joinpath(WEIGHTS).read_bytes(),
        options,
        providers=["CPUExecutionProvider"],
    )
