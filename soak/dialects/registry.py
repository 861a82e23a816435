"""The dialects by name."""

from __future__ import annotations

from soak.dialects.dialect import Dialect
from soak.plugins import Registry

DIALECTS: Registry[Dialect] = Registry(
    Dialect,  # type: ignore[type-abstract]  # the kind that all are
    "dialect",
    "soak.dialects",
    {
        "funasr": "soak.dialects.funasr:Funasr",
        "sherpa-onnx": "soak.dialects.sherpa_onnx:SherpaOnnx",
    },
)
