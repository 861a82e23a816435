"""From what a user names (a run, a folder of repeats, a baseline file) to a side of a comparison."""

from __future__ import annotations

from typing import TYPE_CHECKING

from soak.errors import SoakError
from soak.judging import judge_run
from soak.record import read_run
from soak.recordings import read_runs
from soak.studies.compare.baseline import read_baseline
from soak.studies.compare.side import Side

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from soak.record import Run


def read_side(path: Path) -> Side:
    """Read a baseline file, a run directory, a folder of them, or a file of anybody's; raises `SoakError`.

    The series of one file, such as the pods of one deployment, are repeats of one thing.
    """
    if path.is_file() and path.suffix == ".json":
        return read_baseline(path)
    if path.is_dir() and not (path / "samples.csv").exists():
        folders = sorted(each.parent for each in path.glob("*/samples.csv"))
        if not folders:
            raise SoakError(f"{path} holds no runs: give a run directory, a folder of them, or a baseline")
    else:
        folders = [path]
    if path.is_file():
        return _side_of_runs(read_runs(path), name=path.stem)
    return side_of(folders, name=path.resolve().name)


def side_of(folders: Sequence[Path], name: str) -> Side:
    """Judge the runs in `folders` and take them as repeats of one thing; raises `SoakError`."""
    runs = []
    for folder in folders:
        run = read_run(folder)
        if not run.manifest.is_recorded:
            raise SoakError(f"{folder} has no manifest.json: what ran there is not known, so not comparable")
        runs.append(run)
    return _side_of_runs(runs, name)


def _side_of_runs(runs: Sequence[Run], name: str) -> Side:
    sides = [Side.of_run(run, judge_run(run).verdict) for run in runs]
    whole = sides[0]
    for side in sides[1:]:
        whole = whole.merged(side)
    return whole.named(name)
