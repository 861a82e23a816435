"""The report as Markdown, to paste into an issue."""

from __future__ import annotations

from typing import TYPE_CHECKING

from soak.foreign_text import for_markdown, for_markdown_block, for_markdown_code

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from soak.report.model import ReportModel
    from soak.report.model.tables.resources import ResourceTable
    from soak.report.model.tables.rows import Course, Row
    from soak.report.model.tables.setup import Setup
    from soak.report.model.tables.transcripts import TranscriptTable


def render_markdown(model: ReportModel) -> str:
    """Return verdict, figures, readings, failures, set-up and reproduction as GitHub-flavoured Markdown."""
    head = model.headline
    parts = [
        f"## {head.sign} {head.headline}: `{for_markdown_code(model.name)}`",
        for_markdown(head.sentence)
        + (f" Confidence: {for_markdown(head.confidence)}." if head.confidence else ""),
        *(f"> **Note:** {for_markdown(warning)}" for warning in head.warnings),
        _table(("", "", ""), ((figure.label, figure.value, figure.note) for figure in model.figures)),
        for_markdown(head.settling or ""),
        _bullets(head.reasons),
        _resources(model.resources),
        _courses("Reading", model.courses),
        _courses("Latency", model.latencies),
        _rows("Failed connections", model.failed_connections),
        _transcripts(model.transcript_table),
        _setup(model.setup),
    ]
    if model.setup.command:
        parts.append(f"Reproduce:\n```sh\n{for_markdown_block(model.setup.command)}\n```")
    return "\n\n".join(part for part in parts if part) + "\n"


def _setup(setup: Setup) -> str:
    rows = [("server", setup.server)] if setup.server else []
    rows += [(row.label, row.value) for row in (*setup.host, *setup.versions)]
    if setup.environment is not None:
        text = ", ".join(f"{row.label}={row.value}" for row in setup.environment) or "nothing set"
        rows.append(("allocator environment", text))
    if not rows:
        return ""
    return f"<details><summary>Server, host and versions</summary>\n\n{_table(('', ''), rows)}\n</details>"


def _resources(table: ResourceTable | None) -> str:
    if table is None:
        return ""
    head = ("Other resources", "start", "end", "peak", f"growth {table.unit} ({table.bounds})", "verdict")
    rows = (
        (row.label, row.start, row.end, row.peak, row.growth_with_interval, f"{row.sign} {row.verdict}")
        for row in table.rows
    )
    return _table(head, rows)


def _transcripts(table: TranscriptTable | None) -> str:
    if table is None:
        return ""
    head = ("Recording", "what is said", "first transcript", "CER", "connections", "changed")
    rows = (
        (
            row.clip,
            row.reference,
            "; ".join((row.transcript, *row.others)),
            row.cer,
            row.connections,
            row.changed,
        )
        for row in table.rows
    )
    note = f"\n\n{for_markdown(table.note)}" if table.note else ""
    return f"<details><summary>Transcripts</summary>\n\n{_table(head, rows)}{note}\n</details>"


def _courses(title: str, courses: Sequence[Course]) -> str:
    if not courses:
        return ""
    return _table((title, "start", "end", "peak"), ((c.label, c.start, c.end, c.peak) for c in courses))


def _rows(title: str, rows: Sequence[Row]) -> str:
    return _table((title, ""), ((row.label, row.value) for row in rows)) if rows else ""


def _bullets(lines: Iterable[str]) -> str:
    return "\n".join(f"- {for_markdown(line)}" for line in lines)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    lines += [f"| {' | '.join(map(for_markdown, row))} |" for row in rows]
    return "\n".join(lines)
