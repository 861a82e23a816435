"""The front end beside Kaldi's own filter banks, computed by another implementation in double precision."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from asr_server.paraformer.frontend import FrontendSettings, extract_features

PLAIN = FrontendSettings(shift=np.zeros(560), scale=np.ones(560))


@pytest.mark.parametrize("name", ["cmn-m4-03-digits.wav", "en-m3-01-digits.wav"])
def test_features_hold_kaldis_filter_banks(clip: Callable[[str], NDArray[np.float32]], name: str) -> None:
    with np.load(Path(__file__).parent / "data" / "kaldi_filter_banks.npz") as banks:
        recorded = banks[name]
    stacks = extract_features(clip(name), PLAIN).reshape(-1, 7, 80)
    # Features are seven frames stacked every six: the fourth one of each stack was recorded.
    error = np.abs(stacks[:, 3] - recorded)
    assert np.mean(error <= 1e-4) > 0.999
    assert error.max() <= 2e-4
