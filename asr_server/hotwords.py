"""Hotwords: words the caller expects, in FunASR's file format; this server's models do not use them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asr_server.errors import StartupError

if TYPE_CHECKING:
    from pathlib import Path


def read_hotword_file(path: Path) -> dict[str, int]:
    """Read a file with a word, a space and a whole-number weight in each line that is not empty.

    Raises StartupError for a file that cannot be read and for the first line that is no such pair.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise StartupError(f"cannot read the hotwords in {path}: {reason}") from None
    weights: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        word, _, weight = line.strip().rpartition(" ")
        try:
            weights[word.strip()] = int(weight)
        except ValueError:
            word = ""
        if not word:
            raise StartupError(
                f'{path}, line {number}: write a word and a whole-number weight, as in "阿里巴巴 20"'
            )
    return weights
