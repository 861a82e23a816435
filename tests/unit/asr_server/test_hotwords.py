from pathlib import Path

import pytest

from asr_server.errors import StartupError
from asr_server.hotwords import read_hotword_file


def test_words_and_weights(tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    path.write_text("阿里巴巴 20\n\nvoice agent 30\n", encoding="utf-8")
    assert read_hotword_file(path) == {"阿里巴巴": 20, "voice agent": 30}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"one 20\ntwo\n", "line 2"),
        (b"one twenty\n", "line 1"),
        (b"20\n", "line 1"),
        (b"\xff\xfe 20", "UTF-8"),
    ],
)
def test_a_line_that_is_no_pair_is_named(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "words.txt"
    path.write_bytes(content)
    with pytest.raises(StartupError, match=words):
        read_hotword_file(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(StartupError, match=r"absent\.txt: No such file"):
        read_hotword_file(tmp_path / "absent.txt")
