"""The road from audio to results, with models that only count: who hears what, and when."""

import gc
import weakref
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from asr_server.recogniser import ConnectionRecogniser, Models
from asr_server.vad.events import SegmentEnded, SegmentStarted, VadEvent
from asr_server.wire import Result, UtteranceConfig, WireError

RATE_HZ = 16000


class CountingStream:
    """Recognises one token per 600 ms, as if every chunk held one character."""

    def __init__(self) -> None:
        self.samples = 0
        self.tokens = 0

    def accept(self, samples: NDArray[np.float32], *, is_final: bool = False) -> list[str]:
        assert samples.dtype == np.float32
        self.samples += len(samples)
        new = self.samples // 9600 - self.tokens
        self.tokens += new
        tokens = ["字"] * new
        if is_final:
            tokens += ["尾"] if self.samples % 9600 else []
            self.samples = self.tokens = 0
        return tokens


class CountingModels:
    """Both models; `sentences_s` are the lengths of what the second pass was given."""

    def __init__(self, offline_tokens: tuple[str, ...] = ("整", "句")) -> None:
        self.sentences_s: list[float] = []
        self.hotwords: list[tuple[str, ...]] = []
        self.offline_tokens = list(offline_tokens)

    def new_stream(self, chunk_size: tuple[int, int, int] = (5, 10, 5)) -> CountingStream:
        assert len(chunk_size) == 3
        return CountingStream()

    def with_hotwords(self, words: Sequence[str]) -> "CountingModels":
        self.hotwords.append(tuple(words))
        return CountingModels(tuple(words))

    def recognise(self, samples: NDArray[np.float32]) -> list[str]:
        self.sentences_s.append(len(samples) / RATE_HZ)
        return self.offline_tokens


def speech(duration_s: float, rate_hz: int = RATE_HZ) -> bytes:
    samples = np.random.default_rng(0).normal(0, 3000, round(duration_s * rate_hz))
    return samples.astype("<i2").tobytes()


def silence(duration_s: float, rate_hz: int = RATE_HZ) -> bytes:
    return bytes(2 * round(duration_s * rate_hz))


def make(models: CountingModels, **settings: Any) -> ConnectionRecogniser:
    return ConnectionRecogniser(Models(models, models), UtteranceConfig(**settings))


def hear(recogniser: ConnectionRecogniser, pcm: bytes, frame_bytes: int = 1920) -> list[Result]:
    results: list[Result] = []
    for start in range(0, len(pcm), frame_bytes):
        results += recogniser.accept(pcm[start : start + frame_bytes])
    return results + recogniser.finish()


TWO_SENTENCES = silence(0.5) + speech(2.0) + silence(1.5) + speech(1.0) + silence(1.5)


def test_two_pass_streams_partials_and_then_corrects_each_sentence() -> None:
    results = hear(make(models := CountingModels(), wav_name="w"), TWO_SENTENCES)
    assert [(r.mode, r.index, r.slice_type) for r in results if r.slice_type != 1] == [
        ("2pass-online", 0, 0), ("2pass-offline", 0, 2),
        ("2pass-online", 1, 0), ("2pass-offline", 1, 2),
        (None, None, None),
    ]  # fmt: skip
    assert {r.wav_name for r in results} == {"w"}
    assert [r.text for r in results if r.mode == "2pass-offline"] == ["整句", "整句"]
    assert models.sentences_s == pytest.approx([2.4, 1.4], abs=0.1)


def test_sentence_times_are_where_the_speech_was() -> None:
    results = hear(make(CountingModels()), TWO_SENTENCES)
    sentences = [r for r in results if r.slice_type == 2]
    times_ms = [time for r in sentences for time in (r.start_time_ms, r.end_time_ms)]
    assert times_ms == pytest.approx([300, 2700, 3800, 5200], abs=50)
    assert all(r.start_time_ms is None for r in results if r.slice_type != 2)


@pytest.mark.parametrize("mode", ["online", "offline", "2pass"])
@pytest.mark.parametrize(
    "pcm", [b"", silence(2), speech(1.3), TWO_SENTENCES], ids=["none", "silence", "one", "two"]
)
def test_exactly_the_last_result_is_final(mode: str, pcm: bytes) -> None:
    results = hear(make(CountingModels(), mode=mode), pcm)
    assert [r.is_final for r in results] == [False] * (len(results) - 1) + [True]
    assert all(r.text for r in results[:-1]), "empty results that are not final are not sent"


def test_a_sentence_that_the_end_cuts_off_is_the_final_result() -> None:
    final = hear(make(CountingModels()), speech(1.3))[-1]
    assert (final.text, final.mode, final.slice_type) == ("整句", "2pass-offline", 2)


@pytest.mark.parametrize("hotwords", ["一 二", '{"一": 20, "二": 3}'])
def test_the_second_pass_expects_the_clients_hotwords(hotwords: str) -> None:
    recogniser = make(models := CountingModels(), hotwords=hotwords, mode="offline")
    assert models.hotwords == [], "a network reads them: not on the thread that configures"
    assert recogniser.take_hotwords() == []
    assert models.hotwords == [("一", "二")]
    assert [r.text for r in hear(recogniser, TWO_SENTENCES)] == ["一二", "一二", ""]


def test_more_hotwords_than_a_client_may_send_are_refused() -> None:
    with pytest.raises(WireError, match="send at most 1000"):
        make(CountingModels(), hotwords=" ".join(map(str, range(1001))))


