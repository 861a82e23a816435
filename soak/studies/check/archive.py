"""The run directory as one small file, to attach to a job."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

from soak.private_file import replacing
from soak.redaction import Redaction

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LOGS = ".log"
"""What the server and the driver wrote themselves, without passing through the record: it goes to others only
without its secrets."""
LONGEST_LINE_BYTES = 1 << 20


def write_archive(run_directory: Path, path: Path) -> None:
    """Zip the files of `run_directory` into `path`, under its name; raises `SoakError` when it cannot.

    Links are left out: what they lead to is no part of the run.
    """
    redaction = Redaction()
    with (
        replacing(path) as stream,
        zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as zipped,
    ):
        for file in sorted(run_directory.rglob("*")):
            if file.is_symlink() or not file.is_file() or _is_of_the_archive(file, path):
                continue
            name = f"{run_directory.name}/{file.relative_to(run_directory)}"
            if file.suffix == LOGS:
                with zipped.open(zipfile.ZipInfo.from_file(file, name), "w") as member:
                    member.writelines(_without_secrets(file, redaction))
            else:
                zipped.write(file, name)


def _is_of_the_archive(file: Path, archive: Path) -> bool:
    return file.parent.resolve() == archive.parent.resolve() and archive.name in file.name


def _without_secrets(log: Path, redaction: Redaction) -> Iterator[bytes]:
    with log.open("rb") as lines:
        while line := lines.readline(LONGEST_LINE_BYTES):
            yield redaction.text(line.decode("utf-8", "replace")).encode()
