"""The protocol as each side sees it: what is accepted, what is refused and with which words."""

import json
from typing import Any

import pytest

from asr_server.wire import (
    AudioReceived,
    ClientDialogue,
    Configured,
    Final,
    Partial,
    Result,
    Sentence,
    ServerDialogue,
    ServerFault,
    UtteranceConfig,
    UtteranceEnded,
    WireError,
    encode_error,
    encode_result,
)


def configured(**settings: Any) -> ServerDialogue:
    dialogue = ServerDialogue()
    dialogue.receive_text(json.dumps({"chunk_size": [5, 10, 5], **settings}))
    return dialogue


def refusal(frame: str | bytes) -> WireError:
    dialogue = ServerDialogue()
    with pytest.raises(WireError) as caught:
        dialogue.receive_text(frame) if isinstance(frame, str) else dialogue.receive_binary(frame)
    assert "\n" not in caught.value.message
    return caught.value


class TestServerSide:
    def test_a_dialogue_from_configuration_to_end(self) -> None:
        dialogue = ServerDialogue()
        opening = {"mode": "online", "chunk_size": [5, 10, 5], "wav_name": "电话", "is_speaking": True}
        expected = UtteranceConfig(mode="online", wav_name="电话")
        assert dialogue.receive_text(json.dumps(opening)) == [Configured(expected, first=True)]
        assert dialogue.config == expected
        assert dialogue.receive_binary(b"\x01\x02\x03\x04") == [AudioReceived(b"\x01\x02\x03\x04")]
        assert dialogue.receive_text('{"is_speaking": false}') == [UtteranceEnded()]

    def test_every_key_of_the_configuration_is_read(self) -> None:
        settings = {
            "mode": "offline", "wav_name": "w", "wav_format": "PCM", "audio_fs": 8000,
            "chunk_size": [0, 8, 4], "chunk_interval": 5, "hotwords": '{"阿里巴巴": 20}', "itn": False,
        }  # fmt: skip
        assert configured(**settings).config == UtteranceConfig(
            "offline", "w", "pcm", 8000, (0, 8, 4), 5, '{"阿里巴巴": 20}', itn=False
        )

    def test_what_is_left_out_takes_funasr_defaults(self) -> None:
        dialogue = ServerDialogue()
        assert dialogue.receive_text("{}") == [Configured(UtteranceConfig(), first=True)]

    def test_unknown_keys_are_ignored(self) -> None:
        assert configured(svs_lang="auto", encoder_chunk_look_back=[4], x={}).config == UtteranceConfig()

    def test_half_a_sample_waits_for_the_next_frame(self) -> None:
        dialogue = configured()
        assert dialogue.receive_binary(b"abc") == [AudioReceived(b"ab")]
        assert dialogue.receive_binary(b"d") == [AudioReceived(b"cd")]
        assert dialogue.receive_binary(b"e") == []
        dialogue.receive_text('{"is_speaking": false}')
        assert dialogue.receive_binary(b"fg") == [AudioReceived(b"fg")], "a new utterance starts on a sample"

    def test_an_empty_frame_of_audio_is_nothing(self) -> None:
        assert configured().receive_binary(b"") == []

    def test_later_configuration_keeps_the_first_chunk_size_and_hotwords(self) -> None:
        dialogue = configured(hotwords="one two")
        later = {"chunk_size": [0, 8, 4], "hotwords": "three", "wav_name": "second", "mode": "online"}
        expected = UtteranceConfig(mode="online", wav_name="second", hotwords="one two")
        assert dialogue.receive_text(json.dumps(later)) == [Configured(expected, first=False)]

    def test_is_finished_ends_the_utterance_too(self) -> None:
        assert configured().receive_text('{"is_finished": true}') == [UtteranceEnded()]

    def test_one_frame_that_says_it_twice_ends_one_utterance(self) -> None:
        assert configured().receive_text('{"is_speaking": false, "is_finished": true}') == [UtteranceEnded()]

    def test_configuration_and_end_in_one_frame(self) -> None:
        events = ServerDialogue().receive_text('{"mode": "2pass", "is_speaking": false}')
        assert events == [Configured(UtteranceConfig(), first=True), UtteranceEnded()]

    def test_speaking_on_is_no_event(self) -> None:
        assert configured().receive_text('{"is_speaking": true}') == []


