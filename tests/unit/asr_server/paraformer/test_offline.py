import numpy as np
import pytest
from numpy.typing import NDArray

from asr_server.paraformer.offline import OfflineRecogniser

Samples = NDArray[np.float32]


def test_recognises_and_tells_clips_apart(
    offline: OfflineRecogniser, mandarin: Samples, english: Samples
) -> None:
    first, second = offline.recognise(mandarin), offline.recognise(english)
    assert first
    assert first != second
    assert offline.recognise(mandarin) == first


@pytest.mark.parametrize("length", [0, 1, 399])
def test_audio_under_25_ms_has_no_tokens(offline: OfflineRecogniser, mandarin: Samples, length: int) -> None:
    assert offline.recognise(mandarin[:length]) == []


@pytest.mark.parametrize("length", [400, 960, 1600])
def test_very_short_audio_is_no_error(offline: OfflineRecogniser, mandarin: Samples, length: int) -> None:
    assert len(offline.recognise(mandarin[:length])) <= 2
