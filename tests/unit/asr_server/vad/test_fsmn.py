"""The bundled FSMN detector: equal to FunASR's on equal audio, one state per stream, whatever the packets."""

import gc
import tracemalloc
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray

from asr_server.paraformer.sessions import RuntimeSettings
from asr_server.training.record_vad_reference import scene
from asr_server.vad.events import SegmentEnded, SegmentStarted, VadEvent
from asr_server.vad.fsmn import FsmnStream, FsmnVad
from tests.seeds import nightly

Floats = NDArray[np.float32]
RATE_HZ = 16000
PROBABILITY_TOLERANCE = 1e-3
"""int8 kernels differ between processors in the last bits."""
NOTHING = np.zeros(0, np.float32)


def stream_in_packets(stream: FsmnStream, samples: Floats, packet: int) -> list[VadEvent]:
    events = [
        event
        for start in range(0, len(samples), packet)
        for event in stream.accept(samples[start : start + packet])
    ]
    return events + stream.accept(NOTHING, is_final=True)


def as_recorded(events: list[VadEvent]) -> list[list[Any]]:
    return [
        ["start", event.start_ms] if isinstance(event, SegmentStarted) else ["end", event.end_ms]
        for event in events
    ]


@pytest.fixture(scope="module")
def two_sentences(clips: list[Floats]) -> Floats:
    return scene(clips, (1.2, 1.5))