class TestClientMistakes:
    @pytest.mark.parametrize(
        ("frame", "close_code", "words"),
        [
            ("{nonsense", 1007, "not valid JSON"),
            ("[" * 100_000, 1007, "not valid JSON"),
            ("[1, 2]", 1007, "must hold a JSON object, not [1, 2]"),
            ('"pcm"', 1007, 'must hold a JSON object, not "pcm"'),
            ('{"hotwords": {"阿里": 20}}', 1007, "hotwords must be a string, not an object"),
            ('{"chunk_size": "5,10,5"}', 1007, 'chunk_size must be a list of three integers, not "5,10,5"'),
            ('{"chunk_size": [5, 10]}', 1007, "chunk_size must be a list of three integers, not [5, 10]"),
            ('{"chunk_size": [5, "10", 5]}', 1007, "not a list of 3 values"),
            ('{"chunk_size": [5, true, 5]}', 1007, "chunk_size must be a list of three integers"),
            ('{"chunk_size": [5, 0, 5]}', 1007, "has no chunk"),
            ('{"chunk_size": [-1, 10, 5]}', 1007, "numbers from 0 to 100"),
            ('{"chunk_size": [5, 1000000000, 5]}', 1007, "numbers from 0 to 100"),
            ('{"chunk_interval": 0}', 1007, "chunk_interval must be an integer from 1 to 1000"),
            ('{"audio_fs": "16000"}', 1007, 'audio_fs must be an integer in Hz, not "16000"'),
            ('{"audio_fs": 16001}', 1003, "audio_fs 16001 is not supported: send one of 8000"),
            ('{"mode": "3pass"}', 1007, 'mode must be "online", "offline" or "2pass", not "3pass"'),
            ('{"mode": ["2pass"]}', 1007, "mode must be"),
            ('{"wav_format": "mp3"}', 1003, 'wav_format must be "pcm", not "mp3"'),
            ('{"wav_format": ["pcm"]}', 1003, "wav_format must be"),
            ('{"wav_name": 5}', 1007, "wav_name must be a string, not 5"),
            ('{"wav_name": "\\ud800"}', 1007, "surrogate"),
            (json.dumps({"wav_name": "x" * 5000}), 1007, "wav_name has 5000 characters"),
            ('{"itn": 1}', 1007, "itn must be true or false, not 1"),
            ('{"is_speaking": "no"}', 1007, 'is_speaking must be true or false, not "no"'),
            ('{"is_finished": null}', 1007, "is_finished must be true or false, not null"),
            ('{"is_speaking": false}', 1008, "end of the utterance came before its configuration"),
            (b"\x00\x00", 1008, "audio came before the configuration"),
        ],
    )  # fmt: skip
    def test_each_is_named_with_what_to_send(self, frame: str | bytes, close_code: int, words: str) -> None:
        error = refusal(frame)
        assert words in error.message
        assert error.close_code == close_code

    def test_a_huge_value_is_not_repeated_in_the_message(self) -> None:
        assert len(refusal(json.dumps({"mode": "x" * 10_000})).message) < 200
        assert len(refusal(json.dumps({"chunk_size": [1e300] * 3})).message) < 200
        assert len(refusal(json.dumps({"audio_fs": list(range(9999))})).message) < 200

    def test_a_refused_frame_leaves_the_configuration_alone(self) -> None:
        dialogue = configured()
        with pytest.raises(WireError):
            dialogue.receive_text('{"mode": "online", "itn": "yes"}')
        assert dialogue.config == UtteranceConfig()

    def test_the_error_message_ends_the_clients_wait(self) -> None:
        message = json.loads(encode_error(WireError("bad"), "a"))
        assert message == {"error": "bad", "text": "", "wav_name": "a", "is_final": True}


class TestResults:
    def test_funasr_keys(self) -> None:
        result = Result("你好", "a", "2pass-offline", slice_type=2, index=0, timestamp=7,
                        start_time_ms=0, end_time_ms=900)  # fmt: skip
        assert json.loads(encode_result(result)) == {
            "text": "你好", "wav_name": "a", "mode": "2pass-offline", "is_final": False, "slice_type": 2,
            "index": 0, "timestamp": 7, "start_time": 0, "end_time": 900,
        }  # fmt: skip

    def test_an_empty_final_has_no_mode(self) -> None:
        assert json.loads(encode_result(Result("", "a", is_final=True))) == {
            "text": "", "wav_name": "a", "is_final": True,
        }  # fmt: skip


def conversation(mode: Any, *results: Result) -> list[object]:
    """What the client makes of `results` that come after the end of the utterance."""
    client = ClientDialogue(UtteranceConfig(mode=mode))
    client.closing()
    return [event for result in results for event in client.receive(encode_result(result))]


