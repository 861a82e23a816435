"""What was asked for: `KIND:SIZE[:PROBABILITY[:AFTER]]`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from asr_server.inject.kinds import KINDS

FORM: Final = "KIND:SIZE[:PROBABILITY[:AFTER]]"
_UNIT_BYTES: Final = {
    "B": 1, "KB": 10**3, "KiB": 2**10, "MB": 10**6, "MiB": 2**20, "GB": 10**9, "GiB": 2**30,
}  # fmt: skip
_LARGEST_BYTES: Final = 2**34


@dataclass(frozen=True)
class Injection:
    """A leak of `size_bytes` at every event of its kind."""

    kind: str
    size_bytes: int
    probability: float = 1.0
    """Of keeping something at an event."""
    after: int = 0
    """Connections that must have closed before it begins."""

    def __str__(self) -> str:
        """Write it as on the command line, in bytes."""
        return f"{self.kind}:{self.size_bytes}B:{self.probability:g}:{self.after}"

    def in_words(self) -> str:
        """Say what it will do, as one sentence without a full stop."""
        leak = KINDS[self.kind]
        words = f"{self.size_bytes} bytes for every {leak.event}: {leak.summary}"
        if self.probability < 1:
            words += f"; with probability {self.probability:g}"
        if self.after:
            words += f"; after {self.after} closed connections"
        return words


def parse_injection(text: str) -> Injection:
    """Read an injection, for example "session:64KiB" or "fd:4KiB:0.02:100".

    Raises ValueError, one line that says what is wrong.
    """
    kind, *rest = text.split(":")
    if kind not in KINDS:
        raise ValueError(f"injection {text!r} has the unknown kind {kind!r}: use one of {', '.join(KINDS)}")
    if not rest:
        raise ValueError(f"injection {text!r} has no size: write for example {kind}:64KiB")
    if len(rest) > 3:
        raise ValueError(f"injection {text!r} has {len(rest) + 1} parts: write {FORM}")
    size, probability, after = rest + ["1", "0"][len(rest) - 1 :]
    return Injection(kind, _size(size, text), _probability(probability, text), _after(after, text))


def _size(size: str, text: str) -> int:
    matched = re.fullmatch(r"(\d{1,12}(?:\.\d{1,6})?)(\w+)", size, re.ASCII)
    unit_bytes = _UNIT_BYTES.get(matched[2], 0) if matched else 0
    size_bytes = round(float(matched[1]) * unit_bytes) if matched else 0
    if size_bytes < 1:
        raise ValueError(
            f"injection {text!r} has no valid size: write a positive number and one of "
            f"{', '.join(_UNIT_BYTES)}"
        )
    if size_bytes > _LARGEST_BYTES:
        raise ValueError(f"injection {text!r} is larger than any server bears: write at most 16GiB")
    return size_bytes


def _probability(probability: str, text: str) -> float:
    try:
        value = float(probability)
    except ValueError:
        value = 0.0
    if not 0 < value <= 1:
        raise ValueError(
            f"injection {text!r} has the probability {probability!r}: write a number above 0, at most 1"
        )
    return value


def _after(after: str, text: str) -> int:
    if not re.fullmatch(r"\d{1,9}", after, re.ASCII):
        raise ValueError(
            f"injection {text!r} begins after {after!r} connections: write a whole number of closed ones"
        )
    return int(after)
