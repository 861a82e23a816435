"""What keeps Python's objects: the containers of the bundled server that grew over a run."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

HOLDERS_NAME = "holders.json"
UNNAMED = "an entry of a "
"""How the server's page begins where a container is only an entry of another."""
ALIKE = (0.5, 2.0)
"""A holder explains a stack when it gained between these shares of what the stack gained."""


@dataclass(frozen=True)
class Holder:
    """One container at one look, or what it gained between two."""

    kind: str
    name: str
    chain: tuple[str, ...]
    entries: int
    item: str
    bytes: int

    @property
    def key(self) -> tuple[str, str, tuple[str, ...], str]:
        """By which it is known again."""
        return self.kind, self.name, self.chain, self.item

    def in_words(self) -> str:
        """Return it as ``list `module.NAME`, 432 entries``."""
        name = f" `{self.name}`" if self.name else ""
        owners = [each for each in self.chain if not each.startswith(UNNAMED)]
        within = f" (in {' ← '.join(f'`{each}`' for each in owners[:2])})" if owners else ""
        return f"{self.kind}{name}{within}, {self.entries:,} entries of {self.item}"

    def to_json_object(self) -> dict[str, Any]:
        """Return it as `profile.json` has it."""
        return asdict(self)

    @classmethod
    def from_json_object(cls, recorded: Mapping[str, Any]) -> Self:
        """Read it back; raises TypeError or KeyError for something else."""
        return cls(**{**recorded, "chain": tuple(recorded["chain"])})


@dataclass(frozen=True)
class Look:
    """The largest containers at one moment."""

    holders: tuple[Holder, ...]

    @classmethod
    def of_page(cls, page: Mapping[str, Any]) -> Self:
        """Read the server's page."""
        return cls(tuple(Holder.from_json_object(each) for each in page.get("holders", ())))

    def to_json_object(self) -> dict[str, Any]:
        """Return it in the page's form."""
        return {"holders": [each.to_json_object() for each in self.holders]}


def grown_holders(before: Look, after: Look) -> list[Holder]:
    """Return the containers that gained bytes, most first, with what they hold in the end as `entries`.

    Containers of one name and type count as one. What was too small to be among the largest had nothing.
    """
    had = _bytes_by_key(before)
    merged: dict[tuple[object, ...], Holder] = {}
    for each in after.holders:
        known = merged.get(each.key)
        entries = each.entries + (0 if known is None else known.entries)
        size = each.bytes + (0 if known is None else known.bytes)
        merged[each.key] = Holder(each.kind, each.name, each.chain, entries, each.item, size)
    gained = [
        Holder(each.kind, each.name, each.chain, each.entries, each.item, each.bytes - had.get(key, 0))
        for key, each in merged.items()
    ]
    return sorted((each for each in gained if each.bytes > 0), key=lambda each: each.bytes, reverse=True)


def read_grown(folder: Path) -> list[Holder]:
    """Return what `ProfiledServer` has left in `folder`; empty where it could not ask the server."""
    path = folder / HOLDERS_NAME
    if not path.is_file():
        return []
    before, after = (Look.of_page(each) for each in json.loads(path.read_text(encoding="utf-8")))
    return grown_holders(before, after)


def holder_of(gained_bytes: float, grown: Sequence[Holder]) -> Holder | None:
    """Return the container whose gain is nearest to that of a stack; None where none is like it."""
    low, high = ALIKE
    alike = [each for each in grown if low * gained_bytes <= each.bytes <= high * gained_bytes]
    return min(alike, key=lambda each: abs(each.bytes - gained_bytes), default=None)


def _bytes_by_key(look: Look) -> dict[tuple[object, ...], int]:
    found: dict[tuple[object, ...], int] = {}
    for each in look.holders:
        found[each.key] = found.get(each.key, 0) + each.bytes
    return found
