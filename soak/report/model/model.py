"""The one thing that every form of a report is rendered from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from soak.quantity import counted_in, format_duration
from soak.record.events import LoadEnded
from soak.report.model.failure import TargetFailure
from soak.report.model.headline import Headline, headline
from soak.report.model.key_figures import Figure, key_figures
from soak.report.model.levels import Levels
from soak.report.model.pictures.attribution import attribution_charts
from soak.report.model.pictures.error_rates import error_rate_chart
from soak.report.model.pictures.memory import MemoryPicture, judged_points, memory_picture
from soak.report.model.pictures.readings import (
    breakdown_chart,
    climbing_charts,
    failures_chart,
    heap_chart,
    latency_chart,
    resource_charts,
)
from soak.report.model.pictures.time_axis import TimeAxis
from soak.report.model.readings import Readings
from soak.report.model.tables.advice import AdviceTables, advice_tables
from soak.report.model.tables.attribution import AttributionTable, attribution_table
from soak.report.model.tables.courses import courses, latencies
from soak.report.model.tables.failed_connections import failed_connections
from soak.report.model.tables.harness import harness_cost
from soak.report.model.tables.judged_numbers import judged_numbers
from soak.report.model.tables.resources import ResourceTable, resource_table
from soak.report.model.tables.setup import Setup, setup
from soak.report.model.tables.transcripts import TranscriptTable, transcript_table
from soak.report.model.text_settings import text_settings

if TYPE_CHECKING:
    from pathlib import Path

    from soak.judging import Judgement
    from soak.record import Run, Transcripts
    from soak.report.model.pictures.charts import Chart, LineChart
    from soak.report.model.tables.rows import Course, Row
    from soak.verdict.verdict import Estimate


@dataclass(frozen=True, kw_only=True, eq=False)
class ReportModel:
    """All that a report tells of one run. Text is not escaped; long series are thinned for drawing."""

    name: str
    """The configuration's name, or the file's where there is none."""
    path: Path
    """The run directory, or the CSV when there is nothing else."""
    duration_s: float
    """From the first to the last sample; 0 for none."""
    headline: Headline
    failure: TargetFailure | None
    """How the server failed; None where it did not."""
    levels: Levels
    growth_bytes_per_hour: Estimate
    """After warm-up, with its bounds."""
    growth_bytes_per_connection: Estimate | None
    """The same by connection; None without a connection counter that moves."""
    figures: tuple[Figure, ...]
    """The figures that tell the run's story at a glance."""
    judged: tuple[Row, ...]
    """The numbers the verdict rests on."""
    axis: TimeAxis
    """The time axis of all pictures of the run but that of memory, which looks ahead."""
    memory: MemoryPicture | None
    """None when not one memory reading was taken."""
    climbing: tuple[LineChart, ...]
    """The other resources that climb, first the one that is told first."""
    resources: ResourceTable | None
    """The other resources that were judged."""
    attribution: AttributionTable | None
    """Where the growth sits."""
    attribution_charts: tuple[Chart, ...]
    small_charts: tuple[Chart, ...]
    """What else was read: kinds of pages, heap, latency, error rate, failures."""
    resource_charts: tuple[LineChart, ...]
    """The other resources that changed but do not climb."""
    courses: tuple[Course, ...]
    """Start, end and peak of every reading."""
    latencies: tuple[Course, ...]
    failed_connections: tuple[Row, ...]
    """By kind."""
    transcripts: Transcripts | None
    """What became of the transcripts; None where they were not counted."""
    transcript_table: TranscriptTable | None
    text_settings: tuple[str, ...]
    """The settings on which transcripts depend."""
    advice: AdviceTables
    setup: Setup
    harness: tuple[Row, ...]
    """What measuring cost."""

    read_as: str = ""
    """How the file of somebody else was read, in a line; empty for a recording of soak's."""
    length: str
    """How long it was, for people."""

    @property
    def subtitle(self) -> str:
        """What was run, when and for how long, in a line."""
        read_as = f"read as {self.read_as}" if self.read_as else ""
        parts = (self.name, self.setup.server, self.setup.started, self.length, read_as)
        return " · ".join(part for part in parts if part)


def report_model(run: Run, judgement: Judgement) -> ReportModel:
    """Work out all that a report tells of `run`, which was judged as `judgement`."""
    with counted_in(None if run.origin is None else run.origin.step):
        return _model(run, judgement)


def _model(run: Run, judgement: Judgement) -> ReportModel:
    readings, verdict, transcripts = Readings(run.samples), judgement.verdict, judgement.transcripts
    failure, levels, made = (
        TargetFailure.of(verdict.evidence.failure, run),
        Levels.of(readings, verdict),
        setup(run),
    )
    judged, axis = judged_points(verdict), TimeAxis.of(readings, failure)
    small = (
        breakdown_chart(readings),
        heap_chart(readings),
        latency_chart(readings),
        error_rate_chart(readings),
        failures_chart(readings),
    )
    return ReportModel(
        name=run.name,
        path=run.path,
        duration_s=readings.duration_s,
        length=format_duration(readings.duration_s),
        read_as="" if run.origin is None else run.origin.read_as,
        headline=headline(run, verdict, transcripts),
        failure=failure,
        levels=levels,
        growth_bytes_per_hour=verdict.memory.growth_per_hour,
        growth_bytes_per_connection=verdict.memory.growth_per_connection,
        figures=key_figures(readings, verdict, levels, transcripts, random_weights=made.random_weights),
        judged=judged_numbers(verdict, None if judged is None else len(judged[0])),
        axis=axis,
        memory=memory_picture(run, readings, verdict, axis),
        climbing=climbing_charts(readings, verdict),
        resources=resource_table(verdict),
        attribution=attribution_table(verdict.attribution),
        attribution_charts=attribution_charts(readings, verdict.attribution),
        small_charts=tuple(chart for chart in small if chart is not None),
        resource_charts=resource_charts(readings, verdict),
        courses=courses(readings, judged=verdict.resources, foreign=run.manifest.foreign_columns),
        latencies=latencies(readings),
        failed_connections=failed_connections(run, readings),
        transcripts=transcripts,
        transcript_table=transcript_table(transcripts, load_ended=run.last_event(LoadEnded) is not None),
        text_settings=text_settings(run),
        advice=advice_tables(verdict.advice),
        setup=made,
        harness=harness_cost(run, readings),
    )
