"""Many runs on the terminal: one line each as it becomes known, and what they come to."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from rich.text import Text

from soak.quantity import MISSING, format_bytes, format_count, format_duration, format_level
from soak.report.model.headline import SIGNS
from soak.report.terminal import STYLES

if TYPE_CHECKING:
    from collections import Counter
    from pathlib import Path

    from soak.verdict.run_verdict import RunVerdict

FAILED, UNREADABLE = "server failed", "unreadable"
OUTCOMES = ("plateau", "climbing", "inconclusive", FAILED, UNREADABLE)
"""What a line can begin with, in the order of the summary; the last two only where they occur."""
COLUMNS = (15, 10, 10)
"""Widths of verdict, growth and level; the name of the run has the rest of the line."""
SHORTEST_NAME = 12


def header_line() -> Text:
    """Return the names of the columns."""
    return Text(_line("verdict", "growth/h", "plateau", "run"), style="bold")


def fleet_line(
    path: Path | str,
    verdict: RunVerdict | None,
    width: int | None,
    *,
    failed: bool = False,
    step: str | None = None,
) -> Text:
    """Return the line of one run; `verdict` is None for one that could not be judged.

    `failed` says that the server failed; `step` is what growth is per where it is not an hour.
    A long name loses its beginning to fit into `width` columns, or is written in full where there is no width
    to keep to.
    """
    outcome = outcome_of(verdict, failed=failed)
    sign = SIGNS.get(outcome, SIGNS["failed"])
    growth = (
        MISSING if verdict is None else format_bytes(verdict.memory.growth_per_hour.estimate, signed=True)
    )
    if step is not None and growth != MISSING:
        growth += f"/{step}"
    level = None if verdict is None else verdict.memory.level
    name = os.fsencode(path).decode(errors="replace")
    if width is not None:
        room = max(width - sum(COLUMNS) - 2 * len(COLUMNS), SHORTEST_NAME)
        name = name if len(name) <= room else f"…{name[1 - room :]}"
    line = Text(_line(f"{sign} {outcome}", growth, MISSING if level is None else format_level(level), name))
    line.stylize(STYLES.get(outcome, STYLES["failed"]), 0, COLUMNS[0])
    return line


def outcome_of(verdict: RunVerdict | None, *, failed: bool = False) -> str:
    """Return which of `OUTCOMES` a run is."""
    if verdict is None:
        return UNREADABLE
    return FAILED if failed else str(verdict.label)


def summary_line(outcomes: Counter[str], elapsed_s: float) -> str:
    """Say how many runs came to what, and how long it took."""
    counts = [
        f"{format_count(outcomes[name])} {name}"
        for name in OUTCOMES
        if outcomes[name] or name not in (FAILED, UNREADABLE)
    ]
    return f"{format_count(outcomes.total())} runs in {format_duration(elapsed_s)}: {', '.join(counts)}"


def _line(verdict: str, growth: str, level: str, name: str) -> str:
    first, second, third = COLUMNS
    return f"{verdict:<{first}}  {growth:>{second}}  {level:>{third}}  {name}"
