import json
from pathlib import Path

import pytest

from asr_server.errors import StartupError
from asr_server.hotwords import MAX_HOTWORDS, parse_hotwords, read_hotword_file
from asr_server.wire import WireError


def test_the_words_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    path.write_text("阿里巴巴 20\n\nvoice  agent 30\n阿里巴巴 5\n", encoding="utf-8")
    assert read_hotword_file(path) == ("阿里巴巴", "voice agent")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"one 20\ntwo\n", "line 2"),
        (b"one twenty\n", "line 1"),
        (b"20\n", "line 1"),
        (b"\xff\xfe 20", "UTF-8"),
        (b"".join(b"w%d 1\n" % number for number in range(MAX_HOTWORDS + 1)), "1001 hotwords"),
    ],
)
def test_what_is_wrong_with_a_file_is_named(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "words.txt"
    path.write_bytes(content)
    with pytest.raises(StartupError, match=words):
        read_hotword_file(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(StartupError, match=r"absent\.txt: No such file"):
        read_hotword_file(tmp_path / "absent.txt")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ()),
        ("   ", ()),
        ("阿里巴巴 魔搭", ("阿里巴巴", "魔搭")),
        ("seven  seven two", ("seven", "two")),
        ('{"阿里巴巴": 20, "voice agent": 30}', ("阿里巴巴", "voice agent")),
        ('{"one": 1.5, "two": -3, " ": 1}', ("one", "two")),
        ('{"one": "20"}', ()),
        ('{"one": 20, "two": null}', ()),
        ("{}", ()),
        ('["one", "two"]', ()),
        ("123", ()),
        ("null", ()),
        ('{"one": 20', ('{"one":', "20")),
        ("NaN", ("NaN",)),
        ("[" * 90_000, ()),
    ],
)
def test_a_clients_hotwords_are_read_as_the_original_reads_them(text: str, words: tuple[str, ...]) -> None:
    assert parse_hotwords(text) == words


def test_no_client_may_send_an_endless_word() -> None:
    with pytest.raises(WireError, match="hotwords has 100001 characters: send at most 100000"):
        parse_hotwords("三" * 100_001)


@pytest.mark.parametrize("as_json", [False, True])
def test_no_client_may_name_endless_hotwords(*, as_json: bool) -> None:
    words = [f"w{number}" for number in range(MAX_HOTWORDS + 1)]
    text = json.dumps(dict.fromkeys(words, 1)) if as_json else " ".join(words)
    with pytest.raises(WireError, match="hotwords names 1001 words: send at most 1000"):
        parse_hotwords(text)
