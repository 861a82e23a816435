"""Hotwords: words the caller expects, in the forms that FunASR's server and clients write them in.

FunASR gives the words to the contextual Paraformer and the weights to a decoding graph (FST) beside a
language model. This server has no such graph: hotwords work through the network alone, and weights change
nothing.
"""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Final

from asr_server import regular_file
from asr_server.errors import StartupError
from asr_server.wire import CLOSE_POLICY_VIOLATION, WireError

if TYPE_CHECKING:
    from pathlib import Path

logger = logging.getLogger(__name__)

MAX_HOTWORDS: Final = 1000
"""Upper bound of a list: every word is a vector that its connection holds (2 KB at the published size)."""

MAX_CHARS: Final = 100_000
"""Upper bound of a client's `hotwords` string, so that reading it takes no time worth speaking of."""


def parse_hotwords(text: str) -> tuple[str, ...]:
    """Read a client's `hotwords` string: a JSON object of words and weights, or words separated by spaces.

    As in the original, any other JSON and an object with a weight that is no number name no hotwords. Raises
    WireError for more than `MAX_HOTWORDS` or `MAX_CHARS`.
    """
    if len(text) > MAX_CHARS:
        raise WireError(
            f"hotwords has {len(text)} characters: send at most {MAX_CHARS}", CLOSE_POLICY_VIOLATION
        )
    words = tuple(dict.fromkeys(_words(text)))
    if len(words) > MAX_HOTWORDS:
        raise WireError(
            f"hotwords names {len(words)} words: send at most {MAX_HOTWORDS}", CLOSE_POLICY_VIOLATION
        )
    return words


def _words(text: str) -> list[str]:
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
    except RecursionError:
        value = None  # JSON, if nested too deeply to be read
    except ValueError:
        return text.split()
    if not isinstance(value, dict):
        logger.info("hotwords holds JSON that is no object of words and weights: no hotwords taken")
        return []
    if not all(isinstance(weight, int | float) for weight in value.values()):
        logger.info("hotwords holds a weight that is no number: no hotwords taken")
        return []
    return [" ".join(word.split()) for word in value if word.strip()]


def _refuse_constant(name: str) -> None:
    """Python's reader takes NaN and Infinity; JSON, and so the original, does not."""
    raise ValueError(name)


def read_hotword_file(path: Path) -> tuple[str, ...]:
    """Read a file with a word, a space and a whole-number weight in each line that is not empty.

    Raises StartupError for a file that cannot be read, for the first line that is no such pair, and for more
    than `MAX_HOTWORDS` words.
    """
    try:
        text = regular_file.read_text(path)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise StartupError(f"cannot read the hotwords in {path}: {reason}") from None
    lines = enumerate(text.splitlines(), start=1)
    words = tuple(dict.fromkeys(_word_of(line, path, number) for number, line in lines if line.strip()))
    if len(words) > MAX_HOTWORDS:
        raise StartupError(f"{path} holds {len(words)} hotwords: write at most {MAX_HOTWORDS}")
    return words


def _word_of(line: str, path: Path, number: int) -> str:
    *words, weight = line.split()
    try:
        int(weight)
    except ValueError:
        words = []
    if not words:
        raise StartupError(
            f'{path}, line {number}: write a word and a whole-number weight, as in "阿里巴巴 20"'
        )
    return " ".join(words)
