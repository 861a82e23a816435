import numpy as np
import pytest
from numpy.typing import NDArray

from asr_server.vad.energy import EnergyVad
from asr_server.vad.events import SegmentEnded, SegmentStarted, VadEvent

RATE_HZ = 16000


def noise(level_dbfs: float, duration_s: float, seed: int = 0) -> NDArray[np.float32]:
    samples = np.random.default_rng(seed).normal(0, 10 ** (level_dbfs / 20), round(duration_s * RATE_HZ))
    return samples.astype(np.float32)


def silence(duration_s: float) -> NDArray[np.float32]:
    return np.zeros(round(duration_s * RATE_HZ), np.float32)


def babble(duration_s: float, level_dbfs: float = -20) -> NDArray[np.float32]:
    """Loud noise in syllables of 200 ms with dips of 40 ms, as speech has them."""
    syllable = np.concatenate([noise(level_dbfs, 0.2), noise(-65, 0.04)])
    return np.tile(syllable, round(duration_s / 0.24))


def detect(samples: NDArray[np.float32], chunk: int = 960) -> list[VadEvent]:
    vad = EnergyVad().new_stream()
    events = [
        e for start in range(0, len(samples), chunk) for e in vad.accept(samples[start : start + chunk])
    ]
    return events + vad.accept(silence(0), is_final=True)


def times(events: list[VadEvent]) -> list[int]:
    return [event.start_ms if isinstance(event, SegmentStarted) else event.end_ms for event in events]


@pytest.mark.parametrize("background_dbfs", [-100, -70, -50])
def test_two_sentences_with_a_pause_are_two_segments(background_dbfs: float) -> None:
    speech = [silence(1.0), babble(2.4), silence(1.5), babble(1.2), silence(1.5)]
    samples = np.concatenate(speech)
    events = detect(samples + noise(background_dbfs, len(samples) / RATE_HZ, seed=3))
    assert [type(event) for event in events] == [SegmentStarted, SegmentEnded] * 2
    for time_ms, expected_ms in zip(times(events), [1000, 3400, 4900, 6100], strict=True):
        assert abs(time_ms - expected_ms) <= 250


def test_a_short_pause_does_not_cut() -> None:
    events = detect(np.concatenate([babble(1.2), silence(0.5), babble(1.2)]))
    assert [type(event) for event in events] == [SegmentStarted, SegmentEnded]


def test_speech_from_the_first_sample_to_the_last_is_one_segment() -> None:
    samples = babble(2.4)
    start_ms, end_ms = times(detect(samples))
    assert start_ms == 0
    assert end_ms == len(samples) * 1000 // RATE_HZ


@pytest.mark.parametrize("level_dbfs", [-100, -60, -45])
def test_steady_noise_is_no_speech(level_dbfs: float) -> None:
    assert detect(noise(level_dbfs, 5.0)) == []


def test_a_click_is_no_speech() -> None:
    assert detect(np.concatenate([silence(1), noise(-10, 0.05), silence(1)])) == []


@pytest.mark.parametrize("chunk", [1, 159, 160, 1600, 10**9])
def test_the_cuts_between_chunks_change_nothing(chunk: int) -> None:
    samples = np.concatenate([silence(0.3), babble(0.48), silence(1.2)])
    assert detect(samples, chunk) == detect(samples)


def test_endless_speech_is_cut_every_minute_without_a_gap() -> None:
    (first, cut, again, last) = detect(babble(70.0), chunk=16000)
    assert (first, cut, again) == (SegmentStarted(0), SegmentEnded(60_000), SegmentStarted(60_000))
    assert isinstance(last, SegmentEnded)


def test_a_reset_starts_again_at_zero() -> None:
    vad = EnergyVad().new_stream()
    samples = np.concatenate([babble(1.2), silence(1.5)])
    first = vad.accept(samples)
    vad.reset()
    assert vad.accept(samples) == first
