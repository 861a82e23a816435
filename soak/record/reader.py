"""Reading a run directory, or any CSV of memory samples, whole or torn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from soak.columns import COLUMNS
from soak.errors import SoakError
from soak.record.events import Event, read_event
from soak.record.manifest import JUDGE_ALONE, Manifest, read_manifest
from soak.record.recorded import parse
from soak.record.samples import read_samples

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    import pandas as pd

    from soak.record.origin import Origin

AnyEvent = TypeVar("AnyEvent", bound=Event)


@dataclass(frozen=True)
class Run:
    """One recorded run, as far as it got."""

    path: Path
    """The run directory, or the CSV when there is nothing else."""
    manifest: Manifest
    """`manifest.json`; one in which nothing is known where there is none."""
    samples: pd.DataFrame
    """One row per sample; numbers as float64 with NaN for an empty cell, `phase` as a categorical."""
    events: Sequence[Event]
    """`events.jsonl`, in order."""
    torn: bool
    """Whether a last line was cut off in the middle (a kill, a full disk) and left out."""
    faults: tuple[str, ...] = ()
    """What of `events.jsonl` could not be used and was passed over, a line for each."""
    origin: Origin | None = None
    """How it was read where it is no recording of soak's."""

    @property
    def name(self) -> str:
        """The configuration's name, or the file's where there is none."""
        series = "" if self.origin is None else self.origin.series
        return self.manifest.name or " ".join(part for part in (self.path.stem, series) if part)

    def last_event(self, kind: type[AnyEvent]) -> AnyEvent | None:
        """Return the newest event of that kind, or None."""
        return next((each for each in reversed(self.events) if isinstance(each, kind)), None)

    def events_of(self, kind: type[AnyEvent]) -> list[AnyEvent]:
        """Return the events of that kind, in order."""
        return [each for each in self.events if isinstance(each, kind)]


def read_run(path: Path, columns: Collection[str] | None = None) -> Run:
    """Read the run directory, or the single CSV (gzipped or not, a file or a pipe), at `path`.

    Only the `columns` asked for are read; by default all that are known, foreign ones of the manifest
    included. Raises `SoakError` with one line when it is missing, unreadable,
    of a newer schema or lacks a column.
    """
    if path.exists() and not path.is_dir():
        samples, torn = read_samples(path, COLUMNS if columns is None else columns)
        return Run(path, Manifest(), samples, (), torn)
    if not path.is_dir():
        raise SoakError(f"{path} does not exist: give a run directory or a CSV with t_s and rss_bytes")
    samples_path = path / "samples.csv"
    if not samples_path.is_file():
        raise SoakError(f"{path} holds no samples.csv: give a run directory of soak, or a CSV")
    manifest = _read_manifest(path / "manifest.json")
    foreign = [each.name for each in manifest.columns]
    samples, samples_torn = read_samples(samples_path, [*COLUMNS, *foreign] if columns is None else columns)
    events, events_torn, faults = read_events(path / "events.jsonl")
    return Run(path, manifest, samples, events, samples_torn or events_torn, faults)


def _read_manifest(path: Path) -> Manifest:
    if not path.is_file():
        return Manifest()
    try:
        return read_manifest(path.read_bytes(), path)
    except OSError as error:
        raise SoakError(f"cannot read {path}: {error}; {JUDGE_ALONE}") from error


def read_events(path: Path) -> tuple[tuple[Event, ...], bool, tuple[str, ...]]:
    """Return the events that can be used, whether the last line was cut off, and what was passed over.

    `path` is an `events.jsonl`, which may still be written. Raises `SoakError` when it cannot be read.
    """
    if not path.is_file():
        return (), False, ()
    try:
        # not splitlines: a transcript may hold what that takes for the end of a line
        lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
    except OSError as error:
        raise SoakError(f"cannot read {path}: {error}; remove it to judge the samples alone") from error
    events: list[Event] = []
    faults: list[str] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            recorded = parse(line)
        except ValueError as error:
            if number == len(lines):  # without its line end
                return tuple(events), True, tuple(faults)
            faults.append(f"line {number}: {error}")
            continue
        event, fault = read_event(recorded) if isinstance(recorded, dict) else (None, "it is no JSON object")
        if event is not None:
            events.append(event)
        if fault is not None:
            faults.append(f"line {number}: {fault}")
    return tuple(events), False, tuple(faults)
