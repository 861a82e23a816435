"""Takes the weights out of a graph and leaves what is needed to put seeded ones back.

A skeleton is the gzipped graph with every large tensor emptied: its name, type and shape stay, and its
`doc_string` says how to fill it. `asr_server.paraformer.build` reads it.
"""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import onnx
from onnx import TensorProto, numpy_helper

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np

KEPT_ELEMENTS = 16
"""Tensors up to this size stay as they are: shapes, axes, scalars, the predictor's bias."""
QUANTISED_SUFFIX = "_quantized"
SCALE_SUFFIX = "_scale"
ZERO_POINT_SUFFIX = "_zero_point"


def write_skeleton(graph: Path, target: Path) -> None:
    """Write the skeleton of an ONNX file."""
    model = onnx.load(graph)
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.size > KEPT_ELEMENTS:
            tensor.doc_string = _recipe(tensor, values)
            tensor.ClearField("raw_data")
            tensor.ClearField("float_data")
            tensor.ClearField("int32_data")
    with gzip.GzipFile(target, "wb", mtime=0) as file:
        file.write(model.SerializeToString(deterministic=True))


def _recipe(tensor: TensorProto, values: np.ndarray) -> str:
    """Say how to fill a tensor: `constant VALUE`, or `normal MEAN DEVIATION`."""
    if tensor.name.endswith(SCALE_SUFFIX):
        return f"constant {values.mean():.6g}"
    if tensor.name.endswith(ZERO_POINT_SUFFIX):
        return f"constant {round(values.mean())}"
    if values.min() == values.max():
        return f"constant {values.flat[0]:.6g}"
    if tensor.data_type == TensorProto.FLOAT or tensor.name.endswith(QUANTISED_SUFFIX):
        return f"normal {values.mean():.6g} {values.std():.6g}"
    raise ValueError(f"no recipe for {tensor.name}")
