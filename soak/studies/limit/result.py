"""What the three runs say of the limit, and how it is told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from soak.errors import ExitCode
from soak.private_file import replace_text
from soak.quantity import (
    MISSING,
    format_count,
    format_level,
    format_milliseconds,
    format_percent,
    is_known,
)
from soak.record.directory import write_json
from soak.report.plain_table import plain_table
from soak.studies.limit.limited_run import SLOWER, TOO_LITTLE, Fate, LimitedRun

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from rich.table import Table

SCHEMA_VERSION = 1
JSON_NAME, MARKDOWN_NAME = "limit.json", "limit.md"
HEADINGS = ("limit", "what happened", "peak", "hits", "done", "final p50", "against none")
READ = (
    "Peak: the most the cgroup was charged with, page cache and kernel memory included. Hits: how often "
    "memory had to be reclaimed because the limit was reached. Against none: final latency as a multiple of "
    f"that without a limit, 95 % by bootstrap; beyond {SLOWER:g} is slower."
)


def limit_exit_code(runs: Sequence[LimitedRun]) -> ExitCode:
    """Return 0 when the advised limit held, 1 when it did not, 3 when it cannot be told."""
    fate = next(run.fate for run in runs if run.name == "advised")
    if fate is Fate.FINE:
        return ExitCode.PLATEAU
    return ExitCode.INCONCLUSIVE if fate is Fate.NOT_TOLD else ExitCode.CLIMBING


def limit_in_words(runs: Sequence[LimitedRun]) -> str:
    """Say whether the limit holds, and what happened with too little."""
    by_name = {run.name: run for run in runs}
    advised = by_name["advised"]
    held = {
        Fate.FINE: "holds: nothing was killed and nothing slowed down",
        Fate.NOT_TOLD: "was survived; whether it slows the server down cannot be told from so short a run",
        Fate.SLOWER: "does not hold: the server slowed down",
        Fate.KILLED: "does not hold: the server was killed for want of memory",
        Fate.FAILED: "does not hold: the server failed",
    }[advised.fate]
    words = f"The limit of {format_level(advised.limit_bytes)} {held}."
    low = by_name.get("too-little")
    if low is None:
        return words
    share = format_percent(1 - TOO_LITTLE)
    below = {
        Fate.KILLED: "the server is killed for want of memory",
        Fate.SLOWER: "the server slows down",
        Fate.FAILED: "the server fails",
        Fate.FINE: "nothing is killed and nothing slows down: that much of the peak is "
        "memory that the server can do without",
        Fate.NOT_TOLD: "nothing is killed; whether it is slower cannot be told",
    }[low.fate]
    return f"{words} With {format_level(low.limit_bytes)}, {share} below the measured peak, {below}."


def limit_table(runs: Sequence[LimitedRun]) -> Table:
    """Return the runs as a table for a terminal of 80 columns."""
    table = plain_table()
    for number, heading in enumerate(HEADINGS):
        table.add_column(heading, justify="left" if number < 2 else "right", overflow="fold")
    for run in runs:
        table.add_row(*(cell.replace(" (", "\n(") for cell in _cells(run)))
    return table


def write_limit_json(
    folder: Path, plan: Mapping[str, Any], runs: Sequence[LimitedRun], *, complete: bool
) -> None:
    """Write `limit.json`: the plan, the runs so far, and once it is complete whether the limit holds."""
    content = {
        "schema_version": SCHEMA_VERSION,
        "complete": complete,
        "holds": limit_exit_code(runs) is ExitCode.PLATEAU if complete else None,
        "words": limit_in_words(runs) if complete else None,
        "plan": plan,
        "runs": [run.to_json_object() for run in runs],
    }
    write_json(folder / JSON_NAME, content)


def write_limit_markdown(folder: Path, runs: Sequence[LimitedRun]) -> Path:
    """Write `limit.md`; return its path."""
    lines = [limit_in_words(runs), "", "| " + " | ".join(HEADINGS) + " |", "|---|---|" + "---:|" * 5]
    lines += ["| " + " | ".join(_cells(run)) + " |" for run in runs]
    path = folder / MARKDOWN_NAME
    replace_text(path, "\n".join([*lines, "", READ]) + "\n")
    return path


def _cells(run: LimitedRun) -> tuple[str, ...]:
    estimate, low, high = run.latency_ratio
    ratio = MISSING if not is_known(estimate) else f"{estimate:.2f} × ({low:.2f} to {high:.2f})"
    return (
        "none" if run.limit_bytes is None else format_level(run.limit_bytes),
        str(run.fate),
        format_level(run.peak_bytes),
        MISSING if run.limit_hits is None else format_count(run.limit_hits),
        format_count(run.completed),
        format_milliseconds(run.final_p50_ms),
        "" if run.limit_bytes is None else ratio,
    )
