"""Several runs side by side, worked out once: rows, a sentence, curves on one axis."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from soak.quantity import (
    MISSING,
    format_bytes,
    format_count,
    format_interval,
    format_level,
    format_percent,
    format_rate,
)
from soak.report.model.headline import SIGNS
from soak.report.model.pictures.charts import axis_range
from soak.report.model.pictures.memory import Curve
from soak.report.model.pictures.time_axis import TimeAxis
from soak.report.model.published import PUBLISHED, PUBLISHED_NOTE
from soak.report.model.transcripts_alike import TranscriptNote, transcript_notes

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from soak.report.model.levels import Levels
    from soak.report.model.model import ReportModel
    from soak.report.model.published import Published


TITLE = "Memory of several configurations"


@dataclass(frozen=True)
class ComparisonRow:
    """One run of a comparison, as text where nothing else is said."""

    name: str
    """The configuration's name."""
    path: Path
    """Where the run is recorded."""
    server: str
    """Model and thread numbers, empty where the run does not know them."""
    label: str
    """``plateau``, ``climbing`` or ``inconclusive``."""
    sign: str
    """The verdict as a shape."""
    levels: Levels
    """Start, level reached and peak, in bytes."""
    per_hour: str
    """Growth per hour after warm-up."""
    per_hour_interval: str
    per_connection: str
    """Growth per connection after warm-up; ``n/a`` without a counter."""
    per_connection_interval: str
    published: Published | None
    """The published figures of the configuration of that name."""
    error_rate: str
    """Of characters; ``n/a`` where nobody counted."""
    changed: str
    """How many transcripts changed; empty where nobody counted."""

    @property
    def start(self) -> str:
        """The start."""
        return format_level(self.levels.start_bytes)

    @property
    def reached(self) -> str:
        """The plateau, or for want of one where the run ended."""
        return format_level(self.levels.reached_bytes)

    @property
    def level(self) -> str:
        """The plateau; the end, called that, for want of one."""
        return self.reached + ("" if self.levels.has_plateau else " at the end")

    @property
    def growth(self) -> str:
        """Growth from the start to that level."""
        return format_bytes(self.levels.growth_bytes, signed=True)

    @property
    def peak(self) -> str:
        """The peak."""
        return format_level(self.levels.peak_bytes)


@dataclass(frozen=True, eq=False)
class NamedCurve:
    """RSS of one run since its own start, in bytes."""

    name: str
    number: int
    """Which of the runs it is, from 0: colours follow it."""
    curve: Curve


@dataclass(frozen=True, eq=False)
class Comparison:
    """All that is told of several runs together."""

    title: str
    rows: tuple[ComparisonRow, ...]
    sentence: str
    """How the verdicts fell, and whether the published order of growth was found again."""
    published_note: str | None
    """What the published figures are; None where no run has any."""
    transcript_notes: tuple[TranscriptNote, ...]
    curves: tuple[NamedCurve, ...]
    """Of the runs with memory readings."""
    axis: TimeAxis
    """Of time, as long as the longest run that is drawn."""
    bounds_bytes: tuple[float, float]
    """Of the axis of memory."""

    @property
    def has_error_rates(self) -> bool:
        """Whether any run counted character errors."""
        return any(row.error_rate != MISSING for row in self.rows)

    @property
    def all_plateau(self) -> bool:
        """Whether every run has a plateau."""
        return all(row.levels.has_plateau for row in self.rows)


def comparison(models: Sequence[ReportModel]) -> Comparison:
    """Put runs side by side, in their order."""
    rows = tuple(_row(model) for model in models)
    curves = tuple(_curves(models))
    drawn = [models[each.number] for each in curves]
    lows_and_highs = [
        bound for model in drawn if model.memory is not None for bound in model.memory.extremes_bytes
    ]
    return Comparison(
        title=TITLE,
        rows=rows,
        sentence=comparison_sentence(rows),
        published_note=PUBLISHED_NOTE if any(row.published for row in rows) else None,
        transcript_notes=transcript_notes(models),
        curves=curves,
        axis=TimeAxis.of_length(max((model.duration_s for model in drawn), default=0.0)),
        bounds_bytes=axis_range(min(lows_and_highs, default=0.0), max(lows_and_highs, default=0.0)),
    )


def _curves(models: Sequence[ReportModel]) -> list[NamedCurve]:
    found = []
    for number, model in enumerate(models):
        if model.memory is not None:
            rss = model.memory.rss
            curve = Curve(rss.t_s - model.axis.first_sample_s, rss.values)
            found.append(NamedCurve(model.name, number, curve))
    return found


def _row(model: ReportModel) -> ComparisonRow:
    hour, each, transcripts = (
        model.growth_bytes_per_hour,
        model.growth_bytes_per_connection,
        model.transcripts,
    )
    return ComparisonRow(
        name=model.name,
        path=model.path,
        server=model.setup.server,
        label=model.headline.label,
        sign=SIGNS[model.headline.label],
        levels=model.levels,
        per_hour=format_rate(hour.estimate),
        per_hour_interval=format_interval(hour.low, hour.high),
        per_connection=MISSING if each is None else format_bytes(each.estimate, signed=True),
        per_connection_interval=MISSING if each is None else format_interval(each.low, each.high),
        published=PUBLISHED.get(model.name),
        error_rate=MISSING if transcripts is None else format_percent(transcripts.character_error_rate),
        changed="" if transcripts is None else f"{format_count(transcripts.changed)} changed",
    )


def comparison_sentence(rows: Sequence[ComparisonRow]) -> str:
    """Say how the verdicts fell, and whether the published order of growth was found again."""
    words = {"plateau": "plateaued", "climbing": "kept climbing", "inconclusive": "inconclusive"}
    counts = [(words[label], sum(row.label == label for row in rows)) for label in words]
    parts = [f"{count} of {len(rows)} {word}" for word, count in counts if count]
    return ", ".join(parts) + "." + _order(rows)


def _order(rows: Sequence[ComparisonRow]) -> str:
    known = [
        (row.published.plateau_gb, row.name, row.levels.growth_bytes)
        for row in rows
        if row.published is not None and row.levels.growth_bytes is not None
    ]
    known.sort()
    if len({level for level, _, _ in known}) < 2 or len(known) != len({name for _, name, _ in known}):
        return ""
    names = " < ".join(name for _, name, _ in known)
    if all(less < more for less, more in pairwise(growth for _, _, growth in known)):
        return f" Growth from the start is ordered as published: {names}."
    return f" Growth from the start is not ordered as published ({names})."
