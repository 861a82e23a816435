"""An online Paraformer as sherpa-onnx wants it: the same graphs, with metadata, and tokens as text.

What it reads is in its `online-paraformer-model.cc`: sizes, and the normalisation of the features.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import onnx

from asr_server.paraformer.model_dir import read_model_dir

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def export(model_dir: Path, folder: Path) -> Path:
    """Write the int8 model of a folder in FunASR's layout to another: two graphs and `tokens.txt`."""
    model = read_model_dir(model_dir)
    encoder, decoder = (onnx.load(model_dir / f"{name}_quant.onnx") for name in ("model", "decoder"))
    caches = [each for each in decoder.graph.input if each.name.startswith("in_cache_")]
    _, dim, taps = (size.dim_value for size in caches[0].type.tensor_type.shape.dim)
    metadata = {
        "model_type": "paraformer",
        "vocab_size": len(model.tokens),
        "lfr_window_size": model.frontend.lfr_m,
        "lfr_window_shift": model.frontend.lfr_n,
        "encoder_output_size": dim,
        "decoder_num_blocks": len(caches),
        "decoder_kernel_size": taps + 1,
        "neg_mean": _listed(model.frontend.shift),
        "inv_stddev": _listed(model.frontend.scale),
    }
    onnx.helper.set_model_props(encoder, {name: str(value) for name, value in metadata.items()})
    folder.mkdir(parents=True)
    onnx.save(encoder, folder / "encoder.onnx")
    onnx.save(decoder, folder / "decoder.onnx")
    lines = [f"{token} {number}\n" for number, token in enumerate(model.tokens)]
    (folder / "tokens.txt").write_text("".join(lines), encoding="utf-8")
    return folder


def _listed(values: Iterable[float]) -> str:
    return ",".join(str(float(value)) for value in values)
