"""Leaks put in on purpose, so that a soak test can be shown a server that really does leak."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

KINDS: Final = ("session",)
"""What can leak: "session" keeps memory for every connection that has closed."""
_UNIT_BYTES: Final = {"B": 1, "KB": 10**3, "KiB": 2**10, "MB": 10**6, "MiB": 2**20}
_FILL: Final = b"\xa5"


@dataclass(frozen=True)
class Injection:
    """A leak of `size_bytes` at every event of its kind."""

    kind: str
    size_bytes: int


def parse_injection(text: str) -> Injection:
    """Read "KIND:SIZE", for example "session:64KiB". Raises ValueError, one line that says what is wrong."""
    kind, colon, size = text.partition(":")
    if not colon:
        raise ValueError(f"injection {text!r} has no size: write for example session:64KiB")
    if kind not in KINDS:
        raise ValueError(f"injection {text!r} has the unknown kind {kind!r}: use {' or '.join(KINDS)}")
    matched = re.fullmatch(r"(\d{1,12}(?:\.\d{1,6})?)(B|KB|KiB|MB|MiB)", size)
    size_bytes = round(float(matched[1]) * _UNIT_BYTES[matched[2]]) if matched else 0
    if size_bytes < 1:
        raise ValueError(
            f"injection {text!r} has no valid size: write a positive number and B, KB, KiB, MB or MiB"
        )
    return Injection(kind, size_bytes)


class LeakInjector:
    """Keeps what the injections ask for, for as long as the process lives."""

    def __init__(self, injections: tuple[Injection, ...]) -> None:
        """Prepare to leak; nothing is kept before the first event."""
        self.session_bytes = sum(item.size_bytes for item in injections if item.kind == "session")
        """How much is kept per closed connection."""
        self._kept: list[bytes] = []

    def connection_closed(self) -> None:
        """Keep `session_bytes` more, every byte of it written, so that it counts as resident."""
        if self.session_bytes:
            self._kept.append(_FILL * self.session_bytes)
