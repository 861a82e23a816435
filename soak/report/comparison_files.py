"""The files of a comparison."""

from __future__ import annotations

from typing import TYPE_CHECKING

from soak.private_file import replace_text
from soak.report.comparison_html import render_comparison_html
from soak.report.comparison_png import write_comparison_png

if TYPE_CHECKING:
    from pathlib import Path

    from soak.report.model.comparison import Comparison

COMPARISON_HTML_NAME = "comparison.html"
COMPARISON_PNG_NAME = "comparison.png"


def write_comparison(compared: Comparison, directory: Path) -> tuple[Path, Path]:
    """Write `comparison.html` and `comparison.png` into `directory` and return their paths.

    Raises `SoakError` when they cannot be written. Each row of the page leads to the run's own report.
    """
    html_path, png_path = directory / COMPARISON_HTML_NAME, directory / COMPARISON_PNG_NAME
    replace_text(html_path, render_comparison_html(compared, directory))
    write_comparison_png(compared, png_path)
    return html_path, png_path
