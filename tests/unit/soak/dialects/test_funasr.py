import json

import pytest

from soak.dialects import DIALECTS, Fault, Final, MessageError, Partial
from soak.dialects.funasr import Funasr
from soak.plugins import OptionError


def test_the_opening_says_the_options_and_the_closing_ends_the_utterance() -> None:
    conversation = Funasr(mode="online", chunk_size=(8, 8, 4), hotwords="明").conversation()
    (opening,) = conversation.opening()
    said = json.loads(opening)
    assert (said["mode"], said["chunk_size"], said["hotwords"]) == ("online", [8, 8, 4], "明")
    assert (said["wav_name"], said["is_speaking"]) == ("soak", True)
    (closing,) = conversation.closing()
    assert json.loads(closing) == {"is_speaking": False}


def test_hotwords_have_the_number_of_the_connection_where_they_ask_for_it() -> None:
    dialect = Funasr(hotwords="明{connection} erik")
    assert [
        json.loads(dialect.conversation(number).opening()[0])["hotwords"] for number in (1, 22, None)
    ] == ["明1 erik", "明22 erik", "明{connection} erik"]


def test_audio_comes_in_frames_of_60_ms_and_none_is_lost() -> None:
    pcm = bytes(range(250)) * 20  # 2.6 frames
    frames = list(Funasr().conversation().audio(pcm))
    assert b"".join(frame.message for frame in frames if isinstance(frame.message, bytes)) == pcm
    assert [frame.duration_s for frame in frames] == pytest.approx([0.06, 0.06, 0.03625])


def test_what_the_server_says_becomes_events() -> None:
    conversation = Funasr().conversation()
    assert conversation.receive('{"text": "a", "mode": "2pass-online"}') == [Partial("a")]
    assert conversation.receive('{"text": "ab", "mode": "2pass-offline", "is_final": true}') == [
        Partial("ab")
    ]
    conversation.closing()
    assert conversation.receive('{"text": "", "is_final": true}') == [Final("ab")]
    assert conversation.receive('{"error": "no room"}') == [Fault("no room")]
    with pytest.raises(MessageError, match="binary message of 3 bytes"):
        conversation.receive(b"abc")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"mode": "3pass"}, "mode is '3pass': choose one of online, offline, 2pass"),
        ({"mode": ["2pass"]}, "mode is ['2pass']"),
        ({"chunk_size": [5, 0, 5]}, "chunk_size is (5, 0, 5)"),
        ({"hotwords": 3}, "hotwords is 3: it must be a string"),
    ],
)
def test_an_option_that_cannot_be_is_refused_in_one_line(options: dict[str, object], said: str) -> None:
    with pytest.raises(OptionError) as caught:
        DIALECTS.make("funasr", options)
    assert str(caught.value).startswith(said)
