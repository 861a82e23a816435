"""The report as Markdown, to paste into an issue."""

from __future__ import annotations

from typing import TYPE_CHECKING

from soak.report import facts, wording
from soak.report.resource_table import ResourceTable, resource_table
from soak.report.transcript_table import TranscriptTable, transcript_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from soak.record import Run
    from soak.verdict.verdict import Verdict


def render_markdown(run: Run, verdict: Verdict) -> str:
    """Return verdict, figures, readings, failures, set-up and reproduction as GitHub-flavoured Markdown."""
    banner = wording.banner(run, verdict)
    parts = [
        f"## {banner.sign} {banner.headline}: `{_code(run.name)}`",
        plain_text(wording.sentence(verdict))
        + (f" Confidence: {plain_text(verdict.confidence)}." if verdict.confidence else ""),
        *(f"> **Note:** {plain_text(warning)}" for warning in wording.warnings(run, verdict)),
        _table(("", "", ""), ((f.label, f.value, f.note) for f in wording.key_figures(run, verdict))),
        plain_text(wording.settling_sentence(verdict) or ""),
        _bullets(wording.further_reasons(verdict)),
        _resources(resource_table(verdict)),
        _courses("Reading", facts.courses(run, verdict)),
        _courses("Latency", facts.latency(run)),
        _rows("Failed connections", facts.failures(run)),
        _transcripts(transcript_table(run)),
        _setup(run),
    ]
    command = facts.command_line(run)
    if command:
        parts.append(f"Reproduce:\n```sh\n{command.replace('```', '')}\n```")
    return "\n\n".join(part for part in parts if part) + "\n"


def _setup(run: Run) -> str:
    rows = [facts.Row("server", summary)] if (summary := facts.server_summary(run)) else []
    rows += [*facts.host(run), *facts.versions(run)]
    environment = facts.allocator_environment(run)
    if environment is not None:
        text = ", ".join(f"{row.label}={row.value}" for row in environment) or "nothing set"
        rows.append(facts.Row("allocator environment", text))
    if not rows:
        return ""
    body = _table(("", ""), ((row.label, row.value) for row in rows))
    return f"<details><summary>Server, host and versions</summary>\n\n{body}\n</details>"


def _resources(table: ResourceTable | None) -> str:
    if table is None:
        return ""
    head = ("Other resources", "start", "end", "peak", f"growth {table.unit} (95 %)", "verdict")
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
    note = f"\n\n{table.note}" if table.note else ""
    return f"<details><summary>Transcripts</summary>\n\n{_table(head, rows)}{note}\n</details>"


def _courses(title: str, courses: Sequence[facts.Course]) -> str:
    if not courses:
        return ""
    return _table((title, "start", "end", "peak"), ((c.label, c.start, c.end, c.peak) for c in courses))


def _rows(title: str, rows: Sequence[facts.Row]) -> str:
    return _table((title, ""), ((row.label, row.value) for row in rows)) if rows else ""


def _bullets(lines: Iterable[str]) -> str:
    return "\n".join(f"- {plain_text(line)}" for line in lines)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    lines += [f"| {' | '.join(map(plain_text, row))} |" for row in rows]
    return "\n".join(lines)


def plain_text(text: str) -> str:
    """Keep text of the run from being read as markup or from breaking a table."""
    one_line = " ".join(text.split())
    return one_line.replace("&", "&amp;").replace("<", "&lt;").replace("|", "\\|").replace("`", "\\`")


def _code(text: str) -> str:
    return " ".join(text.split()).replace("`", "'")