class TestClientSide:
    def test_the_opening_configures_the_server_as_asked(self) -> None:
        config = UtteranceConfig("offline", "电话", "pcm", 8000, (0, 8, 4), 5, "一 二", itn=False)
        assert ServerDialogue().receive_text(ClientDialogue(config).opening()) == [
            Configured(config, first=True)
        ]

    @pytest.mark.parametrize(("audio_fs", "stride_bytes"), [(16000, 1920), (8000, 960)])
    def test_frames_are_60_ms_and_lose_nothing(self, audio_fs: int, stride_bytes: int) -> None:
        client = ClientDialogue(UtteranceConfig(audio_fs=audio_fs))
        pcm = bytes(range(250)) * 20
        frames = list(client.audio_frames(pcm))
        assert client.frame_duration_s == pytest.approx(0.06)
        assert {len(frame) for frame in frames[:-1]} == {stride_bytes}
        assert b"".join(frames) == pcm

    def test_two_pass_sentences_replace_partials(self) -> None:
        events = conversation(
            "2pass",
            Result("你", "a", "2pass-online"),
            Result("你好", "a", "2pass-offline", slice_type=2),
            Result("世界", "a", "2pass-offline", slice_type=2, is_final=True),
        )
        assert events == [Partial("你"), Sentence("你好"), Sentence("世界"), Final("你好世界")]

    def test_online_increments_are_joined(self) -> None:
        events = conversation(
            "online",
            Result("hello", "a", "2pass-online"),
            Result(" wor", "a", "2pass-online"),
            Result("ld", "a", "2pass-online", is_final=True),
        )
        assert events[-1] == Final("hello world")

    def test_english_sentences_are_joined_with_a_space(self) -> None:
        events = conversation(
            "offline",
            Result("one two", "a", "2pass-offline"),
            Result("three", "a", "2pass-offline"),
            Result("", "a", is_final=True),
        )
        assert events[-1] == Final("one two three")

    def test_is_final_before_the_end_only_ends_a_sentence(self) -> None:
        client = ClientDialogue(UtteranceConfig())
        assert client.receive('{"text": "一", "mode": "2pass-offline", "is_final": true}') == [Sentence("一")]

    def test_the_offline_server_answers_without_is_final(self) -> None:
        client = ClientDialogue(UtteranceConfig(mode="offline"))
        client.closing()
        assert client.receive('{"text": "一", "mode": "offline", "is_final": false}') == [
            Sentence("一"),
            Final("一"),
        ]

    def test_a_second_utterance_starts_afresh(self) -> None:
        client = ClientDialogue(UtteranceConfig())
        for words in ("一", "二"):
            client.closing()
            answer = encode_result(Result(words, "a", "2pass-offline", is_final=True))
            assert client.receive(answer)[-1] == Final(words)

    @pytest.mark.parametrize(
        ("frame", "words"),
        [
            ("{", "not a JSON object"),
            ("[]", "not a JSON object"),
            ('{"text": 5, "is_final": true}', "text that is not a string"),
            ('{"error": "audio_fs must be an integer", "text": "", "is_final": true}', "audio_fs must be"),
        ],
    )
    def test_what_a_server_should_not_send_is_a_fault(self, frame: str, words: str) -> None:
        (fault,) = ClientDialogue(UtteranceConfig()).receive(frame)
        assert isinstance(fault, ServerFault)
        assert words in fault.message


def test_brackets_in_text_are_no_nesting() -> None:
    words = json.dumps({"chunk_size": [5, 10, 5], "hotwords": json.dumps({"a[{" * 50 + '"]': 20})})
    assert isinstance(ServerDialogue().receive_text(words)[0], Configured)


@pytest.mark.parametrize(
    "text",
    [
        '{"a":' * 33 + "1" + "}" * 33,
        "[" * 64_000,
        '{"x":"\\\\"' + "[" * 40,
        "[]" * 20 + "[" * 40,
        "[" + "[]," * 1000 + "[]]",
    ],
)
def test_deep_nesting_is_refused_before_it_is_parsed(text: str) -> None:
    with pytest.raises(WireError, match="nested more than 32 deep"):
        ServerDialogue().receive_text(text)


@pytest.mark.parametrize("text", ['"\\"' * 2_000_000 + "[" * 40, "[" * 40 + '\\"' * 2_000_000])
def test_quotes_without_an_end_cost_no_time(text: str) -> None:
    with pytest.raises(WireError):  # a look for the end of each would outlast this test's limit
        ServerDialogue().receive_text(text)


def test_another_rate_holds_from_the_next_utterance_on() -> None:
    dialogue = ServerDialogue()
    dialogue.receive_text('{"audio_fs": 8000}')
    assert dialogue.audio_fs_hz == 8000
    dialogue.receive_binary(b"\0\0")
    dialogue.receive_text('{"audio_fs": 48000}')
    assert dialogue.audio_fs_hz == 8000
    dialogue.receive_text('{"is_speaking": false}')
    assert dialogue.audio_fs_hz == 48000