@pytest.mark.parametrize("packet", [800, 960, 1600, 4000, 9600])
def test_segments_and_probabilities_are_those_of_funasr(
    tiny_vad: Path, recorded: dict[str, Any], clips: list[Floats], packet: int
) -> None:
    detector = FsmnVad.load(tiny_vad, RuntimeSettings(), block_ms=packet // 16)
    cases = [case for case in recorded["audio"] if case["packet"] == packet]
    assert len({case["samples"] for case in cases}) == len(cases) == 5
    for case in cases:
        samples = scene(clips, tuple(case["pauses_s"]))[: case["samples"]]
        assert as_recorded(stream_in_packets(detector.new_stream(), samples, packet)) == case["events"]
        if "silence" in case:
            stream = detector.new_stream()
            whole = len(samples) // packet * packet
            pieces = [
                stream.probabilities(samples[start : start + packet])[:, 0]
                for start in range(0, whole, packet)
            ]
            pieces.append(stream.probabilities(samples[whole:], is_final=True)[:, 0])
            np.testing.assert_allclose(np.concatenate(pieces), case["silence"], atol=PROBABILITY_TOLERANCE)


def test_each_sentence_is_one_segment(fsmn: FsmnVad, clips: list[Floats], two_sentences: Floats) -> None:
    events = stream_in_packets(fsmn.new_stream(), two_sentences, 960)
    assert [type(event) for event in events] == [SegmentStarted, SegmentEnded] * 2
    first_ends_ms, second_begins_ms = events[1], events[2]
    assert isinstance(first_ends_ms, SegmentEnded)
    assert isinstance(second_begins_ms, SegmentStarted)
    pause_ms = len(clips[0]) * 1000 // RATE_HZ, len(clips[0]) * 1000 // RATE_HZ + 1200
    assert first_ends_ms.end_ms <= pause_ms[1]
    assert second_begins_ms.start_ms >= pause_ms[0]


@pytest.mark.parametrize("packet", [1, 159, 800, 961, 10**9])
def test_the_cuts_between_packets_change_nothing(fsmn: FsmnVad, two_sentences: Floats, packet: int) -> None:
    audio = two_sentences[: 2 * RATE_HZ] if packet == 1 else two_sentences
    assert stream_in_packets(fsmn.new_stream(), audio, packet) == stream_in_packets(
        fsmn.new_stream(), audio, 960
    )


def test_streams_side_by_side_do_not_disturb_each_other(
    fsmn: FsmnVad, clips: list[Floats], two_sentences: Floats
) -> None:
    other = np.concatenate([clips[1], clips[1], clips[0], clips[0]])
    alone = [stream_in_packets(fsmn.new_stream(), audio, 960) for audio in (two_sentences, other)]
    streams = (fsmn.new_stream(), fsmn.new_stream())
    together: list[list[VadEvent]] = [[], []]
    for start in range(0, max(len(two_sentences), len(other)), 960):
        for index, audio in enumerate((two_sentences, other)):
            together[index] += streams[index].accept(audio[start : start + 960])
    for index, stream in enumerate(streams):
        together[index] += stream.accept(NOTHING, is_final=True)
    assert together == alone


def test_a_stream_is_fresh_after_the_end_and_after_a_reset(fsmn: FsmnVad, two_sentences: Floats) -> None:
    stream = fsmn.new_stream()
    first = stream_in_packets(stream, two_sentences, 960)
    stream.accept(two_sentences[:20_000])
    stream.reset()
    assert stream_in_packets(stream, two_sentences, 960) == first
    assert stream_in_packets(stream, two_sentences, 960) == first


@pytest.mark.parametrize("count", [0, 1, 399, 400, 640])
def test_hardly_any_audio_is_no_speech(fsmn: FsmnVad, count: int) -> None:
    assert fsmn.new_stream().accept(np.zeros(count, np.float32), is_final=True) == []


@pytest.mark.parametrize("level", [0.0, 1e-4, 1e-2])
def test_silence_and_steady_noise_are_no_speech(fsmn: FsmnVad, level: float) -> None:
    noise = np.random.default_rng(0).normal(0, level, 10 * RATE_HZ).astype(np.float32)
    assert stream_in_packets(fsmn.new_stream(), noise, 960) == []


def test_a_start_lies_within_the_look_back(fsmn: FsmnVad, two_sentences: Floats) -> None:
    stream = fsmn.new_stream()
    heard_ms = 0.0
    for start in range(0, len(two_sentences), 50):
        packet = two_sentences[start : start + 50]
        for event in stream.accept(packet):
            if isinstance(event, SegmentStarted):
                assert event.start_ms >= heard_ms - fsmn.look_back_ms
        heard_ms += len(packet) / RATE_HZ * 1000


def test_the_float_graph_serves_where_there_is_no_other(vad_dir: Path, two_sentences: Floats) -> None:
    (vad_dir / "model_quant.onnx").rename(vad_dir / "model.onnx")
    detector = FsmnVad.load(vad_dir, RuntimeSettings())
    assert len(stream_in_packets(detector.new_stream(), two_sentences, 960)) == 4


@pytest.mark.parametrize("minutes", [4, nightly(10)])
def test_a_stream_of_many_minutes_holds_no_more_than_one_of_two(
    fsmn: FsmnVad, clips: list[Floats], minutes: int
) -> None:
    stream = fsmn.new_stream()
    minute = scene(clips, (0.9,) * 24)

    def held_bytes() -> int:
        stream.accept(minute)
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        held_bytes()
        after_two = held_bytes()
        for _ in range(minutes - 2):
            after_many = held_bytes()
    finally:
        tracemalloc.stop()
    assert after_many - after_two < 100_000


def test_a_streams_state_goes_by_reference_counting(fsmn: FsmnVad, two_sentences: Floats) -> None:
    gc.disable()
    try:
        stream = fsmn.new_stream()
        stream.accept(two_sentences)
        alive = weakref.ref(stream)
        del stream
        assert alive() is None
    finally:
        gc.enable()


def test_the_order_of_a_graphs_inputs_and_outputs_does_not_matter(
    vad_dir: Path, fsmn: FsmnVad, two_sentences: Floats
) -> None:
    for path in vad_dir.glob("*.onnx"):
        model = onnx.load(path)
        for tensors in (model.graph.input, model.graph.output):
            turned = list(reversed(tensors))
            del tensors[:]
            tensors.extend(turned)
        onnx.save(model, path)
    turned_about = FsmnVad.load(vad_dir, RuntimeSettings())
    assert turned_about.graph.session.inputs[0].name != "speech"
    expected = fsmn.new_stream().accept(two_sentences, is_final=True)
    assert turned_about.new_stream().accept(two_sentences, is_final=True) == expected
