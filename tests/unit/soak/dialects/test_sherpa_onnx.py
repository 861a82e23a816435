import json
import struct

import pytest

from soak.dialects import Final, MessageError, Partial
from soak.dialects.sherpa_onnx import SherpaOnnx


def result(text: str, *, segment: int = 0, is_eof: bool = False) -> str:
    return json.dumps({"text": text, "segment": segment, "is_final": False, "is_eof": is_eof})


def test_samples_are_floats_and_nothing_but_them_and_done_is_sent() -> None:
    conversation = SherpaOnnx().conversation(3)
    assert conversation.opening() == ()
    pcm = struct.pack("<4h", 0, 16384, -32768, 32767) * 300  # 75 ms
    frames = list(conversation.audio(pcm))
    assert [frame.duration_s for frame in frames] == pytest.approx([0.06, 0.015])
    sent = b"".join(frame.message for frame in frames if isinstance(frame.message, bytes))
    assert struct.unpack("<4f", sent[:16]) == pytest.approx((0, 0.5, -1, 32767 / 32768))
    assert len(sent) == 2 * len(pcm)
    assert conversation.closing() == ["Done"]


def test_the_result_that_says_eof_is_the_last_or_done_is() -> None:
    conversation = SherpaOnnx().conversation()
    assert conversation.receive(result("")) == []
    assert conversation.receive(result("one")) == [Partial("one")]
    assert conversation.receive(result("one two", is_eof=True)) == [Partial("one two"), Final("one two")]
    late = SherpaOnnx().conversation()
    late.receive(result("one two"))
    assert late.receive("Done!") == [Final("one two")]


def test_segments_make_one_transcript() -> None:
    conversation = SherpaOnnx().conversation()
    for message in (result("one"), result(" one two"), result("", segment=1), result("three", segment=1)):
        conversation.receive(message)
    assert conversation.receive("Done!") == [Final("one two three")]


@pytest.mark.parametrize("message", ["", "{", "[]", "3", '{"text": 3}', '{"segment": 1}', b"\0"])
def test_a_message_of_another_protocol_is_refused_in_one_line(message: str | bytes) -> None:
    with pytest.raises(MessageError) as caught:
        SherpaOnnx().conversation().receive(message)
    assert "\n" not in str(caught.value)
