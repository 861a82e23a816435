"""An experiment as people read it: a table, Markdown, a picture, a page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from soak.foreign_text import for_markdown
from soak.private_file import replace_text
from soak.quantity import (
    MISSING,
    format_bytes,
    format_count,
    format_interval,
    format_level,
    format_milliseconds,
    is_known,
)
from soak.report.page import charts_json, page, template
from soak.report.picture import save
from soak.report.plain_table import plain_table
from soak.studies.experiment.mitigations import BASELINE
from soak.studies.experiment.picture import picture
from soak.studies.experiment.results import best_of, in_words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from rich.table import Table

    from soak.studies.experiment.mitigations import Mitigation
    from soak.studies.experiment.plan import Plan
    from soak.studies.experiment.results import MitigationRow
    from soak.verdict.verdict import Estimate

MARKDOWN_NAME, PICTURE_NAME, PAGE_NAME = "experiment.md", "experiment.png", "experiment.html"
TITLE = "Which mitigation helps?"
HEADINGS = ("mitigation", "runs", "level", "against baseline", "CPU", "final p50", "p95")
READ = (
    "Level: RSS in the last two quiet windows. Against baseline: difference of the levels of one repeat. "
    "CPU: the server's CPU time per second of audio, as a multiple of the baseline's; final: latency of the "
    "final result, median and 95th percentile over the load. Intervals are 95 % by Student's t over the "
    "repeats; ↓ and ↑ mark differences whose interval leaves no difference out."
)


def mitigation_list(mitigations: Sequence[Mitigation]) -> Table:
    """Return the known mitigations with what they do, those tried by default marked."""
    table = plain_table()
    table.add_column("mitigation", no_wrap=True)
    table.add_column("default", no_wrap=True)
    table.add_column("what it does", overflow="fold")
    for each in mitigations:
        missing = each.missing()
        words = each.words if missing is None else f"{each.words} ({missing})"
        table.add_row(each.name, "yes" if each.is_default else "", Text(words))
    return table


def results_table(rows: Sequence[MitigationRow]) -> Table:
    """Return the results for a terminal of 80 columns."""
    table = plain_table()
    for number, heading in enumerate(("mitigation", "level", "against baseline", "CPU", "final p50")):
        table.add_column(heading, no_wrap=True, justify="left" if number == 0 else "right")
    for row in rows:
        lower, faster = _sign(row.lowers_memory), _sign(row.is_faster)
        table.add_row(
            row.name,
            format_level(row.level_bytes.estimate),
            Text(_two_lines(_difference(row), lower[0]), style=lower[1]),
            Text(_two_lines(_times(row.cpu_ratio), faster[0]), style=faster[1]),
            _two_lines(_times(row.latency_ratio), ""),
        )
    return table


def write_experiment_reports(
    folder: Path, plan: Plan, rows: Sequence[MitigationRow], skipped: Mapping[str, str]
) -> Path:
    """Write `experiment.md`, `.png` and `.html` into `folder`; return the page's path."""
    replace_text(folder / MARKDOWN_NAME, render_markdown(plan, rows, skipped))
    save(picture(rows), folder / PICTURE_NAME)
    html = template("experiment.html.j2").render(
        page=page(TITLE),
        title=TITLE,
        subtitle=_subtitle(plan),
        sentence=in_words(rows, best_of(rows)),
        headings=HEADINGS,
        rows=[(row, _cells(row)) for row in rows],
        skipped=skipped,
        read=READ,
        picture=PICTURE_NAME,
        charts_json=charts_json([]),
    )
    replace_text(folder / PAGE_NAME, html)
    return folder / PAGE_NAME


def render_markdown(plan: Plan, rows: Sequence[MitigationRow], skipped: Mapping[str, str]) -> str:
    """Return the results as Markdown, to be pasted into an issue."""
    lines = [f"# {TITLE}", "", in_words(rows, best_of(rows)), "", f"{for_markdown(_subtitle(plan))}.", ""]
    lines += ["| " + " | ".join(HEADINGS) + " |", "|---" + "|---:" * (len(HEADINGS) - 1) + "|"]
    lines += ["| " + " | ".join(_cells(row)) + " |" for row in rows]
    lines += ["", READ, "", *(f"- `{row.name}`: {for_markdown(row.words)}" for row in rows)]
    lines += [f"- `{name}` was left out: {for_markdown(why)}" for name, why in skipped.items()]
    return "\n".join(lines) + "\n"


def _subtitle(plan: Plan) -> str:
    load = plan.overrides.get("load", {})
    length = [f"{load['connections']} connections"] if load.get("connections") else []
    model = plan.overrides.get("server", {}).get("model", "tiny")
    settings = [", ".join(plan.settings)] if plan.settings else []
    return " · ".join(
        [plan.config, f"model {model}", *length, f"{plan.repeats} runs of each in random order", *settings]
    )


def _cells(row: MitigationRow) -> tuple[str, ...]:
    runs = format_count(row.runs) + (f" ({row.failed} failed)" if row.failed else "")
    level = format_level(row.level_bytes.estimate)
    return (
        row.name,
        runs,
        level,
        f"{_difference(row)} {_sign(row.lowers_memory)[0]}".rstrip(),
        f"{_times(row.cpu_ratio)} {_sign(row.is_faster)[0]}".rstrip(),
        _milliseconds(row.final_p50_ms),
        _milliseconds(row.final_p95_ms),
    )


def _difference(row: MitigationRow) -> str:
    if row.name == BASELINE:
        return ""
    found = row.level_difference_bytes
    value = format_bytes(found.estimate, signed=True)
    return f"{value} ({format_interval(found.low, found.high)})" if is_known(found.low) else value


def _two_lines(cell: str, sign: str) -> str:
    """Put the interval below its estimate."""
    value, bracket, interval = cell.partition(" (")
    first = f"{value} {sign}".strip()
    return f"{first}\n({interval}" if bracket else first


def _times(found: Estimate) -> str:
    if not is_known(found.estimate):
        return MISSING
    value = f"{found.estimate:.2f} ×"
    if found.low == found.high:  # the baseline itself
        return ""
    return f"{value} ({found.low:.2f} to {found.high:.2f})" if is_known(found.low) else value


def _milliseconds(found: Estimate) -> str:
    value = format_milliseconds(found.estimate)
    if not is_known(found.low) or value == MISSING:
        return value
    return f"{value} ± {format_milliseconds(found.high - found.estimate)}"


def _sign(is_better: bool | None) -> tuple[str, str]:
    if is_better is None:
        return "", ""
    return ("↓", "green") if is_better else ("↑", "yellow")
