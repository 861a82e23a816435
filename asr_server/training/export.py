"""Makes the bundled tiny models and the weightless skeletons of the large ones.

    python -m asr_server.training.export tiny --weights online.pt offline.pt contextual.pt
    python -m asr_server.training.export large

Needs PyTorch, onnx and onnxruntime.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from asr_server.training.contextual import ContextualModel
from asr_server.training.geometry import LARGE, TINY, Geometry
from asr_server.training.graphs import (
    export_contextual,
    export_hotword_encoder,
    export_int8,
    export_offline,
    export_online_decoder,
    export_online_encoder,
    store_in_half,
)
from asr_server.training.model_files import cmvn_text, config_text
from asr_server.training.network import OfflineModel, OnlineDecoder, OnlineEncoder
from asr_server.training.skeleton import write_skeleton
from asr_server.training.vocabularies import TINY_TOKENS, large_tokens, tokens_json
from asr_server.training.weights import Parts, seed_weights

if TYPE_CHECKING:
    from collections.abc import Sequence

MODELS = Path(__file__).parent.parent / "models"
KINDS = ("online", "offline", "contextual")


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("size", choices=["tiny", "large"])
    parser.add_argument("--weights", type=Path, nargs="+", help="what training left, for tiny")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS, help="for large")
    arguments = parser.parse_args()
    if arguments.size == "large":
        export_large(MODELS / "large", arguments.seed, arguments.kinds)
    elif arguments.weights is None:
        parser.error("tiny needs --weights")
    else:
        export_tiny(MODELS / "tiny", arguments.weights)


def export_tiny(target: Path, weights: Sequence[Path]) -> None:
    """Write the bundled models in FunASR's layout, each from the file of weights that training left."""
    for path in weights:
        state = torch.load(path, weights_only=True)
        shift, scale = state.pop("shift").numpy(), state.pop("scale").numpy()
        ((kind, trained),) = state.items()
        folder = target / kind
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        write_text_files(folder, TINY, kind, TINY_TOKENS, shift, scale)
        if kind == "contextual":
            model = ContextualModel(TINY)
            model.load_state_dict(trained)
            export_contextual_model(model, TINY, folder)
        else:
            export_plain_model(trained, kind, folder)
        for graph in folder.glob("*.onnx"):
            store_in_half(graph)


def export_plain_model(trained: dict[str, torch.Tensor], kind: str, folder: Path) -> None:
    """Write the graphs of a trained online or offline model; the online one in float too."""
    parts = Parts(TINY)
    names = {name: name.removeprefix("parts.") for name in trained if name.startswith("parts.")}
    parts.load_state_dict({short: trained[name] for name, short in names.items()})
    if kind == "online":
        export_online(parts, TINY, folder, in_float=True)
    else:
        export_int8(export_offline, filled(OfflineModel(TINY), parts), TINY, folder / "model_quant.onnx")


def export_large(target: Path, seed: int, kinds: Sequence[str]) -> None:
    """Write the skeletons of the large models, and the text files beside them."""
    shift, scale = np.full(560, -12.0), np.full(560, 0.3)
    for kind in kinds:
        folder = target / kind
        folder.mkdir(parents=True, exist_ok=True)
        write_text_files(folder, LARGE, kind, large_tokens(LARGE.vocabulary_size), shift, scale)
        if kind == "contextual":
            model = ContextualModel(LARGE)
            seed_weights(model, seed)
            export_contextual_model(model, LARGE, folder)
        else:
            parts = Parts(LARGE)
            seed_weights(parts, seed)
            if kind == "online":
                export_online(parts, LARGE, folder)
            else:
                export_int8(
                    export_offline, filled(OfflineModel(LARGE), parts), LARGE, folder / "model_quant.onnx"
                )
        for graph in sorted(folder.glob("*.onnx")):
            write_skeleton(graph, graph.with_suffix(".skeleton.gz"))
            graph.unlink()


def export_online(parts: Parts, geometry: Geometry, folder: Path, *, in_float: bool = False) -> None:
    """Write encoder and decoder of an online model, int8, and in float too if `in_float`."""
    encoder, decoder = filled(OnlineEncoder(geometry), parts), filled(OnlineDecoder(geometry), parts)
    export_int8(export_online_encoder, encoder, geometry, folder / "model_quant.onnx")
    export_int8(export_online_decoder, decoder, geometry, folder / "decoder_quant.onnx")
    if in_float:
        export_online_encoder(encoder, geometry, folder / "model.onnx")
        export_online_decoder(decoder, geometry, folder / "decoder.onnx")


def export_contextual_model(model: ContextualModel, geometry: Geometry, folder: Path) -> None:
    """Write both graphs of a contextual model: the model in int8, the hotword encoder in float.

    FunASR's quantisation knows matrix products only, of which the hotword encoder has none.
    """
    export_int8(export_contextual, model, geometry, folder / "model_quant.onnx")
    export_hotword_encoder(model.hotword_encoder, geometry, folder / "model_eb.onnx")


def filled(module: torch.nn.Module, parts: Parts) -> torch.nn.Module:
    """Give a module the weights of the parts it is made of."""
    wanted = module.state_dict().keys()
    module.load_state_dict({name: value for name, value in parts.state_dict().items() if name in wanted})
    return module


def write_text_files(
    folder: Path, geometry: Geometry, kind: str, tokens: tuple[str, ...], shift: np.ndarray, scale: np.ndarray
) -> None:
    """Write `config.yaml`, `am.mvn` and `tokens.json`."""
    (folder / "config.yaml").write_text(config_text(geometry, kind), encoding="utf-8")
    (folder / "am.mvn").write_text(cmvn_text(shift, scale), encoding="utf-8")
    (folder / "tokens.json").write_text(tokens_json(tokens), encoding="utf-8")


if __name__ == "__main__":
    main()
