"""What every page shares: templates, colours, the library that draws, charts as JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import jinja2
from plotly.offline import get_plotlyjs

from soak import __version__
from soak.foreign_text import for_html
from soak.report.palette import DARK, LIGHT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from soak.report.plotly_charts import Drawn


@dataclass(frozen=True)
class Page:
    """Everything the templates share."""

    title: str
    colours_json: str
    """For each light colour the dark one, as a JSON object."""
    plotly_js: str
    soak_version: str


def template(name: str) -> jinja2.Template:
    """Return a template of this package, with everything put into it escaped."""
    return _environment().get_template(name)


@lru_cache(maxsize=1)
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("soak.report"),
        autoescape=True,
        finalize=_visible,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _visible(value: object) -> object:
    """What steers a reader's screen is shown; the markup of texts is escaped afterwards."""
    return for_html(value) if type(value) is str else value


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
