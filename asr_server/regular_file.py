"""Reads files that an operator names, and nothing that only looks like one."""

from __future__ import annotations

import errno
import stat
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

LARGEST_TEXT_BYTES: Final = 64 * 2**20
"""Of a text file of a model, or of hotwords; real ones have a few hundred kilobytes."""


def read_text(path: Path) -> str:
    """Read a text file; raises OSError with a reason, also for no regular file, or UnicodeDecodeError.

    A FIFO would be waited for without end, and a device may have no end.
    """
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "it is no regular file")
    if found.st_size > LARGEST_TEXT_BYTES:
        raise OSError(errno.EFBIG, f"it has {found.st_size} bytes, too many for a text")
    return path.read_text(encoding="utf-8")
