"""What is written of every run, and that another form is one function more."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from soak.report import files

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

    from soak.report.model import ReportModel

    Told = Callable[[str], ReportModel]


def test_reports_land_in_the_run_directory(model: Told, tmp_path: Path) -> None:
    html_path, png_path = files.write_reports(replace(model("short_lived"), path=tmp_path))
    assert (html_path, png_path) == (tmp_path / "report.html", tmp_path / "memory.png")
    assert html_path.stat().st_size > 100_000
    assert png_path.stat().st_size > 10_000


def test_reports_of_a_single_csv_land_beside_it(model: Told, tmp_path: Path) -> None:
    csv = tmp_path / "memory.csv"
    csv.write_text("t_s,rss_bytes\n")
    written = files.write_reports(replace(model("bare_csv"), path=csv))
    assert written[0] == tmp_path / "report.html"


def test_another_form_is_a_function_of_the_model(
    model: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write_toy(told: ReportModel, path: Path) -> None:
        path.write_text(f"{told.headline.sign} {told.name}: {told.figures[0].value}")

    monkeypatch.setattr(files, "WRITERS", {"report.txt": write_toy})
    (path,) = files.write_reports(model("healthy"), tmp_path)
    assert path.read_text() == "✓ medium: 894 MiB"
