"""The run directory as one small file, to attach to a job."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

from soak.record.directory import explained

if TYPE_CHECKING:
    from pathlib import Path


def write_archive(run_directory: Path, path: Path) -> None:
    """Zip the files of `run_directory` into `path`, under its name; raises `SoakError` when it cannot."""
    with explained(path), zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for file in sorted(run_directory.rglob("*")):
            if file.is_file() and file.resolve() != path.resolve():
                archive.write(file, f"{run_directory.name}/{file.relative_to(run_directory)}")
