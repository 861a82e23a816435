"""Makes the bundled tiny models and the weightless skeletons of the large ones.

    python -m asr_server.training.export tiny --clips FOLDER_OF_WAV_FILES
    python -m asr_server.training.export large

Needs PyTorch, onnx and onnxruntime. The clips (16 kHz, mono, 16 bit) give the tiny models their normalisation
and calibrate their untrained weights.
"""

from __future__ import annotations

import argparse
import wave
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from asr_server.paraformer.frontend import FrontendSettings, extract_features
from asr_server.training.contextual import ContextualModel
from asr_server.training.geometry import LARGE, TINY, Geometry
from asr_server.training.graphs import (
    export_contextual,
    export_hotword_encoder,
    export_int8,
    export_offline,
    export_online_decoder,
    export_online_encoder,
)
from asr_server.training.model_files import cmvn_text, config_text
from asr_server.training.network import OfflineModel, OnlineDecoder, OnlineEncoder
from asr_server.training.skeleton import write_skeleton
from asr_server.training.vocabularies import TINY_TOKENS, large_tokens, tokens_json
from asr_server.training.weights import Parts, calibrate, seed_weights

if TYPE_CHECKING:
    from collections.abc import Sequence

MODELS = Path(__file__).parent.parent / "models"
KINDS = ("online", "offline", "contextual")
RESCALE_FLOOR = 1e-3
"""Smallest standard deviation that normalisation divides by."""


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("size", choices=["tiny", "large"])
    parser.add_argument("--clips", type=Path, help="folder of WAV files, for tiny")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS, help="for large")
    arguments = parser.parse_args()
    if arguments.size == "large":
        export_large(MODELS / "large", arguments.seed, arguments.kinds)
    elif arguments.clips is None:
        parser.error("tiny needs --clips")
    else:
        export_tiny(MODELS / "tiny", arguments.clips, arguments.seed)


def export_tiny(target: Path, clips: Path, seed: int) -> None:
    """Write the bundled models: `online/` and `offline/` in FunASR's layout."""
    raw = [extract_features(read_wav(path), plain_frontend()) for path in sorted(clips.glob("*.wav"))]
    frames = np.concatenate(raw).reshape(-1, 7, 80)
    mean, deviation = frames.mean(axis=(0, 1)), np.maximum(frames.std(axis=(0, 1)), RESCALE_FLOOR)
    shift, scale = np.tile(-mean, 7), np.tile(1.0 / deviation, 7)
    utterances = [torch.from_numpy((features + shift) * scale) for features in raw]
    for kind in ("online", "offline"):
        folder = target / kind
        folder.mkdir(parents=True, exist_ok=True)
        write_text_files(folder, TINY, kind, TINY_TOKENS, shift, scale)
        parts = Parts(TINY)
        seed_weights(parts, seed)
        calibrate(parts, TINY, utterances, windowed=kind == "online")
        if kind == "online":
            export_online(parts, TINY, folder)
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


def export_online(parts: Parts, geometry: Geometry, folder: Path) -> None:
    """Write encoder and decoder of an online model, int8."""
    encoder, decoder = filled(OnlineEncoder(geometry), parts), filled(OnlineDecoder(geometry), parts)
    export_int8(export_online_encoder, encoder, geometry, folder / "model_quant.onnx")
    export_int8(export_online_decoder, decoder, geometry, folder / "decoder_quant.onnx")


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


def plain_frontend() -> FrontendSettings:
    """Make a front end that does not normalise."""
    return FrontendSettings(shift=np.zeros(560, np.float32), scale=np.ones(560, np.float32))


def read_wav(path: Path) -> np.ndarray:
    """Read 16-bit mono samples as float32 in [-1, 1)."""
    with wave.open(str(path)) as file:
        return np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").astype(np.float32) / 32768.0


if __name__ == "__main__":
    main()
