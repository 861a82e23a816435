"""`report.html`: one file that works offline, from the verdict in words down to how to reproduce it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import jinja2
from plotly.offline import get_plotlyjs

from soak import __version__
from soak.quantity import format_duration
from soak.report import facts, wording
from soak.report.attribution_charts import attribution_charts
from soak.report.attribution_facts import attribution_table
from soak.report.charts import breakdown, climbing_charts, failures, heap, latency, resource_charts
from soak.report.evidence import duration_s
from soak.report.markdown import render_markdown
from soak.report.memory_chart import memory_chart
from soak.report.palette import DARK, LIGHT
from soak.report.resource_table import resource_table
from soak.report.transcript_chart import error_rate_chart
from soak.report.transcript_table import transcript_table

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from soak.record import Run
    from soak.report.charts import Chart
    from soak.verdict.verdict import Verdict


@dataclass(frozen=True)
class Page:
    """Everything the templates share."""

    title: str
    colours_json: str
    """For each light colour the dark one, as a JSON object."""
    plotly_js: str
    soak_version: str


def write_html(run: Run, verdict: Verdict, path: Path) -> None:
    """Write the report of one run; OSError when `path` cannot be written."""
    path.write_text(render_html(run, verdict), encoding="utf-8")


def render_html(run: Run, verdict: Verdict) -> str:
    """Return the report of one run as one HTML document without any reference to another file.

    Sections whose columns the run lacks are left out.
    """
    banner = wording.banner(run, verdict)
    memory = memory_chart(run, verdict)
    where = attribution_charts(run, verdict.attribution)
    small, resources, climbing = (
        _small_charts(run),
        resource_charts(run, verdict),
        climbing_charts(run, verdict),
    )
    return template("report.html.j2").render(
        page=page(f"{banner.headline} – {run.name}"),
        run=run,
        verdict=verdict,
        banner=banner,
        sentence=wording.sentence(verdict),
        settling=wording.settling_sentence(verdict),
        reasons=wording.further_reasons(verdict),
        warnings=wording.warnings(run, verdict),
        figures=wording.key_figures(run, verdict),
        subtitle=_subtitle(run),
        memory=memory,
        small=small,
        where=where,
        attribution=attribution_table(verdict.attribution),
        climbing=climbing,
        resources=resources,
        resource_table=resource_table(verdict),
        charts_json=charts_json([*([memory] if memory else []), *climbing, *where, *small, *resources]),
        judged=facts.judged_numbers(verdict),
        courses=facts.courses(run, verdict),
        latency=facts.latency(run),
        failures=facts.failures(run),
        transcripts=transcript_table(run),
        limits=facts.limit_lines(verdict),
        capacity=facts.capacity(verdict),
        notes=verdict.advice["notes"],
        configuration=facts.configuration(run),
        setup=_setup(run),
        harness=facts.harness(run),
        log_tail=wording.log_tail(run),
        command=facts.command_line(run),
        markdown=render_markdown(run, verdict),
    )


def _small_charts(run: Run) -> list[Chart]:
    """Return the charts below the main one, those whose columns were filled only."""
    made = (breakdown(run), heap(run), latency(run), error_rate_chart(run), failures(run))
    return [chart for chart in made if chart is not None]


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


def charts_json(charts: Iterable[Chart]) -> str:
    """Return the figures by key as JSON that can stand inside a script element."""
    return script_safe({chart.key: json.loads(chart.figure.to_json()) for chart in charts})


def script_safe(content: dict[str, Any]) -> str:
    """Return JSON in which nothing can end the script element around it."""
    text = json.dumps(content, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _subtitle(run: Run) -> str:
    """Say in a line what was run, when, for how long and on what."""
    parts = [run.name]
    summary = facts.server_summary(run)
    if summary:
        parts.append(summary)
    started = run.manifest.get("started_utc")
    if started:
        parts.append(str(started).replace("T", " ")[:16] + " UTC")
    parts.append(format_duration(duration_s(run)))
    return " · ".join(parts)


def _setup(run: Run) -> tuple[facts.Section, ...]:
    """Return target, host, versions and allocator environment as sections, those known only."""
    environment = facts.allocator_environment(run)
    if environment is not None and not environment:
        environment = (facts.Row("MALLOC_* and the like", "nothing set"),)
    sections = (
        ("Target", facts.target(run)),
        ("Load as calibrated", facts.calibration(run)),
        ("Host", facts.host(run)),
        ("Versions", facts.versions(run)),
        ("Allocator environment", environment or ()),
    )
    return tuple(facts.Section(title, rows) for title, rows in sections if rows)
