"""Several runs side by side: rows, a table for the terminal, a page and a picture."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from soak.quantity import (
    MISSING,
    format_bytes,
    format_count,
    format_interval,
    format_level,
    format_percent,
    format_rate,
)
from soak.record.transcripts import Transcripts
from soak.report import facts, wording
from soak.report.evidence import last_value
from soak.report.text import STYLES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from soak.record import Run
    from soak.verdict.verdict import Estimate, Verdict

PUBLISHED_NOTE = (
    "Published: the original FunASR server on its own models, as reported in FunASR issue 2164. "
    "Compare the order and the shape, not the level."
)


@dataclass(frozen=True)
class Published:
    """What FunASR issue 2164 reports of a configuration, in gigabytes as printed there."""

    start_gb: float
    plateau_gb: float

    def __str__(self) -> str:
        """Return the figures as they are printed there."""
        return f"{self.start_gb:g} → {self.plateau_gb:g} GB"


PUBLISHED = {
    "minimal": Published(1.5, 1.7),
    "medium": Published(1.5, 2.1),
    "high": Published(1.5, 2.5),
}


@dataclass(frozen=True)
class ComparisonRow:
    """One run of a comparison. Bytes are bytes."""

    name: str
    """The configuration's name."""
    server: str
    """Model and thread numbers, empty where the run does not know them."""
    label: str
    """``plateau``, ``climbing`` or ``inconclusive``."""
    start_bytes: int
    level_bytes: float | None
    """The plateau, or for want of one where the run ended."""
    has_plateau: bool
    """Whether `level_bytes` is a plateau."""
    peak_bytes: int
    growth_bytes_per_hour: Estimate
    growth_bytes_per_connection: Estimate | None
    published: Published | None
    """The published figures of the configuration of that name."""
    transcripts: Transcripts | None
    """None where they were not counted."""

    @property
    def sign(self) -> str:
        """The verdict as a shape."""
        return wording.SIGNS[self.label]

    @property
    def growth_bytes(self) -> float | None:
        """From the start to the plateau, or to the end for want of one."""
        return None if self.level_bytes is None else self.level_bytes - self.start_bytes

    @property
    def start(self) -> str:
        """The start, for a person."""
        return format_level(self.start_bytes)

    @property
    def level(self) -> str:
        """The plateau for a person; the end, called that, for want of one."""
        return format_level(self.level_bytes) + ("" if self.has_plateau else " at the end")

    @property
    def growth(self) -> str:
        """Growth from the start, for a person."""
        return format_bytes(self.growth_bytes, signed=True)

    @property
    def peak(self) -> str:
        """The peak, for a person."""
        return format_level(self.peak_bytes)

    @property
    def per_hour(self) -> str:
        """Growth per hour after warm-up, for a person."""
        return format_rate(self.growth_bytes_per_hour.estimate)

    @property
    def per_hour_interval(self) -> str:
        """The 95 % interval of the growth per hour, for a person."""
        return format_interval(self.growth_bytes_per_hour.low, self.growth_bytes_per_hour.high)

    @property
    def per_connection(self) -> str:
        """Growth per connection after warm-up, for a person."""
        each = self.growth_bytes_per_connection
        return MISSING if each is None else format_bytes(each.estimate, signed=True)

    @property
    def error_rate(self) -> str:
        """The character error rate, for a person."""
        return MISSING if self.transcripts is None else format_percent(self.transcripts.character_error_rate)

    @property
    def changed(self) -> str:
        """How many transcripts changed, for a person; empty where nobody counted."""
        return "" if self.transcripts is None else f"{format_count(self.transcripts.changed)} changed"

    @property
    def per_connection_interval(self) -> str:
        """The 95 % interval of the growth per connection, for a person."""
        each = self.growth_bytes_per_connection
        return MISSING if each is None else format_interval(each.low, each.high)


def comparison_rows(runs: Sequence[tuple[Run, Verdict]]) -> tuple[ComparisonRow, ...]:
    """Return one row for each run, in their order."""
    return tuple(_row(run, verdict) for run, verdict in runs)


def _row(run: Run, verdict: Verdict) -> ComparisonRow:
    has_plateau = verdict.plateau_bytes is not None
    return ComparisonRow(
        name=run.name,
        server=facts.server_summary(run) or "",
        label=wording.label_of(verdict),
        start_bytes=verdict.start_bytes,
        level_bytes=verdict.plateau_bytes if has_plateau else last_value(run, "rss_bytes"),
        has_plateau=has_plateau,
        peak_bytes=verdict.peak_bytes,
        growth_bytes_per_hour=verdict.growth_bytes_per_hour,
        growth_bytes_per_connection=verdict.growth_bytes_per_connection,
        published=PUBLISHED.get(run.name),
        transcripts=Transcripts.of(run),
    )


def comparison_sentence(rows: Sequence[ComparisonRow]) -> str:
    """Say how the verdicts fell, and whether the published order of growth was found again."""
    words = {"plateau": "plateaued", "climbing": "kept climbing", "inconclusive": "inconclusive"}
    counts = [(words[label], sum(row.label == label for row in rows)) for label in words]
    parts = [f"{count} of {len(rows)} {word}" for word, count in counts if count]
    return ", ".join(parts) + "." + _order(rows)


def _order(rows: Sequence[ComparisonRow]) -> str:
    known = [
        (row.published.plateau_gb, row)
        for row in rows
        if row.published is not None and row.growth_bytes is not None
    ]
    known.sort(key=lambda pair: pair[0])
    if len({level for level, _ in known}) < 2 or len(known) != len({row.name for _, row in known}):
        return ""
    grown = [row.growth_bytes or 0.0 for _, row in known]
    names = " < ".join(row.name for _, row in known)
    if all(less < more for less, more in pairwise(grown)):
        return f" Growth from the start is ordered as published: {names}."
    return f" Growth from the start is not ordered as published ({names})."


def comparison_table(rows: Sequence[ComparisonRow]) -> Table:
    """Return the rows as a table for a terminal of 80 columns."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 1, 0), header_style="bold")
    table.add_column("Run", overflow="fold", min_width=12)
    table.add_column("Start → plateau", no_wrap=True)
    table.add_column("After warm-up", no_wrap=True)
    has_published = any(row.published for row in rows)
    if has_published:
        table.add_column("Published*", no_wrap=True)
    for row in rows:
        verdict = Text.assemble((row.name, "bold"), "\n", (f"{row.sign} {row.label}", STYLES[row.label]))
        memory = Text(f"{row.start} → {format_level(row.level_bytes)}\n{row.growth}, peak {row.peak}")
        each = "" if row.per_connection == MISSING else f"\n{row.per_connection}/connection"
        heard = "" if row.error_rate == MISSING else f"\nCER {row.error_rate}, {row.changed}"
        cells = [verdict, memory, Text(f"{row.per_hour}{each}{heard}")]
        if has_published:
            cells.append(Text(str(row.published or "")))
        table.add_row(*cells)
    if has_published:
        table.caption = f"* {PUBLISHED_NOTE}"
        table.caption_justify = "left"
    return table
