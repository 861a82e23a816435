"""`report.html`: one file that works offline, from the verdict in words down to how to reproduce it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import jinja2
from plotly.offline import get_plotlyjs

from soak import __version__
from soak.report.markdown import render_markdown
from soak.report.model.rows import Row, Section
from soak.report.palette import DARK, LIGHT
from soak.report.plotly_charts import drawn
from soak.report.plotly_memory import memory_chart

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from soak.report.model import ReportModel
    from soak.report.model.setup import Setup
    from soak.report.plotly_charts import Drawn


@dataclass(frozen=True)
class Page:
    """Everything the templates share."""

    title: str
    colours_json: str
    """For each light colour the dark one, as a JSON object."""
    plotly_js: str
    soak_version: str


def write_html(model: ReportModel, path: Path) -> None:
    """Write the report of one run; OSError when `path` cannot be written."""
    path.write_text(render_html(model), encoding="utf-8")


def render_html(model: ReportModel) -> str:
    """Return the report of one run as one HTML document without any reference to another file.

    Sections of what the run did not record are left out.
    """
    memory = None if model.memory is None else memory_chart(model.memory, model.axis)
    parts = (model.climbing, model.attribution_charts, model.small_charts, model.resource_charts)
    climbing, where, small, resources = (drawn(charts, model.axis) for charts in parts)
    every = [*([] if memory is None else [memory]), *climbing, *where, *small, *resources]
    return template("report.html.j2").render(
        page=page(f"{model.headline.headline} – {model.name}"),
        model=model,
        memory=memory,
        climbing=climbing,
        where=where,
        small=small,
        resources=resources,
        charts_json=charts_json(every),
        setup=_cards(model.setup),
        markdown=render_markdown(model),
    )


def template(name: str) -> jinja2.Template:
    """Return a template of this package, with everything put into it escaped."""
    return _environment().get_template(name)


@lru_cache(maxsize=1)
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("soak.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def page(title: str) -> Page:
    """Return what every page needs: its title, the colours of both schemes, the plotly library."""
    colours = {LIGHT[name]: DARK[name] for name in LIGHT}
    return Page(title, script_safe(colours), get_plotlyjs(), __version__)


def charts_json(charts: Iterable[Drawn]) -> str:
    """Return the figures by key as JSON that can stand inside a script element."""
    return script_safe({chart.key: json.loads(chart.figure.to_json()) for chart in charts})


def script_safe(content: dict[str, Any]) -> str:
    """Return JSON in which nothing can end the script element around it."""
    text = json.dumps(content, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


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
