"""Reads trained weights back from the graphs of a bundled tiny model, to train further from them.

    python -m asr_server.training.restore online --out online.pt
    python -m asr_server.training.train online CORPUS.npz --start online.pt --out better.pt

The float graphs are taken where there are any; int8 weights are multiplied out. What the network gives with
them is compared with what the graphs give. The CTC output that training begins with is in no graph.

The exporter does not name matrices. So the network is exported anew, with other weights, and where its
matrices are then is where the bundled graph has its own.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import numpy_helper

from asr_server.paraformer.model_dir import read_cmvn
from asr_server.training.batches import WINDOW, stack
from asr_server.training.contextual import ContextualModel, HotwordEncoder
from asr_server.training.corpus import log_mel
from asr_server.training.evaluate import MODELS, bundled_clips
from asr_server.training.export import KINDS
from asr_server.training.geometry import TINY, Geometry
from asr_server.training.graphs import (
    LONGEST_HOTWORD,
    export_contextual,
    export_hotword_encoder,
    export_offline,
    export_online_decoder,
    export_online_encoder,
)
from asr_server.training.network import OfflineModel, OnlineDecoder, OnlineEncoder
from asr_server.training.weights import seed_weights

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from torch import Tensor, nn

    Floats = NDArray[np.float32]

QUANTISED, SCALE, ZERO_POINT = "_quantized", "_scale", "_zero_point"
"""What onnxruntime's quantisation adds to the name of a matrix."""
QUANTISED_NODE = "_quant"
"""What it adds to the name of a product."""
HALF = "_half"
"""What `graphs.store_in_half` adds."""
GATES = (0, 2, 3, 1)
"""Where ONNX's LSTM (input, output, forget, cell) has PyTorch's gates: input, forget, cell, output."""
FLOAT_TOLERANCE = 0.01
"""Most that outputs may differ from those of float graphs, as a share of their size: rounding only."""
INT8_TOLERANCE = 0.3
"""To int8 graphs, which round what they multiply too."""
EXAMPLE_TOKENS = 3


@dataclass(frozen=True)
class Graph:
    """One file of a model: which module it was made of, and how."""

    stem: str
    module: nn.Module
    export: Callable[[nn.Module, Geometry, Path], None]
    prefix: str = ""
    """What the names of the module's weights begin with in the whole model."""


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument(
        "--models", type=Path, default=MODELS, help="folder of online/, offline/, contextual/"
    )
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    folder = arguments.models / arguments.kind
    shift, scale = read_cmvn(folder / "am.mvn", TINY.feature_dim)
    weights: dict[str, Tensor] = {}
    for graph in graphs_of(arguments.kind):
        path = file_of(folder, graph.stem)
        graph.module.load_state_dict(graph.module.state_dict() | read_weights(path, graph))
        error, tolerance = difference(path, graph.module, shift, scale), tolerance_of(path)
        print(f"{path.name}: outputs differ by {error:.2%}")
        if error > tolerance:
            raise SystemExit(f"{path} is another network: at most {tolerance:.0%} would be rounding")
        weights |= {f"{graph.prefix}{name}": value for name, value in graph.module.state_dict().items()}
    state = {"shift": torch.from_numpy(shift), "scale": torch.from_numpy(scale), arguments.kind: weights}
    torch.save(state, arguments.out)


def graphs_of(kind: str) -> list[Graph]:
    """List the graphs that hold all weights of a kind of model, with modules to fill.

    The names of online and offline weights are those that `train.Trainee` gives them.
    """
    if kind == "online":
        return [
            Graph("model", OnlineEncoder(TINY), export_online_encoder, "parts."),
            Graph("decoder", OnlineDecoder(TINY), export_online_decoder, "parts."),
        ]
    if kind == "offline":
        return [Graph("model", OfflineModel(TINY), export_offline, "parts.")]
    return [
        Graph("model", ContextualModel(TINY), export_contextual),
        Graph("model_eb", HotwordEncoder(TINY), export_hotword_encoder, "hotword_encoder."),
    ]


def file_of(folder: Path, stem: str) -> Path:
    """Give the float file of a graph, or the int8 one where there is no other."""
    plain = folder / f"{stem}.onnx"
    return plain if plain.exists() else folder / f"{stem}_quant.onnx"


def tolerance_of(path: Path) -> float:
    """How far outputs may be from those of this file."""
    return INT8_TOLERANCE if path.stem.endswith(QUANTISED_NODE) else FLOAT_TOLERANCE


def read_weights(path: Path, graph: Graph) -> dict[str, Tensor]:
    """Read what the module of a graph has as its state."""
    bundled = onnx.load(path).graph
    tensors = float_tensors(bundled)
    products = {node.name.removesuffix(QUANTISED_NODE): node for node in bundled.node}
    names = names_of_products(graph)
    weights: dict[str, Tensor] = {}
    for name, value in graph.module.state_dict().items():
        if name.startswith("hotword_encoder."):
            continue  # a graph of its own
        if name in names:
            node = products[names[name]]
            read = tensors[node.input[1].removesuffix(QUANTISED)].T
        elif ".bias_encoder." in f".{name}":
            read = lstm_tensor(name, products, tensors)
        else:
            read = tensors[name]
        weights[name] = torch.from_numpy(np.ascontiguousarray(read)).reshape(value.shape)
    return weights


