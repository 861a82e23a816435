"""Runs of one thing over time, and where a figure of theirs stepped."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from soak.analyse.steps import Step, find_steps
from soak.errors import SoakError
from soak.json_values import without_nan
from soak.judgement import judge_run
from soak.record import read_run
from soak.studies.check.comparing import FIGURES, short_name
from soak.studies.check.side import RunFigures, identity_of, versions_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
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
class History:
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


def read_histories(folders: Iterable[Path]) -> tuple[list[History], list[str]]:
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
        History(*named[key], tuple(sorted(each, key=lambda entry: entry.started_utc)))
        for key, each in entries.items()
    ]
    return sorted(histories, key=lambda history: (-len(history.entries), history.name)), left_out


def _read(folder: Path) -> tuple[Run, Entry]:
    run = read_run(folder)
    started = run.manifest.get("started_utc")
    if not started:
        raise SoakError(f"{folder} has no manifest.json: when it ran and what is not known")
    return run, Entry(str(started), RunFigures.of(run, judge_run(run).verdict), versions_of(run))


def steps_of(history: History, figure: str, tolerance: float) -> list[Step]:
    """Return the steps of `figure`; `tolerance` is a share of its median. Runs without it are passed over."""
    known = [(place, value) for place, value in enumerate(history.values(figure)) if math.isfinite(value)]
    if not known:
        return []
    # of growth, too, what counts is its size beside the whole
    levels = [value for value in history.values("level_bytes") if math.isfinite(value)]
    values = [value for _, value in known]
    scale = float(np.median(levels if FIGURES[figure].is_memory and levels else values))
    steps = find_steps(
        values, expected_spread=FIGURES[figure].spread * abs(scale), tolerance=tolerance * abs(scale)
    )
    return [replace(step, index=known[step.index][0]) for step in steps]


def figure_named(name: str) -> str:
    """Return the field of `RunFigures` that `--figure NAME` means; raises `SoakError` for another name."""
    names = {short_name(field): field for field in FIGURES}
    if name not in names:
        raise SoakError(f"--figure {name}: there are {', '.join(names)}")
    return names[name]


def to_json_object(history: History, figure: str, steps: Sequence[Step]) -> dict[str, Any]:
    """Return a history as JSON-ready data."""
    return {
        "name": history.name,
        "identity": history.identity,
        "figure": figure,
        "runs": [
            {
                "run": entry.figures.run,
                "started_utc": entry.started_utc,
                "verdict": entry.figures.verdict,
                "value": without_nan(value),
            }
            for entry, value in zip(history.entries, history.values(figure), strict=True)
        ],
        "steps": [
            {
                "run": history.entries[step.index].figures.run,
                "before": step.before,
                "after": step.after,
                "difference": step.difference.estimate,
                "low": step.difference.low,
                "high": step.difference.high,
                "changed_versions": history.changed_versions(step.index),
            }
            for step in steps
        ],
    }
