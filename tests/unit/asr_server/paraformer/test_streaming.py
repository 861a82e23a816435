import threading

import numpy as np
import pytest
from numpy.typing import NDArray

from asr_server.paraformer import streaming
from asr_server.paraformer.positions import position_encoding
from asr_server.paraformer.sessions import GraphSession
from asr_server.paraformer.streaming import OnlineRecogniser, OnlineStream

Samples = NDArray[np.float32]
NOTHING: Samples = np.empty(0, dtype=np.float32)


def in_packets(stream: OnlineStream, samples: Samples, size: int) -> list[str]:
    tokens = [
        token for at in range(0, len(samples), size) for token in stream.accept(samples[at : at + size])
    ]
    return tokens + stream.accept(NOTHING, is_final=True)


@pytest.mark.parametrize("size", [160, 959, 960, 9599, 9600, 9601, 100_000])
def test_tokens_do_not_depend_on_the_packets(online: OnlineRecogniser, mandarin: Samples, size: int) -> None:
    assert in_packets(online.new_stream(), mandarin, size) == online.new_stream().accept(
        mandarin, is_final=True
    )


def test_different_audio_gives_different_tokens(
    online: OnlineRecogniser, mandarin: Samples, english: Samples
) -> None:
    first = online.new_stream().accept(mandarin, is_final=True)
    second = online.new_stream().accept(english, is_final=True)
    assert first != second
    assert len(set(first)) > 2


@pytest.mark.parametrize("length", [0, 1, 399, 400, 800, 959, 960, 1600, 9600, 9601, 10_000])
def test_an_utterance_of_any_length_leaves_nothing_for_the_next(
    online: OnlineRecogniser, mandarin: Samples, length: int
) -> None:
    stream = online.new_stream()
    stream.accept(mandarin[:length], is_final=True)
    assert stream.accept(mandarin, is_final=True) == online.new_stream().accept(mandarin, is_final=True)


def test_reset_forgets_an_utterance_in_the_middle(online: OnlineRecogniser, mandarin: Samples) -> None:
    stream = online.new_stream()
    stream.accept(mandarin[:15_000])
    stream.reset()
    assert stream.accept(mandarin, is_final=True) == online.new_stream().accept(mandarin, is_final=True)


def test_a_failed_run_at_the_end_leaves_a_usable_stream(
    online: OnlineRecogniser, mandarin: Samples, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = online.new_stream()
    stream.accept(mandarin[:12_000])

    def fail(*_: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patched:
        patched.setattr(GraphSession, "run", fail)
        with pytest.raises(MemoryError):
            stream.accept(NOTHING, is_final=True)
    assert stream.accept(mandarin, is_final=True) == online.new_stream().accept(mandarin, is_final=True)


def test_interleaved_streams_do_not_hear_each_other(
    online: OnlineRecogniser, mandarin: Samples, english: Samples
) -> None:
    streams = online.new_stream(), online.new_stream()
    tokens: tuple[list[str], list[str]] = ([], [])
    for at in range(0, max(len(mandarin), len(english)), 1600):
        for stream, clip, heard in zip(streams, (mandarin, english), tokens, strict=True):
            heard.extend(stream.accept(clip[at : at + 1600]))
    for stream, clip, heard in zip(streams, (mandarin, english), tokens, strict=True):
        heard.extend(stream.accept(NOTHING, is_final=True))
        assert heard == online.new_stream().accept(clip, is_final=True)


def test_threads_share_one_recogniser(online: OnlineRecogniser, mandarin: Samples) -> None:
    expected = online.new_stream().accept(mandarin, is_final=True)
    results: list[list[str]] = []

    def recognise() -> None:
        stream = online.new_stream()
        results.extend(in_packets(stream, mandarin, 3200) for _ in range(5))

    threads = [threading.Thread(target=recognise) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [expected] * 20


@pytest.mark.parametrize("chunk_size", [(5, 10, 5), (0, 10, 5), (8, 8, 4), (5, 10, 0), (0, 1, 0), (2, 3, 5)])
def test_chunk_sizes_of_all_kinds(
    online: OnlineRecogniser, mandarin: Samples, chunk_size: tuple[int, int, int]
) -> None:
    whole = online.new_stream(chunk_size).accept(mandarin, is_final=True)
    assert in_packets(online.new_stream(chunk_size), mandarin, 1234) == whole
    assert whole


@pytest.mark.parametrize("chunk_size", [(5, 0, 5), (-1, 10, 5), (5, 10, -1), (5, 991, 5), (10**9, 1, 0)])
def test_chunk_sizes_that_make_no_window_are_refused(
    online: OnlineRecogniser, chunk_size: tuple[int, int, int]
) -> None:
    with pytest.raises(ValueError, match="chunk_size"):
        online.new_stream(chunk_size)


def test_an_hour_in_asks_for_no_more_positions_than_the_first_minute(
    online: OnlineRecogniser, mandarin: Samples, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[int, int]] = []

    def counting(first: int, count: int, dim: int) -> NDArray[np.float32]:
        asked.append((first, count))
        return position_encoding(first, count, dim)

    monkeypatch.setattr(streaming, "position_encoding", counting)
    stream = online.new_stream()
    for _ in range(5):
        stream.accept(mandarin[:9600])
    assert asked == [(1, 10), (11, 10), (21, 10), (31, 10), (41, 10)]
