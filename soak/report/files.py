"""The files of a report in the run directory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from soak.report.file_names import HTML_NAME, PNG_NAME
from soak.report.html import write_html
from soak.report.png import write_png

if TYPE_CHECKING:
    from pathlib import Path

    from soak.report.model import ReportModel


def write_reports(model: ReportModel, directory: Path | None = None) -> tuple[Path, Path]:
    """Write `report.html` and `memory.png` and return their paths.

    They go to `directory`, by default the run's own (beside the CSV where the run is a single file). OSError
    when they cannot be written.
    """
    if directory is None:
        directory = model.path.parent if model.path.is_file() else model.path
    html_path, png_path = directory / HTML_NAME, directory / PNG_NAME
    write_html(model, html_path)
    write_png(model, png_path)
    return html_path, png_path
