"""Reading a run directory, or any CSV of memory samples, whole or torn."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from soak.errors import SoakError
from soak.record.columns import TEXT_COLUMNS
from soak.record.directory import SCHEMA_VERSION

if TYPE_CHECKING:
    from pathlib import Path

REQUIRED_COLUMNS = ("t_s", "rss_bytes")


@dataclass(frozen=True)
class Run:
    """One recorded run, as far as it got."""

    path: Path
    """The run directory, or the CSV when there is nothing else."""
    manifest: dict[str, Any]
    """`manifest.json`, or empty."""
    samples: pd.DataFrame
    """One row per sample; numbers as float64 with NaN for an empty cell, `phase` as text."""
    events: list[dict[str, Any]]
    """`events.jsonl`, in order."""
    torn: bool
    """Whether a last line was cut off in the middle (a kill, a full disk) and left out."""

    @property
    def name(self) -> str:
        """The configuration's name, or the file's where there is none."""
        return str(self.manifest.get("name") or self.path.stem)

    def last_event(self, event: str) -> dict[str, Any] | None:
        """Return the newest event of that name, or None."""
        return next((entry for entry in reversed(self.events) if entry.get("event") == event), None)


def read_run(path: Path) -> Run:
    """Read the run directory, or the single CSV, at `path`.

    Raises `SoakError` with one line when it is missing, unreadable, of a newer schema or lacks a column.
    """
    if path.is_file():
        samples, torn = read_samples(path)
        return Run(path, {}, samples, [], torn)
    if not path.is_dir():
        raise SoakError(f"{path} does not exist: give a run directory or a CSV with t_s and rss_bytes")
    samples_path = path / "samples.csv"
    if not samples_path.is_file():
        raise SoakError(f"{path} holds no samples.csv: give a run directory of soak, or a CSV")
    manifest = _read_manifest(path / "manifest.json")
    samples, samples_torn = read_samples(samples_path)
    events, events_torn = _read_events(path / "events.jsonl")
    return Run(path, manifest, samples, events, samples_torn or events_torn)


def read_samples(path: Path) -> tuple[pd.DataFrame, bool]:
    """Read a CSV of samples; return it with whether its last line was cut off.

    Cells that are no number (but for `phase`) are named in a `SoakError`, with their line.
    """
    text, torn = _whole_lines(path)
    try:
        frame = pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False, skipinitialspace=True)
    except pd.errors.EmptyDataError:
        raise SoakError(f"{path} is empty: a header with t_s,rss_bytes and rows are needed") from None
    except pd.errors.ParserError as error:
        raise SoakError(f"{path} is not a readable CSV: {' '.join(str(error).split())}") from error
    missing = [column for column in REQUIRED_COLUMNS if column not in frame.columns]
    if missing:
        found = ", ".join(frame.columns[:6])
        raise SoakError(f"{path} has no column {' and '.join(missing)} (found: {found})")
    return frame.apply(_numeric, path=path), torn


def _numeric(column: pd.Series[str], *, path: Path) -> pd.Series[Any]:
    if column.name in TEXT_COLUMNS:
        return column
    numbers = pd.to_numeric(column, errors="coerce").astype("float64")
    wrong = numbers.isna() & ~column.str.strip().str.lower().isin(("", "nan", "na", "null", "none"))
    if wrong.any():
        row = int(wrong.to_numpy().argmax())
        raise SoakError(f"{path}, line {row + 2}: {column.name} is {column.iloc[row]!r}, not a number")
    return numbers


def _whole_lines(path: Path) -> tuple[str, bool]:
    """Return the text of `path` up to its last line end, and whether something followed that."""
    try:
        text = path.read_text(encoding="utf-8-sig", errors="replace")
    except OSError as error:
        raise SoakError(f"cannot read {path}: {error.strerror}") from error
    whole, _, rest = text.rpartition("\n")
    # a file of one's own may lack the last line end: only a row with too few cells is a torn one
    header = text.partition("\n")[0]
    if rest and rest.count(",") == header.count(","):
        return text, False
    return whole + "\n", bool(rest.strip())


def _read_manifest(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SoakError(f"cannot read {path}: {error}; remove it to judge the samples alone") from error
    if not isinstance(manifest, dict):
        raise SoakError(f"{path} is not a JSON object; remove it to judge the samples alone")
    version = manifest.get("schema_version")
    if not isinstance(version, int) or version > SCHEMA_VERSION:
        raise SoakError(
            f"{path} has schema_version {version!r}; this soak reads up to {SCHEMA_VERSION}: upgrade soak"
        )
    return manifest


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
