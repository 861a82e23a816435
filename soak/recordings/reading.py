"""From a file of anybody's to runs that can be judged: one for each series it holds."""

from __future__ import annotations

import gzip
import io
import zlib
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from soak.columns import COLUMNS
from soak.errors import SoakError
from soak.plugins import PluginError
from soak.quantity import STEP_S, counted_in, format_bytes, format_count, format_duration
from soak.record import Run, read_run
from soak.record.manifest import Manifest
from soak.record.origin import Origin
from soak.record.samples import GZIP_MAGIC, REQUIRED_COLUMNS, UTF8_MARK, UTF16_MARKS
from soak.recordings.asked import Asked
from soak.recordings.recording import Axis, Reading, RecordingFormat, UnreadableError
from soak.recordings.registry import FORMATS
from soak.recordings.sanity import doubts

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

MOST_BYTES = 1 << 29
"""Of a file of somebody else's, unpacked; soak's own are read in one pass, whatever their length."""
HEAD_CHARACTERS = 1 << 16
"""What of a file is looked at to recognise it."""
MUCH_LESS_SURE = 0.5
"""Share of the sureness of the surest format up to which another is not tried where that one fails."""
LARGE_FALL = 0.2
"""Share of the level whose loss could be taken for a restart."""
COARSE_SHARE = 0.0005
"""Share of the level from which how finely memory was read is worth a word."""
NOTHING = Asked()


def read_runs(path: Path, asked: Asked = NOTHING, columns: Collection[str] | None = None) -> list[Run]:
    """Read what is at `path`: a run directory, soak's CSV, or a file of any format that is known.

    Returns a run for each series. Of soak's own recordings only the `columns` asked for are read. Raises
    `SoakError`, in one line, for what cannot be read.
    """
    if not path.is_file() or (not asked.is_anything and _is_soaks_own(path)):
        return [_with_doubts(read_run(path, COLUMNS if columns is None and path.is_file() else columns))]
    text = _text(path)
    if not text.strip():
        raise SoakError(f"{path} is empty: a header with t_s,rss_bytes and rows are needed")
    found = recognised(text)
    if not found:
        raise SoakError(
            f"{path} is not known as a recording of memory (known: {', '.join(FORMATS.names())}): give "
            "a CSV with t_s,rss_bytes, or say which column is what with --time, --memory, --unit and --every"
        )
    faults = []
    for form in found:
        try:
            recording = form.read(text, asked)
        except RecursionError:
            faults.append(f"{path}, read as {form.label}: it is nested too deep")
        except UnreadableError as error:
            faults.append(f"{path}, read as {form.label}: {error}")
        else:
            return [
                _run(path, form, reading, several=len(recording.readings) > 1)
                for reading in recording.readings
            ]
    raise SoakError(faults[0])


def read_run_of(path: Path, asked: Asked = NOTHING) -> Run:
    """Read what is at `path` where it holds one series; raises `SoakError` for several, with their names."""
    run, *others = read_runs(path, asked)
    if others:
        named = ", ".join(each.origin.series for each in (run, *others) if each.origin is not None)
        raise SoakError(f"{path} holds {len(others) + 1} series ({named}): say which with --memory")
    return run


def recognised(text: str) -> list[RecordingFormat]:
    """Return the formats that text may be of, the surest first. Raises `SoakError` for a broken package."""
    head = text[:HEAD_CHARACTERS]
    try:
        formats = [FORMATS.make(name, {}) for name in FORMATS.names()]
    except PluginError as error:
        raise SoakError(str(error)) from error
    sure = [(sureness, form) for form in formats if (sureness := _sureness(form, head)) is not None]
    least = MUCH_LESS_SURE * max((sureness for sureness, _ in sure), default=0.0)
    return [form for sureness, form in sorted(sure, key=lambda each: -each[0]) if sureness > least]


def _sureness(form: RecordingFormat, head: str) -> float | None:
    try:
        return form.recognise(head)
    except RecursionError:  # brackets without end are no recording
        return None


