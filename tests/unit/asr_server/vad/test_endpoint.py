"""The end-point rules, on scripted frames: what FunASR's state machine found, and what it leaves open."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr_server.vad.endpoint import EndpointDetector, EndpointSettings
from asr_server.vad.events import SegmentEnded, SegmentStarted, VadEvent

RECORDED = json.loads((Path(__file__).parent / "data" / "funasr_onnx_0_4_3_vad.json").read_text())["scripts"]


def frames(text: str) -> list[bool]:
    """Frames from runs such as "silence 20, speech 30"."""
    runs = [part.split() for part in text.split(", ")]
    return [what == "speech" for what, count in runs for _ in range(int(count))]


def detect(speech: list[bool], **settings: Any) -> list[VadEvent]:
    return EndpointDetector(EndpointSettings(**settings)).accept(speech, is_final=True)


@pytest.mark.parametrize(
    "script", RECORDED, ids=[f"{n}-{'-'.join(c['settings'])}" for n, c in enumerate(RECORDED)]
)
def test_segments_are_those_of_funasr(script: dict[str, Any]) -> None:
    settings = EndpointSettings(**script["settings"])
    silence = np.repeat([p for _, p in script["runs"]], [count for count, _ in script["runs"]])
    speech = 1 - silence >= silence**settings.speech_2_noise_ratio + settings.speech_noise_thres
    found = EndpointDetector(settings).accept(speech.tolist(), is_final=True)
    assert [
        ["start", event.start_ms] if isinstance(event, SegmentStarted) else ["end", event.end_ms]
        for event in found
    ] == script["events"]


def test_a_sentence_begins_before_its_first_voice_and_ends_after_its_last() -> None:
    start, end = detect(frames("silence 100, speech 100, silence 100"))
    # voice is settled by the 15th frame of speech, and the window and the look-back come off that
    assert start == SegmentStarted((114 - 20 - 20) * 10)
    # five silent frames of twenty turn voice to silence; 100 ms and a frame more belong to the sentence
    assert end == SegmentEnded((200 + 4 + 10 + 2) * 10)


def test_a_short_pause_does_not_cut() -> None:
    assert len(detect(frames("speech 100, silence 55, speech 100"))) == 2


def test_a_pause_cuts() -> None:
    # the window needs 150 ms of speech to believe in it, and the run of silence goes on meanwhile: the 800 ms
    # of max_end_silence_time are a pause of 560 ms
    assert len(detect(frames("speech 100, silence 56, speech 100"))) == 4


def test_a_click_is_no_speech() -> None:
    assert detect(frames("silence 50, speech 14, silence 50")) == []


def test_endless_speech_is_cut_every_minute_without_a_gap() -> None:
    first, cut, again, last = detect(frames("speech 7000"))
    assert (first, cut) == (SegmentStarted(0), SegmentEnded(60_010))
    assert again == SegmentStarted(60_010)
    assert last == SegmentEnded(70_000)


def test_a_segment_that_begins_with_the_last_frame_ends_with_it() -> None:
    # FunASR's state machine reports its start and never an end
    assert detect(frames("silence 50, speech 15")) == [SegmentStarted(240), SegmentEnded(650)]


def test_one_utterance_only() -> None:
    text = "speech 100, silence 200, speech 100"
    assert len(detect(frames(text), detect_mode=0)) == 2
    assert detect(frames("silence 400, " + text), detect_mode=0) == []


def test_no_frames_at_all() -> None:
    assert detect([]) == []


def test_a_reset_starts_again_at_zero() -> None:
    detector = EndpointDetector(EndpointSettings())
    speech = frames("speech 100, silence 100, speech 30")
    first = detector.accept(speech)
    detector.reset()
    assert detector.accept(speech) == first


@given(
    runs=st.lists(st.tuples(st.booleans(), st.integers(1, 120)), max_size=12),
    cuts=st.lists(st.integers(1, 200), max_size=12),
)
def test_segments_do_not_overlap_nor_depend_on_the_chunks(
    runs: list[tuple[bool, int]], cuts: list[int]
) -> None:
    speech = [what for what, count in runs for _ in range(count)]
    detector, found, position = EndpointDetector(EndpointSettings()), list[VadEvent](), 0
    for count in cuts:
        found += detector.accept(speech[position : position + count])
        position += count
    found += detector.accept(speech[position:], is_final=True)
    assert found == detect(speech)
    times = [event.start_ms if isinstance(event, SegmentStarted) else event.end_ms for event in found]
    assert all(earlier <= later for earlier, later in pairwise(times))
    assert [type(event) for event in found] == [SegmentStarted, SegmentEnded] * (len(found) // 2)
    assert not times or times[-1] <= len(speech) * 10
