"""Tokens to readable text."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

UNSPOKEN = frozenset({"<blank>", "<s>", "</s>", "<unk>"})
"""Tokens that stand for no text."""
PIECE_GOES_ON = "@@"
"""At the end of a piece of a word that the next token continues."""
FIRST_CJK_CHARACTER = "⺀"
"""U+2E80: from here on, characters are written without spaces between them."""


def is_unspaced(word: str) -> bool:
    """Tell whether a word is Chinese (or of another script that is written without spaces)."""
    return word[:1] >= FIRST_CJK_CHARACTER


def tokens_to_text(tokens: Sequence[str]) -> str:
    """Join tokens: Chinese without spaces, other words with one, `@@` pieces merged, marks dropped."""
    words: list[str] = []
    goes_on = False
    for token in tokens:
        if token in UNSPOKEN:
            continue
        piece = token.removesuffix(PIECE_GOES_ON)
        if goes_on:
            words[-1] += piece
        else:
            words.append(piece)
        goes_on = token.endswith(PIECE_GOES_ON)
    text = ""
    for index, word in enumerate(words):
        joined = index == 0 or (is_unspaced(word) and is_unspaced(words[index - 1]))
        text += word if joined else f" {word}"
    return text