def _is_soaks_own(path: Path) -> bool:
    """Whether the first line names the columns that soak's own CSV has, separated by commas."""
    try:
        with path.open("rb") as stream:
            head = stream.read(HEAD_CHARACTERS)
    except OSError:
        return True  # read_run says what is wrong
    if head.startswith(GZIP_MAGIC):
        try:
            head = zlib.decompressobj(wbits=31).decompress(head, HEAD_CHARACTERS)
        except zlib.error:
            return True
    first = head.removeprefix(UTF8_MARK).lstrip(b"\r\n").splitlines()[:1]
    cells = (
        {cell.strip().strip('"') for cell in first[0].decode("utf-8", "replace").split(",")}
        if first
        else set()
    )
    return set(REQUIRED_COLUMNS) <= cells


def _text(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            content = stream.read(MOST_BYTES + 1)
        if content.startswith(GZIP_MAGIC):
            content = gzip.GzipFile(fileobj=io.BytesIO(content)).read(MOST_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise SoakError(f"cannot read {path}: {error}") from error
    if len(content) > MOST_BYTES:
        raise SoakError(f"{path} is longer than {format_bytes(MOST_BYTES)}: give the part that is of memory")
    if content.startswith(UTF16_MARKS):
        return content.decode("utf-16", errors="replace")
    if b"\0" in content[:HEAD_CHARACTERS]:
        raise SoakError(f"{path} is binary, not text")
    return content.removeprefix(UTF8_MARK).decode("utf-8", errors="replace")


def _with_doubts(run: Run) -> Run:
    """Return a run of soak's own, with what looks wrong where it is a bare CSV."""
    if run.manifest.is_recorded or run.path.is_dir():
        return run
    samples = run.samples
    reading = Reading(samples["t_s"].to_numpy(np.float64), samples["rss_bytes"].to_numpy(np.float64))
    return replace(run, origin=Origin("", warnings=warnings)) if (warnings := doubts(reading)) else run


def _run(path: Path, form: RecordingFormat, reading: Reading, *, several: bool) -> Run:
    steps = reading.axis is Axis.STEPS
    columns: dict[str, object] = {
        "t_s": reading.along * (STEP_S if steps else 1.0),
        "rss_bytes": reading.memory_bytes,
    }
    for name in ("open_connections", "connections_completed"):
        values = getattr(reading, name)
        if values is not None:
            columns[name] = values
    origin = Origin(
        read_as=_read_as(form, reading),
        series=reading.name if several else "",
        step=reading.step if steps else None,
        grain_bytes=reading.grain_bytes,
        falls_are_releases=_falls_are_releases(reading),
        warnings=(*reading.notes, *doubts(reading)),
    )
    return Run(path, Manifest(), pd.DataFrame(columns), (), torn=False, origin=origin)


def _read_as(form: RecordingFormat, reading: Reading) -> str:
    """Say how a series was read: ``psrecord's log; memory in MB; 72 readings over 1 min``."""
    known = np.isfinite(reading.memory_bytes)
    along = reading.along[known]
    length = float(along[-1] - along[0]) if along.size else 0.0
    steps = reading.axis is Axis.STEPS
    with counted_in(reading.step if steps else None):
        over = (
            ""
            if steps and reading.step == "reading"
            else f" over {format_duration(length * (STEP_S if steps else 1.0))}"
        )
    said = f"{form.label}; memory in {reading.unit}; {format_count(int(known.sum()))} readings{over}"
    level = float(np.nanmedian(reading.memory_bytes)) if along.size else 0.0
    if level and reading.grain_bytes > COARSE_SHARE * level:
        said += f"; read to {format_bytes(reading.grain_bytes)}"
    return said


def _falls_are_releases(reading: Reading) -> bool:
    """Whether memory only falls much where clients leave."""
    memory, clients = reading.memory_bytes, reading.open_connections
    if clients is None:
        return False
    low = np.flatnonzero(np.diff(memory) < -LARGE_FALL * np.nanmedian(memory)) + 1
    # a fall may come a reading or two after the clients left
    before = [np.nanmax(clients[max(at - 3, 0) : at]) for at in low]
    return bool(low.size) and all(clients[at] < most / 2 for at, most in zip(low, before, strict=True))
