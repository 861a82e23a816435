"""Counting the character errors of a transcript against what was said.

The character error rate (CER) is the Levenshtein distance between the two texts (the fewest insertions,
deletions and substitutions of a character), divided by the characters of the reference; over several
recordings the sums are divided, so that a long one counts for more (as NIST's sclite does for words:
https://github.com/usnistgov/SCTK, and jiwer's `cer`: https://jitsi.github.io/jiwer/). It can be above 1.

Both texts are normalised first, because recognisers differ in how they write what they heard alike:

1. compatibility forms become one form (NFKC, Unicode Standard Annex 15): full-width Ａ is A;
2. case is folded (Unicode Standard, 3.13);
3. only letters, marks and numbers are kept (general categories L, M and N): no punctuation, no symbols, and
   no spaces, which Chinese has none of and recognisers put beside English words as they like; a mark whose
   base is left out (the macron ¯ is a space that carries one) goes with it;
4. a Chinese digit is the digit it stands for: 三 is 3, as FunASR's inverse text normalisation writes it.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rapidfuzz.distance import Levenshtein

if TYPE_CHECKING:
    from collections.abc import Iterator

KEPT_CATEGORIES = frozenset("LMN")
DIGITS = str.maketrans("〇零一二三四五六七八九", "00123456789")


@dataclass(frozen=True)
class CharacterErrors:
    """What is wrong with one transcript, or with the sum of several."""

    errors: int
    """Insertions, deletions and substitutions."""
    characters: int
    """Characters of the reference."""


def normalised(text: str) -> str:
    """Return what of `text` counts, as the module says."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    # folding, and what is left out between two characters, can undo the normal form: it is made again
    return unicodedata.normalize("NFKC", "".join(_kept(folded))).translate(DIGITS)


def _kept(text: str) -> Iterator[str]:
    """Give what is kept; a mark goes with its base, or it would come to stand on the letter before that."""
    has_base = False
    for sign in text:
        category = unicodedata.category(sign)
        if category == "Cf":  # joiners: they part nothing
            continue
        has_base = category[0] in KEPT_CATEGORIES and (category[0] != "M" or has_base)
        if has_base:
            yield sign


def character_errors(reference: str, transcript: str) -> CharacterErrors:
    """Count the errors of `transcript`; both texts are normalised here."""
    said, heard = normalised(reference), normalised(transcript)
    return CharacterErrors(Levenshtein.distance(said, heard), len(said))