def float_tensors(graph: onnx.GraphProto) -> dict[str, Floats]:
    """Read the weights of a graph in single precision, int8 ones multiplied out, by the names they had."""
    stored = {tensor.name.removesuffix(HALF): numpy_helper.to_array(tensor) for tensor in graph.initializer}
    tensors: dict[str, Floats] = {}
    for name, values in stored.items():
        if name.endswith(QUANTISED):
            plain = name.removesuffix(QUANTISED)
            zero = stored[plain + ZERO_POINT].astype(np.float32)
            tensors[plain] = (values.astype(np.float32) - zero) * stored[plain + SCALE].astype(np.float32)
        else:
            tensors[name] = values.astype(np.float32)
    return tensors


def names_of_products(graph: Graph) -> dict[str, str]:
    """Find the node that multiplies by each matrix of a module; the exporter names the node, not the matrix.

    Every matrix gets weights of its own first, by which it is known again.
    """
    seed_weights(graph.module, 0)
    with tempfile.TemporaryDirectory() as folder:
        graph.export(graph.module, TINY, Path(folder) / "seeded.onnx")
        seeded = onnx.load(Path(folder) / "seeded.onnx").graph
    state = graph.module.state_dict()
    matrices = {value.numpy().T.tobytes(): name for name, value in state.items() if value.dim() == 2}
    held = {tensor.name: numpy_helper.to_array(tensor).tobytes() for tensor in seeded.initializer}
    return {
        matrices[held[node.input[1]]]: node.name
        for node in seeded.node
        if node.op_type == "MatMul" and node.input[1] in held
    }


def lstm_tensor(name: str, nodes: dict[str, onnx.NodeProto], tensors: dict[str, Floats]) -> Floats:
    """Read one tensor of the only LSTM, its gates in PyTorch's order."""
    (node,) = (node for node in nodes.values() if node.op_type == "LSTM")
    inputs, states, biases = (tensors[given][0] for given in node.input[1:4])
    halves = np.split(biases, 2)
    kinds = {"weight_ih": inputs, "weight_hh": states, "bias_ih": halves[0], "bias_hh": halves[1]}
    gates = np.split(kinds[name.rpartition(".")[2].removesuffix("_l0")], len(GATES))
    return np.concatenate([gates[gate] for gate in GATES])


def difference(
    path: Path, module: nn.Module, shift: NDArray[np.float64], scale: NDArray[np.float64]
) -> float:
    """How much a module's first output differs from a graph's, as a share of it (root mean squares)."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    samples = next(iter(bundled_clips())).samples
    features = ((stack(log_mel(samples)) + shift) * scale).astype(np.float32)
    values = examples(features[:WINDOW] if isinstance(module, OnlineEncoder) else features)
    feeds = {given.name: values[given.name] for given in session.get_inputs()}
    expected = session.run(None, feeds)[0]
    with torch.no_grad():
        outputs = module.eval()(*map(torch.from_numpy, feeds.values()))
    got = (outputs if isinstance(outputs, torch.Tensor) else outputs[0]).numpy()
    both = min(got.shape[1], expected.shape[1])  # tokens: a rounding may decide whether a last one fires
    error = got[:, :both] - expected[:, :both]
    return float(np.sqrt(np.mean(error**2) / np.mean(expected[:, :both] ** 2)))


def examples(features: Floats) -> dict[str, NDArray[np.generic]]:
    """Make something to give for every input that a graph may have; `features` are [T, 560]."""
    random = np.random.default_rng(0)

    def drawn(*shape: int) -> Floats:
        return random.standard_normal(shape).astype(np.float32)

    dim = TINY.encoder_dim
    tokens = random.integers(3, TINY.vocabulary_size - 1, (EXAMPLE_TOKENS, LONGEST_HOTWORD))
    values: dict[str, NDArray[np.generic]] = {
        "speech": features[None],
        "speech_lengths": np.array([len(features)], np.int32),
        "enc": drawn(1, WINDOW, dim),
        "enc_len": np.array([WINDOW], np.int32),
        "acoustic_embeds": drawn(1, EXAMPLE_TOKENS, dim),
        "acoustic_embeds_len": np.array([EXAMPLE_TOKENS], np.int32),
        "bias_embed": drawn(1, EXAMPLE_TOKENS, dim),
        "hotword": tokens.astype(np.int32),
    }
    caches = range(TINY.decoder_blocks)
    return values | {f"in_cache_{block}": drawn(1, dim, TINY.kernel_size - 1) for block in caches}


if __name__ == "__main__":
    main()
