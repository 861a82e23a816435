"""The folder of a study and the file in it from which the study can be gone on with."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from soak.errors import SoakError
from soak.private_file import explained, make_folder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Kept = TypeVar("Kept")


def new_folder(out: Path, study: str) -> Path:
    """Make `<out>/<UTC time>-<study>` and return it; raises `SoakError` when it cannot be made."""
    folder = out / f"{datetime.now(UTC).strftime('%Y%m%dT%H%M%SZ')}-{study}"
    with explained(out):
        make_folder(folder)
    return folder


def read_kept(path: Path, study: str, schema_version: int, read: Callable[[dict[str, Any]], Kept]) -> Kept:
    """Return what `read` makes of the JSON file at `path` that the study kept.

    Raises `SoakError` in one line when there is none, when it is of another version, or when `read` finds it
    to be something else (by `ValueError`, `KeyError` or `TypeError`).
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["schema_version"] != schema_version:
            raise SoakError(
                f"{path} has schema_version {content['schema_version']}; this soak reads {schema_version}"
            )
        return read(content)
    except OSError as error:
        raise SoakError(f"cannot read {path}: {error.strerror}; give the directory of {study}") from None
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise SoakError(f"{path} is not the record of {study}: {error}") from None
