from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING

from rich.console import Console

from soak.report.comparison_files import write_comparison
from soak.report.comparison_html import render_comparison_html
from soak.report.comparison_table import comparison_table
from soak.report.model.comparison import comparison, comparison_sentence

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from soak.report.model import ReportModel

    Told = Callable[[str], ReportModel]


def printed(models: Sequence[ReportModel]) -> str:
    stream = io.StringIO()
    Console(file=stream, width=80).print(comparison_table(comparison(models)))
    return stream.getvalue()


def test_known_configurations_stand_beside_the_published_figures(
    three_configurations: list[ReportModel],
) -> None:
    text = printed(three_configurations)
    for words in ("1.5 → 1.7 GB", "1.5 → 2.1 GB", "1.5 → 2.5 GB", "894 MiB → 1,034 MiB", "✓ plateau"):
        assert words in text
    assert "original FunASR server" in text
    assert max(map(len, text.splitlines())) <= 80


def test_error_rates_stand_beside_memory(
    three_configurations: list[ReportModel], model: Told, tmp_path: Path
) -> None:
    assert printed(three_configurations).count("CER 2.1 %, 0 changed") == 3
    page = render_comparison_html(comparison([*three_configurations, model("corrupted")]), tmp_path)
    assert page.count("<span>2.1 %<small>0 changed</small></span>") == 3
    assert "<span>3.43 %<small>22 changed</small></span>" in page
    assert '<p class="warning"><strong>Note.</strong> corrupted: 22 of 1,220 transcripts changed.</p>' in page
    uncounted = comparison([model("bare_csv"), model("before_transcripts")])
    assert "CER" not in render_comparison_html(uncounted, tmp_path)


def test_the_published_order_is_recognised_and_its_absence_too(
    three_configurations: list[ReportModel],
) -> None:
    compared = comparison(three_configurations)
    assert compared.sentence.endswith("ordered as published: minimal < medium < high.")
    rows = compared.rows
    assert "ordered as published: medium < high" in comparison_sentence((rows[1], rows[2]))
    swapped = (replace(rows[0], name="high", published=rows[2].published), rows[1])
    assert "not ordered as published" in comparison_sentence(swapped)


def test_a_run_without_a_plateau_shows_where_it_ended(
    model: Told, three_configurations: list[ReportModel]
) -> None:
    row = comparison([model("leaking")]).rows[0]
    assert row.level == "276 MiB at the end"
    assert row.growth == "+96.4 MiB"
    assert row.published is None
    assert "Published" not in printed([model("leaking"), model("bare_csv")])
    compared = comparison([three_configurations[0], model("leaking")])
    assert "1 of 2 plateaued, 1 of 2 kept climbing." in compared.sentence


def test_page_and_picture_are_written_and_lead_to_the_reports(
    three_configurations: list[ReportModel], tmp_path: Path
) -> None:
    models = []
    for each in three_configurations:
        path = tmp_path / f"stamp-{each.name} 1"
        path.mkdir()
        (path / "report.html").write_text("")
        models.append(replace(each, path=path))
    html_path, png_path = write_comparison(comparison(models), tmp_path)
    document = html_path.read_text()
    assert 'href="stamp-minimal%201/report.html"' in document
    assert "ordered as published: minimal &lt; medium &lt; high." in document
    assert png_path.stat().st_size > 20_000


def test_runs_that_lack_almost_everything_are_still_compared(model: Told, tmp_path: Path) -> None:
    models = [model(name) for name in ("nothing_read", "short_lived", "bare_csv", "crashed")]
    html_path, png_path = write_comparison(comparison(models), tmp_path)
    assert "inconclusive" in html_path.read_text()
    assert png_path.is_file()
    write_comparison(comparison(models[:1]), tmp_path)
    assert "data-chart" not in html_path.read_text().partition("<script")[0]
