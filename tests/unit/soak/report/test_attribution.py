"""Where growth sits, in every form of the report; nothing of it where it was not recorded."""

import dataclasses
import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from soak.analyse.attributing import attribute
from soak.judging import judge_run
from soak.record import Run
from soak.record.events import Probe, ProbedArena, ProbeDetail, ProbeMemory
from soak.record.manifest import Manifest
from soak.record.whereabouts import readings_of
from soak.report.html import render_html
from soak.report.markdown import render_markdown
from soak.report.model import ReportModel, report_model
from soak.report.model.pictures.readings import heap_chart
from soak.report.model.readings import Readings
from soak.report.model.tables.attribution import attribution_table
from soak.report.model.tables.rows import Row
from soak.report.png import write_png
from soak.report.terminal import render_terminal
from soak.verdict.attribution import Attribution, ProbeResult
from soak.words import sentence
from tests.unit.soak.report.synthetic import joined

MIB = 2**20
SUMMARY = "RSS changed by +62 MiB: +60 MiB glibc arenas (2 → 6), +2 MiB programs and libraries."


@pytest.fixture
def run() -> Run:
    """A run of a minute whose arenas grow by 60 MiB, read every ten seconds."""
    seconds = np.arange(61, dtype=np.float64)
    grown = seconds / 60
    columns = {
        "t_s": seconds,
        "rss_bytes": (88 + 62 * grown) * MIB,
        "phase": np.where(seconds % 10 < 7, "load", "rest"),
        "map_rss_bytes": (88 + 62 * grown) * MIB,
        "map_kernel_rss_bytes": (88 + 62 * grown) * MIB,
        "map_heap_bytes": np.full(61, 30.0 * MIB),
        "map_arenas_bytes": 60 * grown * MIB,
        "map_libraries_bytes": (58 + 2 * grown) * MIB,
        "map_arenas": np.where(seconds > 0, 6.0, 2.0),
    }
    samples = pd.DataFrame(columns)
    samples.loc[seconds % 10 != 0, [name for name in columns if name.startswith("map_")]] = np.nan
    samples["phase"] = np.where(seconds % 10 == 0, "rest", samples["phase"])
    before, after = ProbeMemory(rss_bytes=150 * MIB), ProbeMemory(rss_bytes=140 * MIB)
    probe = Probe(probe="trim", by="server", before=before, after=after)
    return Run(Path("made"), Manifest(), samples, [probe], torn=False)


@pytest.fixture
def attribution(run: Run) -> Attribution:
    readings = readings_of(run)
    assert readings is not None
    found = attribute(readings, memory_climbs=True)
    assert found is not None
    return found


def told(run: Run) -> ReportModel:
    return report_model(run, judge_run(run))


def test_the_page_has_both_pictures_and_the_classes(run: Run) -> None:
    page = render_html(told(run))
    assert "Where the growth sits" in page
    assert 'data-chart="waterfall"' in page
    assert 'data-chart="whereabouts"' in page
    assert SUMMARY in page
    assert "malloc&#39;s heaps of other threads" in page


def test_the_words_are_in_the_terminal_and_in_markdown(run: Run) -> None:
    model = told(run)
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(render_terminal(model))
    text = " ".join(console.export_text().split())
    for form in (text, render_markdown(model)):
        assert SUMMARY in form
        assert "malloc_trim 10 MiB. That was kept for reuse, not leaked; 52 MiB of the growth stay." in form


def test_the_classes_are_told_with_what_they_are_and_how_they_add_up(attribution: Attribution) -> None:
    table = attribution_table(attribution)
    assert table is not None
    assert [row.label for row in table.rows] == [
        "main heap",
        "glibc arenas (2 → 6)",
        "programs and libraries",
    ]
    assert table.rows[1].growth == "+60 MiB"
    assert table.check == (
        "All classes together are 100 % of the RSS that the kernel reports, "
        "and the named ones 100 % of its growth."
    )
    assert table.probes[0].label == "malloc_trim"


def test_what_climbs_is_said_first(attribution: Attribution) -> None:
    table = attribution_table(attribution)
    assert table is not None
    assert table.culprits == "What climbs: malloc's heap."


@pytest.fixture
def with_arenas(run: Run) -> Run:
    """The same run on a server whose sessions have arenas, which take all of the growth."""
    grown = np.linspace(0, 60, 61) * MIB
    samples = run.samples.assign(
        server_heap_in_use_bytes=30 * MIB + grown,
        server_heap_free_bytes=4.0 * MIB,
        server_arenas=2.0,
        server_arena_held_bytes=10 * MIB + grown,
    )
    arenas = (
        ProbedArena(graph="online/model", loaded_bytes=4 * MIB, held_bytes=5 * MIB, shrunk_bytes=4 * MIB),
        ProbedArena(graph="offline/model", loaded_bytes=6 * MIB, held_bytes=65 * MIB, shrunk_bytes=7 * MIB),
    )
    reading, detail = ProbeMemory(rss_bytes=150 * MIB), ProbeDetail(arenas=arenas)
    probe = Probe(probe="arena_shrink", by="server", before=reading, after=reading, detail=detail)
    return dataclasses.replace(run, samples=samples, events=[probe])


def test_arenas_are_shown_apart_from_what_else_malloc_has_handed_out(with_arenas: Run) -> None:
    model = told(with_arenas)
    table = model.attribution
    assert table is not None
    assert [(row.graph, row.held, row.shrunk) for row in table.arenas] == [
        ("offline/model", "65 MiB", "7 MiB"),
        ("online/model", "5 MiB", "4 MiB"),
    ]
    assert Row("· ONNX Runtime's arenas, of it", "+60 MiB") in table.inside
    page = render_html(model)
    assert "Of it ONNX Runtime's arenas hold +60 MiB" in page.replace("&#39;", "'")
    assert "Arena of ONNX Runtime" in page
    chart = heap_chart(Readings(with_arenas.samples))
    assert chart is not None
    layers = {layer.name: list(layer.values) for layer in chart.layers}
    assert layers["heap in use"] == pytest.approx([20.0] * len(layers["heap in use"]))
    assert layers["held by ONNX Runtime's arenas"][-1] == pytest.approx(70.0)


def test_that_there_are_no_arenas_is_said(with_arenas: Run) -> None:
    samples = with_arenas.samples.assign(server_arenas=0.0).drop(columns="server_arena_held_bytes")
    off = dataclasses.replace(with_arenas, samples=samples, events=[])
    table = attribution_table(judge_run(off).verdict.attribution)
    assert table is not None
    assert Row("· ONNX Runtime's arenas", "off: tensors are malloc's") in table.inside
    assert not table.arenas


def test_the_picture_is_drawn_with_it(run: Run, tmp_path: Path) -> None:
    write_png(told(run), tmp_path / "memory.png")
    assert (tmp_path / "memory.png").stat().st_size > 10_000


def test_nothing_is_shown_of_what_was_not_recorded(run: Run) -> None:
    bare = dataclasses.replace(run, samples=run.samples[["t_s", "rss_bytes"]], events=[])
    model = told(bare)
    assert model.attribution is None
    assert not model.attribution_charts
    assert "Where the growth sits" not in render_html(model)


def test_a_probe_that_gave_nothing_back_is_told_as_such(attribution: Attribution, run: Run) -> None:
    none = dataclasses.replace(attribution, probes=(ProbeResult("gc", 0.0, "server"),))
    evidence = dataclasses.replace(judge_run(run).verdict.evidence, attribution=none)
    assert "the server returned: garbage collection 0 B." in sentence(joined(evidence).reasons[-1])
