"""Reading a run directory, or any CSV of memory samples, whole or torn."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from soak.columns import COLUMNS
from soak.errors import SoakError
from soak.record.manifest import JUDGE_ALONE, Manifest, read_manifest
from soak.record.samples import read_samples

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    import pandas as pd


@dataclass(frozen=True)
class Run:
    """One recorded run, as far as it got."""

    path: Path
    """The run directory, or the CSV when there is nothing else."""
    manifest: Manifest
    """`manifest.json`; one in which nothing is known where there is none."""
    samples: pd.DataFrame
    """One row per sample; numbers as float64 with NaN for an empty cell, `phase` as a categorical."""
    events: list[dict[str, Any]]
    """`events.jsonl`, in order."""
    torn: bool
    """Whether a last line was cut off in the middle (a kill, a full disk) and left out."""

    @property
    def name(self) -> str:
        """The configuration's name, or the file's where there is none."""
        return self.manifest.name or self.path.stem

    def last_event(self, event: str) -> dict[str, Any] | None:
        """Return the newest event of that name, or None."""
        return next((entry for entry in reversed(self.events) if entry.get("event") == event), None)


def read_run(path: Path, columns: Collection[str] | None = None) -> Run:
    """Read the run directory, or the single CSV (gzipped or not, a file or a pipe), at `path`.

    Only the `columns` asked for are read; by default all that are known, foreign ones of the manifest
    included. Raises `SoakError` with one line when it is missing, unreadable,
    of a newer schema or lacks a column.
    """
    if path.exists() and not path.is_dir():
        samples, torn = read_samples(path, COLUMNS if columns is None else columns)
        return Run(path, Manifest(), samples, [], torn)
    if not path.is_dir():
        raise SoakError(f"{path} does not exist: give a run directory or a CSV with t_s and rss_bytes")
    samples_path = path / "samples.csv"
    if not samples_path.is_file():
        raise SoakError(f"{path} holds no samples.csv: give a run directory of soak, or a CSV")
    manifest = _read_manifest(path / "manifest.json")
    foreign = [each.name for each in manifest.columns]
    samples, samples_torn = read_samples(samples_path, [*COLUMNS, *foreign] if columns is None else columns)
    events, events_torn = _read_events(path / "events.jsonl")
    return Run(path, manifest, samples, events, samples_torn or events_torn)


def _read_manifest(path: Path) -> Manifest:
    if not path.is_file():
        return Manifest()
    try:
        return read_manifest(path.read_bytes(), path)
    except OSError as error:
        raise SoakError(f"cannot read {path}: {error}; {JUDGE_ALONE}") from error


def _read_events(path: Path) -> tuple[list[dict[str, Any]], bool]:
    events: list[dict[str, Any]] = []
    torn = False
    if not path.is_file():
        return events, torn
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            torn = True
            continue
        if isinstance(entry, dict):
            events.append(entry)
    return events, torn
