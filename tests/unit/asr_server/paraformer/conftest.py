"""Recognisers are loaded once for all tests: they hold no state of a stream."""

import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from asr_server.paraformer.catalog import resolve_model
from asr_server.paraformer.contextual import ContextualRecogniser
from asr_server.paraformer.offline import OfflineRecogniser
from asr_server.paraformer.sessions import RuntimeSettings
from asr_server.paraformer.streaming import OnlineRecogniser

DATA = Path(__file__).parent / "data"


@pytest.fixture(scope="session")
def tiny() -> Path:
    return resolve_model("tiny")


@pytest.fixture(scope="session")
def online(tiny: Path) -> OnlineRecogniser:
    return OnlineRecogniser.load(tiny / "online", RuntimeSettings())


@pytest.fixture(scope="session")
def offline(tiny: Path) -> OfflineRecogniser:
    return OfflineRecogniser.load(tiny / "offline", RuntimeSettings())


@pytest.fixture(scope="session")
def contextual(tiny: Path) -> ContextualRecogniser:
    return ContextualRecogniser.load(tiny / "contextual", RuntimeSettings())


@pytest.fixture(scope="session")
def clip() -> Callable[[str], NDArray[np.float32]]:
    def read(name: str) -> NDArray[np.float32]:
        with wave.open(str(DATA / name)) as file:
            samples = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")
        return samples.astype(np.float32) / np.float32(32768)

    return read


@pytest.fixture(scope="session")
def mandarin(clip: Callable[[str], NDArray[np.float32]]) -> NDArray[np.float32]:
    return clip("cmn-m4-03-digits.wav")


@pytest.fixture(scope="session")
def english(clip: Callable[[str], NDArray[np.float32]]) -> NDArray[np.float32]:
    return clip("en-m3-01-digits.wav")
