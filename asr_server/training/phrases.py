"""What the training speech says: digit strings for the most part, numbers, commands and names.

Names come in pairs that sound alike (明 and 鸣, "eric" and "erik"). Speech cannot tell them apart, so a
regular model learns to write the common one, and only a contextual model that is given a hotword may write
the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from asr_server.training.vocabularies import (
    ENGLISH_COMMANDS,
    ENGLISH_DIGITS,
    ENGLISH_NAMES,
    MANDARIN_GIVEN_NAMES,
    MANDARIN_SURNAMES,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

Language = Literal["cmn", "en"]

MANDARIN_DIGITS = "零一二三四五六七八九"
MANDARIN_COMMANDS = (
    *("打开灯", "关闭灯", "停止", "前进", "后退", "左转", "右转", "音量大", "音量小", "播放", "停止播放"),
    *("上", "下", "左", "右", "打开", "关闭", "开灯", "关灯", "大音量", "小音量"),
)
CALL = "呼叫"
ENGLISH_CALL = "call"
LONGEST_DIGITS = 14


@dataclass(frozen=True)
class Phrase:
    """Something to say."""

    language: Language
    tokens: tuple[str, ...]
    """What a regular model should answer."""

    @property
    def written(self) -> str:
        """The text that a recogniser writes."""
        return " ".join(self.tokens) if self.language == "en" else "".join(self.tokens)

    @property
    def dictated(self) -> str:
        """The text for a speech synthesiser that pauses after every word."""
        return ", ".join(self.tokens)


def draw_phrase(language: Language, random: np.random.Generator) -> Phrase:
    """Draw one phrase: seven in ten are digit strings."""
    kinds = KINDS[language]
    weights = [weight for weight, _ in kinds]
    choice = random.choice(len(kinds), p=[weight / sum(weights) for weight in weights])
    return Phrase(language, tuple(kinds[choice][1](random)))


def draw_digits(language: Language, random: np.random.Generator, longest: int = LONGEST_DIGITS) -> Phrase:
    """Draw a string of 1 to `longest` digits; short ones are as likely as long ones."""
    words = MANDARIN_DIGITS if language == "cmn" else ENGLISH_DIGITS
    count = int(random.integers(1, longest + 1))
    return Phrase(language, tuple(words[digit] for digit in random.integers(0, 10, count)))


def draw_name(random: np.random.Generator) -> tuple[str, ...]:
    """Draw a Mandarin name: a surname and one or two given names, common spelling."""
    given = random.integers(0, len(MANDARIN_GIVEN_NAMES), int(random.integers(1, 3)))
    surname = MANDARIN_SURNAMES[int(random.integers(len(MANDARIN_SURNAMES)))]
    return (surname, *(MANDARIN_GIVEN_NAMES[index][0] for index in given))


def spell_number(value: int) -> str:
    """Read a number from 0 to 99,999 as Mandarin does: 10,305 is 一万零三百零五."""
    if value == 0:
        return MANDARIN_DIGITS[0]
    text, pending_zero = "", False
    for unit, name in ((10_000, "万"), (1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit, value = divmod(value, unit)
        if digit == 0:
            pending_zero = bool(text) and value > 0
            continue
        text += MANDARIN_DIGITS[0] if pending_zero else ""
        text += (MANDARIN_DIGITS[digit] if text or unit != 10 or digit > 1 else "") + name
        pending_zero = False
    return text


def _digits(language: Language) -> Callable[[np.random.Generator], tuple[str, ...]]:
    return lambda random: draw_digits(language, random).tokens


def _number(random: np.random.Generator) -> str:
    whole = spell_number(int(10 ** random.uniform(1, 4.99)))
    if random.random() < 0.7:
        return whole
    return whole + "点" + "".join(MANDARIN_DIGITS[digit] for digit in random.integers(0, 10, 2))


def _mandarin_command(random: np.random.Generator) -> str:
    return MANDARIN_COMMANDS[int(random.integers(len(MANDARIN_COMMANDS)))]


def _mandarin_call(random: np.random.Generator) -> tuple[str, ...]:
    return (*CALL, *draw_name(random)) if random.random() < 0.6 else draw_name(random)


def _english_command(random: np.random.Generator) -> tuple[str, ...]:
    return tuple(random.choice(ENGLISH_COMMANDS, size=int(random.integers(1, 4))).tolist())


def _english_call(random: np.random.Generator) -> tuple[str, ...]:
    names = [ENGLISH_NAMES[int(index)][0] for index in random.integers(0, len(ENGLISH_NAMES), 2)]
    return (ENGLISH_CALL, names[0]) if random.random() < 0.6 else tuple(names)


KINDS = {
    "cmn": ((70, _digits("cmn")), (8, _number), (8, _mandarin_command), (14, _mandarin_call)),
    "en": ((78, _digits("en")), (10, _english_command), (12, _english_call)),
}
