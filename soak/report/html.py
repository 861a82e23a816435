"""`report.html`: one file that works offline, from the verdict in words down to how to reproduce it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from soak.private_file import replace_text
from soak.report.markdown import render_markdown
from soak.report.model.tables.rows import Row, Section
from soak.report.page import charts_json, page, template
from soak.report.plotly_charts import drawn
from soak.report.plotly_memory import close_chart, memory_chart

if TYPE_CHECKING:
    from pathlib import Path

    from soak.report.model import ReportModel
    from soak.report.model.tables.setup import Setup


def write_html(model: ReportModel, path: Path) -> None:
    """Write the report of one run; raises `SoakError` when `path` cannot be."""
    replace_text(path, render_html(model))


def render_html(model: ReportModel) -> str:
    """Return the report of one run as one HTML document without any reference to another file.

    Sections of what the run did not record are left out.
    """
    memory = None if model.memory is None else memory_chart(model.memory)
    close = None if model.memory is None else close_chart(model.memory)
    parts = (model.climbing, model.attribution_charts, model.small_charts, model.resource_charts)
    climbing, where, small, resources = (drawn(charts, model.axis) for charts in parts)
    every = [*(one for one in (memory, close) if one is not None), *climbing, *where, *small, *resources]
    return template("report.html.j2").render(
        page=page(f"{model.headline.headline} – {model.name}"),
        model=model,
        memory=memory,
        close=close,
        climbing=climbing,
        where=where,
        small=small,
        resources=resources,
        charts_json=charts_json(every),
        setup=_cards(model.setup),
        markdown=render_markdown(model),
    )


def _cards(setup: Setup) -> tuple[Section, ...]:
    """Return target, host, versions and allocator environment as sections, those known only."""
    environment = setup.environment
    if environment is not None and not environment:
        environment = (Row("MALLOC_* and the like", "nothing set"),)
    sections = (
        ("Target", setup.target),
        ("Load as calibrated", setup.calibration),
        ("Host", setup.host),
        ("Versions", setup.versions),
        ("Allocator environment", environment or ()),
    )
    return tuple(Section(title, rows) for title, rows in sections if rows)
