"""Runs of one thing over time, read from their directories."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from soak.errors import SoakError
from soak.judging import judge_run
from soak.record import read_run
from soak.studies.compare.identity import identity_of, versions_of
from soak.studies.compare.run_figures import RunFigures

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from soak.record import Run


@dataclass(frozen=True)
class Entry:
    """One run in a history."""

    started_utc: str
    """As in its manifest; ISO 8601, so it sorts."""
    figures: RunFigures
    versions: dict[str, str]


@dataclass(frozen=True)
class RunHistory:
    """Runs of one thing, oldest first."""

    name: str
    """The configuration's."""
    identity: dict[str, str]
    entries: tuple[Entry, ...]

    def values(self, figure: str) -> list[float]:
        """Return that figure of every run, NaN where it is not known."""
        return [float(getattr(entry.figures, figure)) for entry in self.entries]

    def changed_versions(self, index: int) -> list[str]:
        """Say which versions are others in the run at `index` than in the one before."""
        old, new = self.entries[index - 1].versions, self.entries[index].versions
        return [
            f"{name} {old.get(name, 'absent')} → {new.get(name, 'absent')}"
            for name in sorted(old.keys() | new.keys())
            if old.get(name) != new.get(name)
        ]


def run_directories(folder: Path) -> list[Path]:
    """Return the run directories under `folder`, at any depth; raises `SoakError` when there are none."""
    found = sorted(path.parent for path in folder.rglob("samples.csv"))
    if not found:
        raise SoakError(f"{folder} holds no run directories: give the folder that --out of your runs names")
    return found


def read_histories(folders: Iterable[Path]) -> tuple[list[RunHistory], list[str]]:
    """Judge the runs in `folders` and sort them into histories, the longest first.

    Also returns a line for each that cannot be used: no manifest, or samples that cannot be judged.
    """
    entries: dict[tuple[str, ...], list[Entry]] = {}
    named: dict[tuple[str, ...], tuple[str, dict[str, str]]] = {}
    left_out = []
    for folder in folders:
        try:
            run, entry = _read(folder)
        except SoakError as error:
            left_out.append(str(error))
            continue
        identity = identity_of(run)
        key = (run.name, *(f"{name}={identity[name]}" for name in sorted(identity)))
        entries.setdefault(key, []).append(entry)
        named[key] = (run.name, identity)
    histories = [
        RunHistory(*named[key], tuple(sorted(each, key=lambda entry: entry.started_utc)))
        for key, each in entries.items()
    ]
    return sorted(histories, key=lambda history: (-len(history.entries), history.name)), left_out


def _read(folder: Path) -> tuple[Run, Entry]:
    run = read_run(folder)
    started = run.manifest.started_utc
    if not started:
        raise SoakError(f"{folder} has no manifest.json: when it ran and what is not known")
    return run, Entry(started, RunFigures.of(run, judge_run(run).verdict), versions_of(run))
