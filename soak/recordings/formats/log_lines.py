"""Lines of a log that hold an amount of memory, with a time or without; also records over several lines."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from soak.recordings import names
from soak.recordings.amounts import NUMBER
from soak.recordings.cells import Table
from soak.recordings.clock import STAMP
from soak.recordings.interpreting import interpret
from soak.recordings.recording import Recording, RecordingFormat, UnreadableError

if TYPE_CHECKING:
    from soak.recordings.asked import Asked

TIME, STEP = "time", "n"
UNNAMED = "memory"
_LETTER = r"[a-zA-Z]"
_UNIT = r"(?:[kKmMgGtT]i?[bB]?|bytes|B)"
_AMOUNT = re.compile(
    rf"(?<![\w.:+-])({NUMBER}(?:\s*[-–]\s*{NUMBER}(?=\s*{_UNIT}))?)\s*({_UNIT})?(?!\.?\w|\s?%|:)"
)
_KEY = re.compile(r"([A-Za-z_][\w.-]*)['\"\])]*\s*(?:[:=]|=>|is|was|at)?\s*['\"(\[]*$")
_OFFSET = re.compile(r"\(((?:t\+)?[\d.]+\s*(?:ms|s|sec|min|h|d|hours?|minutes?|seconds?|days?)\b[^)]*)\)")
_COUNT = re.compile(r"^\s*[\w-]*?(\d+)(?=[.:)\]]\D)")
_LIMIT = re.compile(rf"(?<={_LETTER})\s*/\s*{NUMBER}\s*{_UNIT}")
"""What a container may take, behind what it takes: ``300MiB / 1.9GiB``."""
_COUNTED = re.compile(r"\s+([A-Za-z]{2,})")
_SHARE = 0.3
"""Share of the records that must have a field for it to be one."""


@dataclass(frozen=True)
class LogLines(RecordingFormat):
    """Records of a log: each line, or each time with the lines below it that go on."""

    name: ClassVar[str] = "log"
    label: ClassVar[str] = "lines of a log"
    example: ClassVar[str] = """\
[2026/11/26 06:18:49] cpu 0.00%, mem 491496 KB
[2026/11/26 06:18:50] cpu 2.61%, mem 555640 KB
[2026/11/26 06:18:51] cpu 2.37%, mem 565128 KB
"""

    def recognise(self, head: str) -> float | None:
        """See records that hold an amount."""
        fields = [each for record in _records(head) if (each := _fields(record))]
        return 0.3 if len(fields) > 1 else None

    def read(self, text: str, asked: Asked) -> Recording:
        """Read the fields that most records have."""
        records = [each for record in _records(text) if (each := _fields(record))]
        if not records:
            raise UnreadableError("no line holds an amount of memory")
        counts = Counter(name for each in records for name in each)
        header = tuple(name for name, count in counts.items() if count >= _SHARE * len(records))
        wanted = [name for name in header if names.memory_rank(name) is not None and name not in {TIME, STEP}]
        rows = tuple(
            tuple(each.get(name, "") for name in header)
            for each in records
            if not wanted or any(name in each for name in wanted)
        )
        timed = TIME in header
        return interpret(Table(header, rows, time=TIME if timed else None), asked)


def _records(text: str) -> list[str]:
    """Return the lines; those that go on from a line with a time, indented or closing, are joined to it."""
    records: list[str] = []
    for line in text.splitlines():
        goes_on = line[:1] in {" ", "\t", "}", ")", "]"} and not STAMP.search(line)
        only_time = bool(records) and not re.search(r"\w", STAMP.sub("", records[-1]))
        if (goes_on and records) or (only_time and line.strip() and not STAMP.search(line)):
            records[-1] += f"\n{line}"
        elif line.strip():
            records.append(line)
    return records


def _fields(record: str) -> dict[str, str]:
    """Return the time and the amounts of a record by what stands before each; empty without an amount."""
    found: dict[str, str] = {}
    stamp, after = STAMP.search(record), _OFFSET.search(record)
    for time in (stamp, after):
        if time is not None and TIME not in found:
            found[TIME] = time[1] if time is after else time[0]
            record = record.replace(time[0], " , ", 1)
    record = _LIMIT.sub("", record)
    count = _COUNT.match(record)
    if count is not None and TIME not in found:
        found[STEP] = count[1]
    for each in _AMOUNT.finditer(record):
        name = _name(record, each)
        if name in found:  # ``after 10 requests: 812 MB``
            name = UNNAMED
        found.setdefault(name, f"{each[1]} {each[2] or ''}".strip())
    return found if len(found) > (TIME in found) + (STEP in found) else {}


def _name(record: str, amount: re.Match[str]) -> str:
    """Return what an amount is of: the word before it; of a bare count, for want of that, the one behind."""
    before = re.split(r"[,;|\n{]", record[: amount.start()])[-1]
    key, behind = _KEY.search(before), _COUNTED.match(record[amount.end() :])
    if behind is not None and not amount[2] and (key is None or not re.search(r"[:=]\W*$", before)):
        return behind[1]
    return (key[1].strip("._-") if key is not None else "") or UNNAMED
