"""The tokens of the models, and how a vocabulary is written down."""

from __future__ import annotations

import json

MANDARIN_NUMBERS = "零一二三四五六七八九十百千万点"
MANDARIN_COMMANDS = "打开关闭停止前进后退左右转上下大小音量灯播放呼叫"
MANDARIN_SURNAMES = "王李张刘陈"
MANDARIN_GIVEN_NAMES = (
    "明鸣",
    "静靖",
    "芳方",
    "丽莉",
    "军君",
    "杰洁",
    "平萍",
    "红宏",
    "刚钢",
    "林琳",
    "云芸",
)
"""Pairs that sound alike: what is written without a hotword, and the other spelling."""
ENGLISH_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
ENGLISH_COMMANDS = ("yes", "no", "stop", "go")
ENGLISH_NAMES = (
    *(("eric", "erik"), ("steven", "stephen"), ("john", "jon")),
    *(("sara", "sarah"), ("brian", "bryan"), ("anne", "ann")),
)
"""Pairs that sound alike, as in Mandarin."""

TINY_TOKENS = (
    *("<blank>", "<s>", "</s>"),
    *MANDARIN_NUMBERS,
    *MANDARIN_COMMANDS,
    *MANDARIN_SURNAMES,
    *("".join(MANDARIN_GIVEN_NAMES)),
    *ENGLISH_DIGITS,
    *ENGLISH_COMMANDS,
    "call",
    *(name for pair in ENGLISH_NAMES for name in pair),
    "<unk>",
)
"""The marks are where FunASR's vocabularies have them: three in front, the unknown token last."""

FIRST_IDEOGRAPH = 0x4E00


def large_tokens(size: int) -> tuple[str, ...]:
    """Make a large vocabulary: marks, the characters of GB 2312, then others by code point."""
    wanted = size - 4
    common = [
        bytes((row, cell)).decode("gb2312", errors="ignore")
        for row in range(0xB0, 0xF8)
        for cell in range(0xA1, 0xFF)
    ]
    characters = dict.fromkeys(character for character in common if character)
    code_point = FIRST_IDEOGRAPH
    while len(characters) < wanted:
        characters[chr(code_point)] = None
        code_point += 1
    return ("<blank>", "<s>", "</s>", *list(characters)[:wanted], "<unk>")


def tokens_json(tokens: tuple[str, ...]) -> str:
    """Write a vocabulary as FunASR's `tokens.json`."""
    return json.dumps(tokens, ensure_ascii=False, indent=0) + "\n"
