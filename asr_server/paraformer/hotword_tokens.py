"""Hotwords to token ids, as FunASR's runtimes spell them.

A Chinese character is a token of its own. A word of an alphabet is looked up in the folder's `seg_dict`,
whose lines give a word, a tab and its pieces; one that is not there is a token if the vocabulary has it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from asr_server.paraformer.model_dir import read_text
from asr_server.paraformer.tokens import FIRST_CJK_CHARACTER

if TYPE_CHECKING:
    from collections.abc import Mapping

    from asr_server.paraformer.model_dir import ModelDir

SEGMENTS_FILE = "seg_dict"
LONGEST_HOTWORD = 10
"""Tokens of a hotword that count, in all of FunASR's runtimes."""
_PARTS = re.compile(rf"[^\s{FIRST_CJK_CHARACTER}-\U0010ffff]+|[{FIRST_CJK_CHARACTER}-\U0010ffff]")
"""A run of letters, or one character of a script that is written without spaces."""


@dataclass(frozen=True)
class HotwordTokens:
    """How one model spells words."""

    ids: Mapping[str, int]
    """Token to token id."""
    segments: Mapping[str, str]
    """A word's pieces with spaces between them; empty without a `seg_dict`."""

    @classmethod
    def read(cls, model: ModelDir) -> HotwordTokens:
        """Read what a model folder says about spelling; raises ModelError for a file that is no text."""
        path = model.path / SEGMENTS_FILE
        lines = read_text(path).splitlines() if path.is_file() else []
        pairs = (line.split("\t") for line in lines)
        segments = {pair[0]: pair[1] for pair in pairs if len(pair) > 1}
        return cls({token: number for number, token in enumerate(model.tokens)}, segments)

    def spell(self, hotword: str) -> list[int] | None:
        """Give the token ids of a hotword, or None when the model has no token for a part of it.

        What would be after the tenth token does not count, as in FunASR.
        """
        token_ids: list[int] = []
        for part in _PARTS.finditer(hotword):
            pieces = self._pieces(part[0])
            if pieces is None:
                return None
            token_ids += pieces
            if len(token_ids) >= LONGEST_HOTWORD:
                break
        return token_ids[:LONGEST_HOTWORD] or None

    def _pieces(self, part: str) -> list[int] | None:
        # Vocabularies hold lower case only, as a rule; people write names with capitals.
        for written in (part, part.lower()):
            pieces = self.segments.get(written, written).split()
            if pieces and all(piece in self.ids for piece in pieces):
                return [self.ids[piece] for piece in pieces]
        return None
