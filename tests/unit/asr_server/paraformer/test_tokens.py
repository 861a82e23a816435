import pytest

from asr_server.paraformer.tokens import tokens_to_text


@pytest.mark.parametrize(
    ("tokens", "text"),
    [
        ([], ""),
        (["打", "开", "灯"], "打开灯"),
        (["one", "two"], "one two"),
        (["打", "开", "one", "灯"], "打开 one 灯"),
        (["play@@", "ing", "stop"], "playing stop"),
        (["<s>", "一", "<blank>", "二", "</s>", "<unk>"], "一二"),
        (["play@@", "</s>"], "play"),
    ],
)
def test_text_reads_as_a_person_would_write_it(tokens: list[str], text: str) -> None:
    assert tokens_to_text(tokens) == text
