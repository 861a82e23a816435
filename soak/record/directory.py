"""Writing the run directory: append-only, one write a line, so that a kill loses at most that line.

It is the one place where a record is written, and so where its secrets are taken out; folder and files are
for their owner alone.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

from soak.columns import COLUMNS, refuse_clashes
from soak.errors import SoakError
from soak.json_values import without_nan
from soak.private_file import FOLDER_MODE, explained, make_folder, open_to_append, replacing
from soak.record.manifest import SCHEMA_VERSION
from soak.redaction import Redaction

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from types import TracebackType

    from soak.columns import Column
    from soak.record.events import Event
    from soak.record.manifest import Manifest

Cell = float | int | str | None


def _cell(value: Cell) -> str:
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return ""
    if isinstance(value, float):
        return f"{value:.6f}".rstrip("0").rstrip(".")
    return str(value)


class RunDirectory:
    """A run directory being written.

    `samples.csv` and `events.jsonl` are opened for appending without a buffer: each line reaches the
    kernel in one `write`, where a kill of this process can no longer take it back.
    """

    def __init__(
        self, path: Path, *, started_monotonic_s: float, foreign_columns: tuple[Column, ...] = ()
    ) -> None:
        """Open the streams in the existing, empty folder `path`.

        `foreign_columns` are those of other people's memory sources. Raises ValueError where one has the name
        of another column.
        """
        refuse_clashes(foreign_columns)
        self._foreign_columns = foreign_columns
        self._columns = (*COLUMNS, *(each.name for each in foreign_columns))
        self.path = path
        self.started_monotonic_s = started_monotonic_s
        self.started_utc = datetime.now(UTC).isoformat(timespec="milliseconds")
        self._redaction = Redaction()
        with explained(path):
            self._samples_fd = open_to_append(path / "samples.csv")
            self._events_fd = open_to_append(path / "events.jsonl")
        self._append(self._samples_fd, ",".join(self._columns), "samples.csv")

    @classmethod
    def create(cls, parent: Path, name: str, foreign_columns: tuple[Column, ...] = ()) -> RunDirectory:
        """Make `<parent>/<UTC time>-<name>`, with a number appended when that is taken.

        Raises `SoakError` when the folder cannot be made, ValueError as `RunDirectory` does.
        """
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        with explained(parent):
            make_folder(parent, exist_ok=True)
            for attempt in range(1, 1000):
                path = parent / (f"{stamp}-{name}" if attempt == 1 else f"{stamp}-{name}-{attempt}")
                with contextlib.suppress(FileExistsError):
                    path.mkdir(mode=FOLDER_MODE)
                    return cls(path, started_monotonic_s=time.monotonic(), foreign_columns=foreign_columns)
        raise SoakError(f"{parent} holds 999 runs of this second: choose another --out")

    def elapsed_s(self) -> float:
        """Return the seconds since the run began, on the monotonic clock."""
        return time.monotonic() - self.started_monotonic_s

    def append_sample(self, row: Mapping[str, Cell]) -> None:
        """Append one row; columns that `row` lacks, None and NaN become empty cells."""
        cells = (_cell(row.get(column)) for column in self._columns)
        self._append(self._samples_fd, ",".join(cells), "samples.csv")

    def append_event(self, event: Event, *, at_monotonic_s: float | None = None) -> None:
        """Append one event, stamped with the monotonic second of the run and with UTC."""
        age_s = 0.0 if at_monotonic_s is None else time.monotonic() - at_monotonic_s
        line = {
            "t_s": round(self.elapsed_s() - age_s, 3),
            "utc": datetime.fromtimestamp(time.time() - age_s, UTC).isoformat(timespec="milliseconds"),
            "event": event.name,
            **self._redaction.of(without_nan(event.details())),
        }
        self._append(self._events_fd, json.dumps(line, ensure_ascii=False), "events.jsonl")

    def write_manifest(self, manifest: Manifest) -> None:
        """Write `manifest.json` as a whole; it replaces the one before in one step."""
        described = {"schema_version": SCHEMA_VERSION, **manifest.to_json_object()}
        if self._foreign_columns:
            described["columns"] = [each.to_json_object() for each in self._foreign_columns]
        self.write_json("manifest.json", described)

    def write_json(self, name: str, content: Mapping[str, Any]) -> None:
        """Write a JSON file so that a reader sees the old one or the new one, never half of it."""
        write_json(self.path / name, content, self._redaction)

    def close(self) -> None:
        """Close the streams; further appending is an error."""
        for descriptor in (self._samples_fd, self._events_fd):
            os.close(descriptor)

    def __enter__(self) -> Self:
        """Return self; the streams close at the end of the block."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the streams."""
        self.close()

    def _append(self, descriptor: int, line: str, name: str) -> None:
        with explained(self.path / name):
            data = (line + "\n").encode("utf-8", "replace")
            while data:
                data = data[os.write(descriptor, data) :]


def write_json(path: Path, content: Mapping[str, Any], redaction: Redaction | None = None) -> None:
    """Replace `path` by `content` as JSON without its secrets, in one step.

    `redaction` knows the secrets of a run; without it they are told by their form. Raises `SoakError` when it
    cannot be written.
    """
    told = (redaction or Redaction()).of(content)
    text = json.dumps(told, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    with replacing(path) as stream:
        stream.write(text.encode("utf-8", "replace"))
