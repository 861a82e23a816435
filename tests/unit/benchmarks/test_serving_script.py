import json

from benchmarks.serving.audio import continuous_speech, sentences
from benchmarks.serving.script import PACKET_S, Reader, script_of
from soak.dialects.funasr import Funasr
from soak.dialects.sherpa_onnx import SherpaOnnx
from soak.load.clips import SAMPLE_RATE_HZ


def test_both_dialects_send_the_same_audio_in_as_many_packets() -> None:
    pcm = continuous_speech(1.5)
    funasr = script_of(Funasr(mode="online"), pcm)
    sherpa = script_of(SherpaOnnx(), pcm)
    assert len(funasr.packets) == len(sherpa.packets) == round(1.5 / PACKET_S)


def test_the_last_message_gives_the_transcript() -> None:
    funasr = Reader(Funasr(mode="online"))
    assert funasr.receive(json.dumps({"text": "一", "mode": "2pass-online", "is_final": False})) is None
    assert funasr.receive(json.dumps({"text": "二", "mode": "2pass-online", "is_final": True})) == "一二"
    sherpa = Reader(SherpaOnnx())
    assert sherpa.receive(json.dumps({"text": "一", "is_eof": False})) is None
    assert sherpa.receive(json.dumps({"text": "一二", "is_eof": True})) == "一二"
    late = Reader(SherpaOnnx())
    late.receive(json.dumps({"text": "一二", "is_eof": False}))
    assert late.receive("Done!") == "一二"


def test_the_audio_has_pauses_only_where_they_are_wanted() -> None:
    assert len(continuous_speech(7.3)) == len(sentences(7.3)) == round(7.3 * SAMPLE_RATE_HZ)
    second = SAMPLE_RATE_HZ
    spoken, paused = continuous_speech(20), sentences(20)
    assert any(not paused[start : start + second].any() for start in range(0, 19 * second, 160))
    assert all(spoken[start : start + second // 2].any() for start in range(0, 19 * second, 160))
