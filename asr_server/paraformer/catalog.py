"""Where models are: the bundled tiny one, the large one in the user's cache folder, or any folder."""

from __future__ import annotations

from pathlib import Path

import platformdirs

from asr_server.paraformer.errors import ModelError

BUNDLED = Path(__file__).parent.parent / "models"
LARGE_VERSION = "large-v2"
"""Changes when a rebuilt model would differ, so that old builds are not mistaken for new ones."""
ONLINE = "online"
OFFLINE = "offline"
CONTEXTUAL = "contextual"
VAD = "vad"
"""Only the tiny model has one; it serves beside models of any size."""
TEXT_FILES = ("config.yaml", "am.mvn", "tokens.json")
GRAPH_FILES = {
    ONLINE: ("model_quant.onnx", "decoder_quant.onnx"),
    OFFLINE: ("model_quant.onnx",),
    CONTEXTUAL: ("model_quant.onnx", "model_eb.onnx"),
}
"""The graphs of every kind of model. The hotword encoder, `model_eb.onnx`, has nothing to quantise."""


def large_model_dir() -> Path:
    """Where the large model is built to and found."""
    return Path(platformdirs.user_cache_dir("soak")) / "models" / LARGE_VERSION


def is_built(path: Path) -> bool:
    """Tell whether a folder holds a whole built model: online, offline and contextual."""
    return all(
        (path / kind / name).is_file()
        for kind, graphs in GRAPH_FILES.items()
        for name in (*graphs, *TEXT_FILES)
    )


def resolve_model(name_or_dir: str) -> Path:
    """Find the folder that holds `online/` and `offline/`: for "tiny", "large" or a folder's path.

    Raises ModelError when the large model has not been built or the folder is not there.
    """
    if name_or_dir == "tiny":
        return BUNDLED / "tiny"
    if name_or_dir == "large":
        path = large_model_dir()
        if not is_built(path):
            raise ModelError(f"the large model is not at {path}: build it with: soak model build large")
        return path
    path = Path(name_or_dir).expanduser()
    if not (path / ONLINE).is_dir():
        raise ModelError(f'no model in {path}: give "tiny", "large" or a folder that holds {ONLINE}/')
    return path
