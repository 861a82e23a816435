import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from asr_server.paraformer.cif import CifCarry, integrate_and_fire

DIM = 3
Floats = NDArray[np.float32]


def one_by_one(hidden: Floats, alphas: Floats, threshold: float) -> list[NDArray[np.float64]]:
    """The definition of CIF, frame by frame."""
    fired: list[NDArray[np.float64]] = []
    weight, gathered = 0.0, np.zeros(DIM)
    for state, alpha in zip(hidden.astype(np.float64), alphas.astype(np.float64), strict=True):
        if weight + alpha < threshold:
            weight, gathered = weight + alpha, gathered + alpha * state
        else:
            fired.append(gathered + (threshold - weight) * state)
            weight += alpha - threshold
            gathered = weight * state
    return fired


chunks = st.lists(
    st.lists(st.floats(0.0, 0.984375, width=32), min_size=1, max_size=12), min_size=1, max_size=6
)


@settings(deadline=None)
@given(weights=chunks)
def test_chunks_fire_what_the_whole_would(weights: list[list[float]]) -> None:
    carry, fired = CifCarry.empty(DIM), []
    alphas = np.array([alpha for chunk in weights for alpha in chunk], dtype=np.float32)
    hidden = np.random.default_rng(3).normal(size=(len(alphas), DIM)).astype(np.float32)
    start = 0
    for chunk in weights:
        end = start + len(chunk)
        embeds, carry = integrate_and_fire(hidden[start:end], alphas[start:end], carry, threshold=1.0)
        fired += list(embeds)
        start = end
    total = float(alphas.astype(np.float64).sum())
    if abs(total - round(total)) > 1e-6:  # else rounding alone decides whether the last token fires
        expected = one_by_one(hidden, alphas, 1.0)
        assert len(fired) == len(expected)
        if expected:
            np.testing.assert_allclose(np.stack(fired), np.stack(expected), atol=1e-4)
    assert 0.0 <= carry.weight < 1.0


def test_tail_fires_a_token_that_is_more_than_half_there() -> None:
    hidden, nothing = np.ones((2, DIM), np.float32), CifCarry.empty(DIM)
    for weights, count in (([0.3, 0.3], 1), ([0.2, 0.3], 0)):
        alphas = np.array(weights, dtype=np.float32)
        embeds, _ = integrate_and_fire(hidden, alphas, nothing, threshold=1.0, tail_weight=0.45)
        assert len(embeds) == count


@pytest.mark.parametrize("frames", [10, 200])
def test_embeddings_equal_those_of_sums_taken_frame_by_frame_to_the_bit(frames: int) -> None:
    """As FunASR's runtimes take them; with int8 weights a last bit can turn into another token."""
    random = np.random.default_rng(frames)
    hidden = random.normal(size=(frames, 64)).astype(np.float32)
    alphas = (random.random(frames) * 0.9).astype(np.float32)
    carry = CifCarry(0.37, random.normal(size=64).astype(np.float32))
    weight, gathered, expected = carry.weight, np.float32(carry.weight) * carry.hidden, []
    for state, alpha in zip(hidden, alphas.tolist(), strict=True):
        if weight + alpha < 1.0:
            weight, gathered = weight + alpha, gathered + np.float32(alpha) * state
        else:
            expected.append(gathered + np.float32(1.0 - weight) * state)
            weight += alpha - 1.0
            gathered = np.float32(weight) * state
    embeds, after = integrate_and_fire(hidden, alphas, carry, threshold=1.0)
    np.testing.assert_array_equal(embeds, np.stack(expected))
    np.testing.assert_array_equal(after.hidden, gathered / np.float32(weight))


def test_no_frames_change_nothing() -> None:
    carry = CifCarry(0.4, np.ones(DIM, np.float32))
    embeds, after = integrate_and_fire(
        np.empty((0, DIM), np.float32), np.empty(0, np.float32), carry, threshold=1.0
    )
    assert embeds.shape == (0, DIM)
    assert after.weight == carry.weight
    np.testing.assert_allclose(after.hidden, carry.hidden)


def test_threshold_other_than_one() -> None:
    hidden, alphas = np.ones((4, DIM), np.float32), np.full(4, 0.5, np.float32)
    embeds, _ = integrate_and_fire(hidden, alphas, CifCarry.empty(DIM), threshold=0.5)
    assert len(embeds) == 4
