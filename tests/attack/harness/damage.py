"""A good record, damaged as disks, kills, other programs and people damage files; the seed says how."""

from __future__ import annotations

import functools
import json
import os
import random
from typing import TYPE_CHECKING, Any

from tests.hostile import HOSTILE_TEXTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

FILES = ("samples.csv", "events.jsonl", "manifest.json")
CELLS = (
    "inf",
    "-inf",
    "nan",
    "-1",
    "1e308",
    "1e999",
    "",
    "x",
    "0x10",
    "1_000",
    "9" * 400,
    "\x1b[2J",
    '"',
    "1;2",
)
VALUES: tuple[Any, ...] = (None, True, -1, 10**30, 1e308, "x", "1" * 5000, [], {}, [None], [[[[[]]]]])


def damage(run: Path, seed: int) -> str:
    """Damage the record in the folder `run` in one to three ways; return in words what was done."""
    chance = random.Random(seed)
    done = []
    for _ in range(chance.randint(1, 3)):
        way = chance.choice(WAYS)
        path = run / chance.choice(FILES)
        if path.is_file():
            done.append(f"{path.name}: {way.__name__.strip('_')}")
            way(path, chance)
    return ", ".join(done)


def _cut_off(path: Path, chance: random.Random) -> None:
    os.truncate(path, chance.randint(0, path.stat().st_size))


def _zeros_at_the_end(path: Path, chance: random.Random) -> None:
    content = path.read_bytes()
    keep = chance.randint(0, len(content))
    path.write_bytes(content[:keep] + bytes(len(content) - keep + chance.randint(0, 4096)))


def _flipped_bytes(path: Path, chance: random.Random) -> None:
    content = bytearray(path.read_bytes())
    for _ in range(chance.randint(1, 20) if content else 0):
        content[chance.randrange(len(content))] = chance.randrange(256)
    path.write_bytes(content)


def _is_gone(path: Path, chance: random.Random) -> None:
    del chance
    path.unlink()


def _is_empty(path: Path, chance: random.Random) -> None:
    del chance
    path.write_bytes(b"")


def _is_a_folder(path: Path, chance: random.Random) -> None:
    del chance
    path.unlink()
    path.mkdir()


def _is_a_link_to_itself(path: Path, chance: random.Random) -> None:
    del chance
    path.unlink()
    path.symlink_to(path.name)


def _lines_in_disorder(path: Path, chance: random.Random) -> None:
    lines = path.read_bytes().splitlines(keepends=True)
    rest = lines[1:]
    chance.shuffle(rest)
    path.write_bytes(b"".join(lines[:1] + rest))


def _lines_twice(path: Path, chance: random.Random) -> None:
    lines = path.read_bytes().splitlines(keepends=True)
    at = chance.randint(0, len(lines))
    path.write_bytes(b"".join(lines[:at] + lines[at // 2 :]))


def _a_long_line(path: Path, chance: random.Random) -> None:
    content = path.read_bytes()
    at = chance.randint(0, len(content))
    path.write_bytes(
        content[:at] + chance.choice((b"[", b"9", b"a", b"\xff", b'{"a":')) * 200_000 + content[at:]
    )


def _another_cell(path: Path, chance: random.Random) -> None:
    if path.suffix != ".csv":
        return _another_value(path, chance)
    rows = [line.split(",") for line in path.read_text("utf-8", "replace").splitlines()]
    for _ in range(chance.randint(1, 30) if rows else 0):
        row = chance.choice(rows)
        row[chance.randrange(len(row))] = chance.choice(CELLS)
    path.write_text("".join(f"{','.join(row)}\n" for row in rows), "utf-8", "replace")
    return None


def _another_value(path: Path, chance: random.Random) -> None:
    """Put something that nobody expects at places of a JSON document, or of some lines of it."""
    if path.suffix == ".csv":
        return _another_cell(path, chance)
    text = path.read_text("utf-8", "replace")
    documents = text.splitlines() if path.suffix == ".jsonl" else [text]
    changed = []
    for document in documents:
        try:
            value = json.loads(document)
        except ValueError:
            changed.append(document)
            continue
        if path.suffix == ".json" or chance.random() < 0.2:
            places = list(_places(value))
            for put in chance.sample(places, min(len(places), 3)):
                put(chance.choice((*VALUES, *HOSTILE_TEXTS.values())))
        changed.append(json.dumps(value))
    path.write_text("\n".join(changed) + "\n", "utf-8", "replace")
    return None


WAYS = (
    *(_cut_off, _zeros_at_the_end, _flipped_bytes, _is_gone, _is_empty, _is_a_folder, _is_a_link_to_itself),
    *(_lines_in_disorder, _lines_twice, _a_long_line, _another_cell, _another_value, _another_value),
)


def _places(value: Any) -> Iterator[Callable[[Any], None]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in list(items):
        yield functools.partial(value.__setitem__, key)
        yield from _places(item)
