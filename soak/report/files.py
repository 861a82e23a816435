"""The files of a report in the run directory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from soak.report.file_names import HTML_NAME, PNG_NAME
from soak.report.html import write_html
from soak.report.png import write_png

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from soak.report.model import ReportModel


WRITERS: Mapping[str, Callable[[ReportModel, Path], None]] = {HTML_NAME: write_html, PNG_NAME: write_png}
"""What is written of every run, by the file's name: a new form is a module of its own and a line here."""


def write_reports(model: ReportModel, directory: Path | None = None) -> tuple[Path, ...]:
    """Write every form of the report, `report.html` first, and return the files' paths.

    They go to `directory`, by default the run's own (beside the CSV where the run is a single file). Raises
    `SoakError` when they cannot be written.
    """
    if directory is None:
        directory = model.path.parent if model.path.is_file() else model.path
    for name, write in WRITERS.items():
        write(model, directory / name)
    return tuple(directory / name for name in WRITERS)
