"""Takes the weights out of a graph and leaves what is needed to put seeded ones back.

A skeleton is the gzipped graph with every large tensor emptied: its name, type and shape stay, and its
`doc_string` says how to fill it. `asr_server.paraformer.build` reads it.
"""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import numpy as np
import onnx
from onnx import numpy_helper

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

KEPT_ELEMENTS = 16
"""Tensors up to this size stay as they are: shapes, axes, scalars, the predictor's bias."""
ZERO_POINT = 128
"""The uint8 that stands for 0 in a refilled weight."""
QUANTISED_SUFFIX = "_quantized"
SCALE_SUFFIX = "_scale"
ZERO_POINT_SUFFIX = "_zero_point"


def write_skeleton(graph: Path, target: Path) -> None:
    """Write the skeleton of an ONNX file."""
    model = onnx.load(graph)
    arrays = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    for tensor in model.graph.initializer:
        if arrays[tensor.name].size > KEPT_ELEMENTS:
            tensor.doc_string = _recipe(tensor.name, arrays)
            tensor.ClearField("raw_data")
            tensor.ClearField("float_data")
            tensor.ClearField("int32_data")
    del model.graph.value_info[:]  # notes on the shapes inside, which nobody needs to run the graph
    with gzip.GzipFile(target, "wb", mtime=0) as file:
        file.write(model.SerializeToString(deterministic=True))


def _recipe(name: str, arrays: Mapping[str, np.ndarray]) -> str:
    """Say how to fill a tensor: `constant VALUE`, or `normal MEAN DEVIATION`."""
    values = arrays[name]
    if name.endswith(SCALE_SUFFIX):
        return f"constant {values.mean():.6g}"
    if name.endswith(ZERO_POINT_SUFFIX):
        return f"constant {ZERO_POINT}"
    if name.endswith(QUANTISED_SUFFIX):
        # Around the zero point, or every weight would be off by the same amount.
        return f"normal {ZERO_POINT} {values.std():.6g}"
    if values.dtype == np.float32:
        return f"normal {values.mean():.6g} {values.std():.6g}"
    raise ValueError(f"no recipe for {name}: {values.dtype} of {values.shape}")
