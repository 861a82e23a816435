import numpy as np
import pytest
from numpy.typing import NDArray

from asr_server.resample import Resampler
from asr_server.wire import SAMPLE_RATES_HZ


def tone(frequency_hz: float, rate_hz: int, duration_s: float = 1.0) -> NDArray[np.float32]:
    times_s = np.arange(round(rate_hz * duration_s)) / rate_hz
    return (0.5 * np.sin(2 * np.pi * frequency_hz * times_s)).astype(np.float32)


@pytest.mark.parametrize("rate_hz", SAMPLE_RATES_HZ)
def test_a_tone_keeps_its_pitch_phase_and_length(rate_hz: int) -> None:
    resampled = Resampler(rate_hz).accept(tone(440, rate_hz), is_final=True)
    expected = tone(440, 16000)
    assert abs(len(resampled) - len(expected)) <= 2
    middle = slice(500, 15000)
    assert np.max(np.abs(resampled[middle] - expected[middle])) < 2e-3


@pytest.mark.parametrize("rate_hz", [24000, 44100, 48000])
def test_what_the_lower_rate_cannot_carry_is_filtered_out(rate_hz: int) -> None:
    resampled = Resampler(rate_hz).accept(tone(9500, rate_hz), is_final=True)
    assert np.max(np.abs(resampled[500:15000])) < 2e-3


@pytest.mark.parametrize("rate_hz", [8000, 11025, 44100])
def test_the_cuts_between_chunks_change_nothing(rate_hz: int) -> None:
    samples = np.random.default_rng(1).normal(0, 0.1, 20_000).astype(np.float32)
    whole = Resampler(rate_hz).accept(samples, is_final=True)
    resampler, start, pieces = Resampler(rate_hz), 0, []
    for size in [1, 7, 480, 0, 3, 5000, 1, *[960] * 20]:
        pieces.append(resampler.accept(samples[start : start + size]))
        start += size
    pieces.append(resampler.accept(samples[start:], is_final=True))
    np.testing.assert_allclose(np.concatenate(pieces), whole, atol=1e-6)


def test_a_second_stream_starts_afresh() -> None:
    resampler = Resampler(8000)
    first = resampler.accept(tone(440, 8000), is_final=True)
    np.testing.assert_array_equal(resampler.accept(tone(440, 8000), is_final=True), first)


def test_the_recognisers_own_rate_passes_untouched() -> None:
    samples = tone(440, 16000)
    assert Resampler(16000).accept(samples) is samples