def test_online_gives_increments_only() -> None:
    results = hear(make(models := CountingModels(), mode="online"), TWO_SENTENCES)
    assert {r.mode for r in results} == {"2pass-online", None}
    assert [(r.text, r.index) for r in results if r.slice_type == 2] == [("尾", 0), ("尾", 1)]
    assert "".join(r.text for r in results) == "字字字字尾字字字尾"
    assert models.sentences_s == []


def test_offline_gives_sentences_only() -> None:
    results = hear(make(CountingModels(), mode="offline"), TWO_SENTENCES)
    assert [r.mode for r in results] == ["2pass-offline", "2pass-offline", None]


class ScriptedVad:
    """Says at given moments, in ms of audio heard, what it is told to say."""

    look_back_ms = 1000

    def __init__(self, script: dict[int, VadEvent]) -> None:
        self.script = script
        self.heard_samples = 0

    def new_stream(self) -> "ScriptedVad":
        return self

    def reset(self) -> None:
        self.heard_samples = 0

    def accept(self, samples: NDArray[np.float32], *, is_final: bool = False) -> list[VadEvent]:
        assert not (is_final and self.script.keys() - range(self.heard_samples // 16 + 1)), "all was said"
        before_ms, self.heard_samples = self.heard_samples // 16, self.heard_samples + len(samples)
        return [e for at_ms, e in self.script.items() if before_ms < at_ms <= self.heard_samples // 16]


def test_a_sentence_may_begin_inside_the_last_silence_of_the_one_before() -> None:
    script: dict[int, VadEvent] = {
        300: SegmentStarted(0),
        2000: SegmentEnded(1200),  # known 800 ms late, when the first sentence has heard all of it
        2300: SegmentStarted(1300),
        3000: SegmentEnded(2900),
    }
    models = CountingModels()
    recogniser = ConnectionRecogniser(Models(models, models, ScriptedVad(script)), UtteranceConfig())
    results = hear(recogniser, speech(3.0))
    sentences = [(r.start_time_ms, r.end_time_ms) for r in results if r.slice_type == 2]
    assert sentences == [(0, 1200), (1300, 2900)]
    assert models.sentences_s == pytest.approx([1.2, 1.6])


def test_a_second_utterance_counts_from_zero_again() -> None:
    recogniser = make(CountingModels())
    first, second = hear(recogniser, TWO_SENTENCES), hear(recogniser, TWO_SENTENCES)
    assert first == second


def test_a_configuration_inside_an_utterance_waits_for_the_next() -> None:
    recogniser = make(CountingModels(), wav_name="first")
    recogniser.accept(speech(1.0))
    recogniser.configure(UtteranceConfig(wav_name="second", mode="offline"))
    assert {r.wav_name for r in recogniser.finish()} == {"first"}
    results = hear(recogniser, TWO_SENTENCES)
    assert {(r.wav_name, r.mode) for r in results} == {("second", "2pass-offline"), ("second", None)}


def test_a_configuration_before_any_audio_holds_at_once() -> None:
    recogniser = make(CountingModels(), wav_name="first")
    recogniser.configure(UtteranceConfig(wav_name="second"))
    assert recogniser.finish()[-1].wav_name == "second"


@pytest.mark.parametrize("frame_bytes", [2, 3200, 10**9])
def test_the_size_of_the_frames_changes_no_sentence(frame_bytes: int) -> None:
    pcm = silence(0.3) + speech(0.7) + silence(1.2)
    sentences = [r for r in hear(make(CountingModels()), pcm, frame_bytes) if r.slice_type == 2]
    assert [(r.text, r.start_time_ms, r.end_time_ms) for r in sentences] == [("整句", 100, 1200)]


def test_other_sample_rates_are_heard_at_their_own_speed() -> None:
    pcm = silence(0.5, 8000) + speech(2.0, 8000) + silence(1.5, 8000)
    hear(make(models := CountingModels(), audio_fs=8000), pcm, 960)
    assert models.sentences_s == pytest.approx([2.4], abs=0.1)


def test_english_increments_join_to_the_words_that_were_said() -> None:
    class English(CountingModels):
        def new_stream(self, chunk_size: tuple[int, int, int] = (5, 10, 5)) -> Any:
            assert chunk_size
            words = iter(["one", "tw@@", "o", "<unk>", "three"] + ["four"] * 100)

            class Stream:
                def accept(self, samples: NDArray[np.float32], *, is_final: bool = False) -> list[str]:
                    return [] if is_final else [next(words)] * (len(samples) > 0)

            return Stream()

    results = hear(make(English(), mode="online"), speech(1.0), frame_bytes=3200)
    assert "".join(r.text for r in results).startswith("one two three four four")


def test_an_hour_of_audio_keeps_no_more_than_a_minute_of_it() -> None:
    recogniser = make(CountingModels())
    quiet, loud = silence(30), speech(1)

    def held_bytes() -> int:
        gc.collect()
        arrays = [value for value in vars(recogniser).values() if isinstance(value, np.ndarray)]
        return sum(array.nbytes if array.base is None else array.base.nbytes for array in arrays)

    for _ in range(6):
        recogniser.accept(quiet)
        recogniser.accept(loud)
        recogniser.accept(silence(2))
        assert held_bytes() < 200_000


def test_a_connections_state_goes_by_reference_counting() -> None:
    gc.disable()
    try:
        recogniser = make(CountingModels())
        hear(recogniser, TWO_SENTENCES)
        recogniser.accept(speech(1.0))
        alive = weakref.ref(recogniser)
        del recogniser
        assert alive() is None
    finally:
        gc.enable()
