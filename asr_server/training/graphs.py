"""PyTorch modules to ONNX graphs with FunASR's names, and to int8 with FunASR's options."""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic

if TYPE_CHECKING:
    from asr_server.training.contextual import ContextualModel, HotwordEncoder
    from asr_server.training.geometry import Geometry
    from asr_server.training.network import OfflineModel, OnlineDecoder, OnlineEncoder

OPSET = 14
LEFT_IN_FLOAT = ("output",)
"""Parts of node names that FunASR's export leaves out of quantisation: the output layers."""
KEPT_IN_FLOAT = 16
"""Tensors up to this size are not worth storing in half precision."""
EXAMPLE_FRAMES = 20
EXAMPLE_TOKENS = 3
EXAMPLE_HOTWORDS = 5
LONGEST_HOTWORD = 10
"""Tokens that FunASR's runtimes pad every hotword to."""


def export_online_encoder(module: OnlineEncoder, geometry: Geometry, target: Path) -> None:
    """Write `model.onnx` of an online model."""
    frames = {0: "batch_size", 1: "feats_length"}
    _export(
        module,
        (torch.randn(2, EXAMPLE_FRAMES, geometry.feature_dim), torch.tensor([6, EXAMPLE_FRAMES]).int()),
        {"speech": frames, "speech_lengths": {0: "batch_size"}},
        {"enc": frames, "enc_len": {0: "batch_size"}, "alphas": frames},
        target,
    )


def export_online_decoder(module: OnlineDecoder, geometry: Geometry, target: Path) -> None:
    """Write `decoder.onnx` of an online model."""
    batch, dim = 2, geometry.encoder_dim
    caches = [torch.zeros(batch, dim, geometry.kernel_size - 1) for _ in range(geometry.decoder_blocks)]
    tokens = {0: "batch_size", 1: "token_length"}
    cache_axes = {0: "batch_size"}
    inputs = {
        "enc": {0: "batch_size", 1: "enc_length"},
        "enc_len": {0: "batch_size"},
        "acoustic_embeds": tokens,
        "acoustic_embeds_len": {0: "batch_size"},
    }
    inputs |= {f"in_cache_{index}": cache_axes for index in range(len(caches))}
    outputs = {"logits": tokens, "sample_ids": tokens}
    outputs |= {f"out_cache_{index}": cache_axes for index in range(len(caches))}
    arguments = (
        torch.randn(batch, EXAMPLE_FRAMES, dim),
        torch.tensor([12, EXAMPLE_FRAMES]).int(),
        torch.randn(batch, EXAMPLE_TOKENS, dim),
        torch.tensor([2, EXAMPLE_TOKENS]).int(),
        *caches,
    )
    _export(module, arguments, inputs, outputs, target)


def export_offline(module: OfflineModel, geometry: Geometry, target: Path) -> None:
    """Write `model.onnx` of an offline model."""
    _export(
        module,
        (torch.randn(2, EXAMPLE_FRAMES, geometry.feature_dim), torch.tensor([12, EXAMPLE_FRAMES]).int()),
        {"speech": {0: "batch_size", 1: "feats_length"}, "speech_lengths": {0: "batch_size"}},
        {"logits": {0: "batch_size", 1: "logits_length"}, "token_num": {0: "batch_size"}},
        target,
    )


def export_contextual(module: ContextualModel, geometry: Geometry, target: Path) -> None:
    """Write `model.onnx` of a contextual model."""
    batch = 2
    _export(
        module,
        (
            torch.randn(batch, EXAMPLE_FRAMES, geometry.feature_dim),
            torch.tensor([12, EXAMPLE_FRAMES]).int(),
            torch.randn(batch, EXAMPLE_HOTWORDS, geometry.encoder_dim),
        ),
        {
            "speech": {0: "batch_size", 1: "feats_length"},
            "speech_lengths": {0: "batch_size"},
            "bias_embed": {0: "batch_size", 1: "num_hotwords"},
        },
        {"logits": {0: "batch_size", 1: "logits_length"}, "token_num": {0: "batch_size"}},
        target,
    )


def export_hotword_encoder(module: HotwordEncoder, geometry: Geometry, target: Path) -> None:
    """Write `model_eb.onnx` of a contextual model: hotwords of `LONGEST_HOTWORD` tokens, padded with 0."""
    _export(
        module,
        (torch.randint(geometry.vocabulary_size, (EXAMPLE_HOTWORDS, LONGEST_HOTWORD)).int(),),
        {"hotword": {0: "num_hotwords"}},
        {"hw_embed": {1: "num_hotwords"}},
        target,
    )


def quantise(source: Path, target: Path) -> None:
    """Write the int8 graph that FunASR's export makes: MatMul weights per channel, output layers in float."""
    names = [node.name for node in onnx.load(source).graph.node]
    quantize_dynamic(
        source,
        target,
        op_types_to_quantize=["MatMul"],
        per_channel=True,
        reduce_range=False,
        weight_type=QuantType.QUInt8,
        nodes_to_exclude=[name for name in names if any(part in name for part in LEFT_IN_FLOAT)],
    )


def store_in_half(path: Path) -> None:
    """Store float weights in half precision, half as large; the graph computes in float as before.

    Every tensor of weights gets a Cast, which ONNX Runtime does once, at load.
    """
    model = onnx.load(path)
    casts = []
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype == np.float32 and values.size > KEPT_IN_FLOAT:
            name = f"{tensor.name}_half"
            casts.append(onnx.helper.make_node("Cast", [name], [tensor.name], to=onnx.TensorProto.FLOAT))
            tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), name))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    del model.graph.value_info[:]  # notes on the shapes inside, which nobody needs to run the graph
    onnx.save(model, path)


def _export(
    module: torch.nn.Module,
    arguments: tuple[torch.Tensor, ...],
    inputs: dict[str, dict[int, str]],
    outputs: dict[str, dict[int, str]],
    target: Path,
) -> None:
    """Trace and write a graph. The newer exporter fails on the decoder's free axes: hence dynamo=False."""
    with warnings.catch_warnings():
        # The tracer warns about shapes used as sizes, which is what is wanted, and about its own age.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module.eval(),
            arguments,
            str(target),
            input_names=list(inputs),
            output_names=list(outputs),
            dynamic_axes={**inputs, **outputs},
            opset_version=OPSET,
            dynamo=False,
        )


def export_int8(export: object, module: torch.nn.Module, geometry: Geometry, target: Path) -> None:
    """Export a module and write only its int8 graph."""
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "plain.onnx"
        export(module, geometry, plain)
        quantise(plain, target)
