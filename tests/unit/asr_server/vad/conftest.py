"""The bundled detector is loaded once for all tests: it holds no state of a stream."""

import json
import shutil
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from asr_server.paraformer.catalog import VAD, resolve_model
from asr_server.paraformer.sessions import RuntimeSettings
from asr_server.vad.fsmn import FsmnVad

CLIPS = Path(__file__).parents[1] / "paraformer" / "data"


@pytest.fixture(scope="session")
def tiny_vad() -> Path:
    return resolve_model("tiny") / VAD


@pytest.fixture(scope="session")
def fsmn(tiny_vad: Path) -> FsmnVad:
    return FsmnVad.load(tiny_vad, RuntimeSettings())


@pytest.fixture
def vad_dir(tiny_vad: Path, tmp_path: Path) -> Path:
    """A copy to spoil."""
    return Path(shutil.copytree(tiny_vad, tmp_path / "vad"))


@pytest.fixture(scope="session")
def recorded() -> dict[str, Any]:
    """What funasr-onnx found; see data/README.md."""
    path = Path(__file__).parent / "data" / "funasr_onnx_0_4_3_vad.json"
    found: dict[str, Any] = json.loads(path.read_text())
    return found


@pytest.fixture(scope="session")
def clips(recorded: dict[str, Any]) -> list[NDArray[np.float32]]:
    """The clips of the recorded cases, in their order."""
    spoken = []
    for name in recorded["clips"]:
        with wave.open(str(CLIPS / name)) as file:
            samples = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")
        spoken.append(samples.astype(np.float32) / np.float32(32768))
    return spoken
