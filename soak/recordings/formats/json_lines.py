"""A JSON object a line: `docker stats --format json`, structured logs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from soak.recordings.cells import Table
from soak.recordings.interpreting import interpret
from soak.recordings.recording import Recording, RecordingFormat, UnreadableError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from soak.recordings.asked import Asked

KEYS = ("Name", "Container", "name", "pod", "container", "pid", "hostname")
"""Fields that tell series apart where they differ, the first that does."""


@dataclass(frozen=True)
class JsonLines(RecordingFormat):
    """JSON objects one after the other, or an array of them."""

    name: ClassVar[str] = "json-lines"
    label: ClassVar[str] = "lines of JSON"
    example: ClassVar[str] = """\
{"Name": "asr", "CPUPerc": "12.00%", "MemUsage": "300.0MiB / 15.5GiB", "MemPerc": "1.89%"}
{"Name": "asr", "CPUPerc": "11.00%", "MemUsage": "300.4MiB / 15.5GiB", "MemPerc": "1.89%"}
{"Name": "asr", "CPUPerc": "14.00%", "MemUsage": "300.9MiB / 15.5GiB", "MemPerc": "1.89%"}
"""

    def recognise(self, head: str) -> float | None:
        """See an object in the first line, or an array of objects."""
        first = head.lstrip().partition("\n")[0].strip()
        if head.lstrip().startswith("[") and "{" in head[:200] and '"' in head[:200]:
            return 0.8
        try:
            return 0.9 if isinstance(json.loads(first), dict) and head.lstrip().startswith("{") else None
        except ValueError:
            return None

    def read(self, text: str, asked: Asked) -> Recording:
        """Read every object as a row; nested fields by names joined with a point."""
        objects = [dict(_flat(each)) for each in _objects(text)]
        if not objects:
            raise UnreadableError("it holds no JSON object")
        header = tuple(dict.fromkeys(name for each in objects for name in each))
        rows = tuple(tuple(each.get(name, "") for name in header) for each in objects)
        keys = [name for name in KEYS if name in header and len({each.get(name) for each in objects}) > 1]
        return interpret(Table(header, rows, keys=tuple(keys[:1])), asked)


def _objects(text: str) -> list[dict[str, Any]]:
    if text.lstrip().startswith("["):
        try:
            return [each for each in json.loads(text) if isinstance(each, dict)]
        except ValueError as error:
            raise UnreadableError(f"its JSON is broken: {error}") from None
    found = []
    for line in text.splitlines():
        try:
            each = json.loads(line) if line.strip() else None
        except ValueError:
            continue  # a line of another program, or one that was cut off
        if isinstance(each, dict):
            found.append(each)
    return found


def _flat(value: dict[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    for name, each in value.items():
        if isinstance(each, dict):
            yield from _flat(each, f"{before}{name}.")
        elif each is not None and not isinstance(each, list):
            yield f"{before}{name}", str(each)
