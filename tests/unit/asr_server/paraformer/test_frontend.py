from itertools import pairwise

import kaldi_native_fbank as knf
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from asr_server.paraformer.frontend import FeatureStream, FrontendSettings, extract_features

PLAIN = FrontendSettings(shift=np.zeros(560), scale=np.ones(560))
AUDIO = np.random.default_rng(7).normal(0.0, 0.1, 24000).astype(np.float32)


def kaldi_frames(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Plain Kaldi filter banks of a whole signal: [frames, 80]."""
    bank = PLAIN.filter_bank()
    bank.accept_waveform(16000, (samples * 32768).tolist())
    bank.input_finished()
    return np.stack([bank.get_frame(index) for index in range(bank.num_frames_ready)])


def test_features_are_kaldis_frames_stacked_seven_every_six() -> None:
    frames = kaldi_frames(AUDIO)
    features = extract_features(AUDIO, PLAIN).reshape(-1, 7, 80)
    assert len(features) == -(-len(frames) // 6)
    np.testing.assert_allclose(features[0, :4], np.repeat(frames[:1], 4, axis=0), atol=1e-4)
    for index in range(1, len(features) - 1):
        np.testing.assert_allclose(features[index], frames[index * 6 - 3 : index * 6 + 4], atol=1e-4)


def test_last_frame_is_repeated_to_fill_the_last_stack() -> None:
    frames = kaldi_frames(AUDIO[: 400 + 160 * 6])
    assert len(frames) == 7
    features = extract_features(AUDIO[: 400 + 160 * 6], PLAIN).reshape(-1, 7, 80)
    np.testing.assert_allclose(features[1, 3:], np.repeat(frames[-1:], 4, axis=0), atol=1e-4)


@settings(deadline=None, max_examples=25)
@given(cuts=st.lists(st.integers(0, len(AUDIO)), max_size=30))
def test_features_do_not_depend_on_the_packets(cuts: list[int]) -> None:
    stream = FeatureStream(PLAIN)
    edges = [0, *sorted(cuts), len(AUDIO)]
    pieces = [stream.accept(AUDIO[a:b]) for a, b in pairwise(edges)]
    pieces.append(stream.accept(AUDIO[:0], is_final=True))
    np.testing.assert_array_equal(np.concatenate(pieces), extract_features(AUDIO, PLAIN))


@pytest.mark.parametrize(("samples", "features"), [(0, 0), (1, 0), (399, 0), (400, 1), (1359, 1), (1360, 2)])
def test_every_frame_of_25_ms_counts(samples: int, features: int) -> None:
    assert extract_features(AUDIO[:samples], PLAIN).shape == (features, 560)


def test_a_chunk_of_600_ms_gives_ten_features_from_the_first_on() -> None:
    stream = FeatureStream(PLAIN)
    assert [len(stream.accept(AUDIO[:9600])) for _ in range(4)] == [10, 10, 10, 10]


def test_an_utterance_leaves_nothing_for_the_next() -> None:
    stream = FeatureStream(PLAIN)
    stream.accept(AUDIO[:5000], is_final=True)
    np.testing.assert_array_equal(stream.accept(AUDIO, is_final=True), extract_features(AUDIO, PLAIN))


def test_silence_gives_finite_features() -> None:
    assert np.isfinite(extract_features(np.zeros(16000, np.float32), PLAIN)).all()


def test_normalisation_shifts_then_scales() -> None:
    settings = FrontendSettings(shift=np.full(560, -3.0), scale=np.full(560, 0.5))
    expected = (extract_features(AUDIO, PLAIN) - 3.0) * 0.5
    np.testing.assert_allclose(extract_features(AUDIO, settings), expected, rtol=1e-6)


def test_used_up_frames_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    dropped: list[int] = []

    class Counting(knf.OnlineFbank):  # type: ignore[misc]  # the package ships no types
        def pop(self, n: int) -> None:
            dropped.append(n)
            super().pop(n)

    monkeypatch.setattr(knf, "OnlineFbank", Counting)
    stream = FeatureStream(PLAIN)
    for _ in range(50):
        stream.accept(AUDIO[:9600])
    assert sum(dropped) == (50 * 9600 - 400) // 160 + 1
