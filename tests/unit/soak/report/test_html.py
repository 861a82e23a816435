from __future__ import annotations

import base64
import json
import re
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from plotly.offline import get_plotlyjs

from soak.record.events import ConnectionFailed
from soak.record.manifest import Manifest
from soak.report.html import render_html
from soak.report.model.pictures.thinning import MAX_POINTS
from soak.report.palette import DARK, LIGHT
from soak.verdict.quantities import Quantity
from soak.verdict.verdict import Estimate, Follows
from soak.words import run_confidence_in_words, sentence
from tests.unit.soak.report.synthetic import joined, saying, told, with_memory

if TYPE_CHECKING:
    from collections.abc import Callable

    from soak.record import Run
    from soak.report.model import ReportModel
    from soak.verdict.run_verdict import RunVerdict

    Judged = Callable[[str], tuple[Run, RunVerdict]]
    Seen = Callable[[str], "Page"]
    Told = Callable[[str], ReportModel]


class Page(HTMLParser):
    """What a reader sees of a page, and what the page would fetch."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.links: list[str] = []
        self.tags: list[str] = []
        self.data: dict[str, str] = {}
        self._hidden = ""
        self._id = ""
        self.feed(document)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    @property
    def charts(self) -> dict[str, Any]:
        charts: dict[str, Any] = json.loads(self.data.get("charts", "{}"))
        return charts

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        named = dict(attrs)
        self.links += [value for name in ("src", "href", "action", "data") if (value := named.get(name))]
        if tag in {"script", "style", "textarea"}:
            self._hidden, self._id = tag, named.get("id") or ""

    def handle_endtag(self, tag: str) -> None:
        if tag == self._hidden:
            self._hidden = ""

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.words.append(data)
        elif self._id:
            self.data[self._id] = self.data.get(self._id, "") + data


@pytest.fixture(scope="module")
def seen(document: Callable[[str], str]) -> Seen:
    """What a reader sees of the page of a synthetic run."""
    return cache(lambda name: Page(document(name)))


def page_of(run: Run, verdict: RunVerdict) -> Page:
    return Page(render_html(told(run, verdict)))


def test_the_verdict_comes_first_in_words_with_its_reason(judged: Judged, seen: Seen) -> None:
    _, verdict = judged("leaking")
    page = seen("leaking")
    beginning = page.text[:600]
    assert "Memory keeps climbing" in beginning
    assert sentence(verdict.reasons[0]) in beginning
    assert run_confidence_in_words(verdict) in beginning
    assert beginning.index("Memory keeps climbing") < beginning.index("Growth per connection")


def test_the_key_figures_are_there(seen: Seen) -> None:
    text = seen("healthy").text
    for words in (
        "Start 894 MiB",
        "Plateau 1,034 MiB",
        "Peak 1,042 MiB",
        "Connections completed 1,220 1 failed",
    ):
        assert words in text


def test_all_that_is_known_of_a_run_is_on_its_page(any_name: str, model: Told, seen: Seen) -> None:
    told, text = model(any_name), seen(any_name).text
    head, setup, advice = told.headline, told.setup, told.advice
    sentences = [head.headline, head.sentence, head.confidence, *head.warnings, *head.reasons]
    sentences += [setup.command, *(note.text for note in advice.notes)]
    rows = [*told.judged, *told.failed_connections, *told.harness, *advice.limits]
    rows += [*setup.target, *setup.host, *setup.versions, *(setup.environment or ())]
    rows += [row for section in setup.configuration for row in section.rows]
    courses = [*told.courses, *told.latencies]
    sentences += [f"{row.label} {row.value}" for row in rows]
    sentences += [f"{each.label} {each.start} {each.end} {each.peak}" for each in courses]
    sentences += [f"{figure.label} {figure.value} {figure.note}".strip() for figure in told.figures]
    for said in sentences:
        assert " ".join(said.split()) in text


def test_what_a_reader_asks_next_has_its_section(seen: Seen) -> None:
    text = seen("healthy").text
    sections = (
        "Memory and load over time",
        "Other resources",
        "Why this verdict",
        "What else the run shows",
        "Transcripts",
        "Advice",
        "How it was run",
        "Reproduce",
        "How the verdict is made",
        "For an issue",
    )
    places = [text.index(title) for title in sections]
    assert places == sorted(places)
    for words in (
        "result timeout 2",
        "io_thread_num = 2",
        "soak run --config medium --model tiny --minutes 10",
        "cmn-m1-04-digits 三八一零 三八一零 0 % 200 0",
    ):
        assert words in text


def test_the_chart_shows_memory_what_is_believed_floors_and_load_on_one_time_axis(seen: Seen) -> None:
    chart = seen("healthy").charts["memory"]
    names = [trace["name"].split(",")[0] for trace in chart["data"]]
    assert names[0] == "RSS"
    assert {"floors judged", "open connections", "connections completed", "plateau 1"} <= set(names)
    assert any(name.startswith("believed: ") for name in names)
    assert "each edge 90 % sure" in names
    assert any(name.startswith("budget: ") for name in names)
    assert sum(shape["type"] == "rect" for shape in chart["layout"]["shapes"]) > 15  # the rest windows
    assert "warm-up ends" in chart["layout"]["annotations"][0]["text"]
    assert {trace.get("xaxis", "x") for trace in chart["data"]} == {"x"}


def test_what_the_verdict_rests_on_is_drawn_alone_from_the_end_of_warm_up_on(seen: Seen, model: Told) -> None:
    page, memory = seen("healthy"), model("healthy").memory
    assert memory is not None
    assert memory.believed is not None
    chart = page.charts["close"]
    names = [trace["name"].split(",")[0] for trace in chart["data"]]
    assert names[1].startswith("believed: ")
    assert names[2:] == [memory.believed.budget_label, "floors judged"]
    from_s, to_s = chart["layout"]["xaxis"]["range"]
    assert from_s * memory.axis.unit_s == pytest.approx(memory.believed.t_s[0])
    assert to_s * memory.axis.unit_s > memory.axis.last_sample_s
    assert "What the verdict rests on" in page.text


def test_a_resource_that_climbs_is_the_headline_and_has_its_chart(judged: Judged, seen: Seen) -> None:
    _, verdict = judged("keeping")
    page = seen("keeping")
    assert "File descriptors and sockets keep climbing" in page.text[:300]
    assert sentence(verdict.resources[Quantity.DESCRIPTORS].reasons[0]) in page.text[:700]
    assert "File descriptors 20 → 426" in page.text
    for name in ("fds", "sockets"):
        readings, trend = page.charts[name]["data"]
        assert _numbers(readings["y"]).max() > 400
        assert trend["name"] == "trend"
    assert "File descriptors ▲ climbing 20 426" in page.text
    assert "Threads ✓ plateau 12 42 42" in page.text


def test_memory_and_a_resource_that_climb_are_both_named(judged: Judged) -> None:
    run, verdict = judged("leaking")
    _, keeping = judged("keeping")
    both = joined(replace(verdict.evidence, resources=keeping.resources))
    assert "Memory, file descriptors and sockets keep climbing" in page_of(run, both).text[:300]


def test_resources_that_do_not_climb_are_a_table_without_charts_of_their_own(seen: Seen) -> None:
    page = seen("healthy")
    assert "Memory plateaus" in page.text[:300]
    assert "Live sessions ✓ plateau 0 0" in page.text
    assert len(page.charts["fds"]["data"]) == 1


def test_growth_that_follows_the_audio_is_told_by_the_second_of_audio(judged: Judged) -> None:
    run, verdict = judged("leaking")
    by_audio = with_memory(
        verdict, growth_per_audio_s=Estimate(2048.0, 1024.0, 3072.0), follows=Follows.AUDIO
    )
    text = page_of(run, by_audio).text
    assert "Growth per audio second +2 KiB 1 to 3 KiB, each bound 90 %" in text
    assert "Growth follows the seconds of audio" in text


def test_nothing_is_fetched_and_the_page_is_one_file(any_name: str, seen: Seen) -> None:
    page = seen(any_name)
    assert page.links == []
    assert not {"link", "img", "iframe", "object"} & set(page.tags)


def test_no_chart_box_is_empty(any_name: str, document: Callable[[str], str], seen: Seen) -> None:
    boxes = set(re.findall(r'data-chart="(\w+)"', document(any_name)))
    charts = seen(any_name).charts
    assert boxes == set(charts)
    assert all(chart["data"] for chart in charts.values())


@pytest.mark.parametrize(
    ("name", "absent"),
    [
        (
            "bare_csv",
            [
                "What else the run shows",
                "Other resources",
                "Latency",
                "Heap of the server",
                "How it was run",
                "Reproduce",
            ],
        ),
        ("attached", ["Heap of the server", "Sessions alive", "Live sessions", "PSS"]),
        ("short_lived", ["Growth per hour +", "Latency", "open connections"]),
        ("nothing_read", ["Memory over time", "Start", "ready to use", "nan"]),
    ],
)
def test_what_was_not_recorded_is_left_out(seen: Seen, name: str, absent: list[str]) -> None:
    text = seen(name).text
    for words in absent:
        assert words not in text
    assert "n/a n/a" not in text


def test_a_server_that_died_is_told_from_one_that_grew(seen: Seen) -> None:
    text = seen("crashed").text
    assert text.index("The server died") < text.index("Start 894 MiB")
    assert "killed by the kernel for want of memory (OOM)" in text
    assert "decode <b>failed</b>: std::bad_alloc" in text
    assert "last line of the recording was cut off" in text


def test_an_inconclusive_run_says_what_would_settle_it(seen: Seen) -> None:
    text = seen("short_lived").text
    assert "Inconclusive" in text
    assert "Only 2 readings to judge" in text
    assert "about 9 min more" in text


def test_text_of_the_run_is_never_markup(judged: Judged, seen: Seen) -> None:
    run, verdict = judged("healthy")
    attack = "</script><script>alert(1)</script><img src=http://x/y>"
    changed = {"name": attack, "command_line": ["soak", attack], "host": {"kernel": attack}}
    manifest = Manifest.of({**run.manifest.to_json_object(), **changed})
    happened = [*run.events, ConnectionFailed(t_s=5.0, kind=attack)]
    run = replace(run, manifest=manifest, events=happened)
    page = page_of(run, saying(verdict, attack))
    harmless = seen("healthy")
    assert page.tags.count("script") == harmless.tags.count("script")
    assert page.links == []
    assert attack in page.text


def test_a_day_long_run_stays_light(judged: Judged, document: Callable[[str], str], seen: Seen) -> None:
    run, _ = judged("long")
    assert len(run.samples) > 40_000
    assert len(document("long")) < len(get_plotlyjs()) + 1_000_000
    for chart in seen("long").charts.values():
        for trace in chart["data"]:
            assert _points(trace["y"]) <= MAX_POINTS + 2


def _points(values: Any) -> int:
    """Points of a trace: a list, or base64 of numbers."""
    if isinstance(values, list):
        return len(values)
    size = np.dtype(values["dtype"]).itemsize
    return int(len(values["bdata"]) * 3 // 4 // size)


def test_gaps_in_the_readings_do_not_break_the_report(judged: Judged) -> None:
    run, verdict = judged("healthy")
    samples = run.samples.copy()
    samples.loc[100:160, samples.columns.drop(["t_s", "phase"])] = np.nan
    text = page_of(replace(run, samples=samples), verdict).text
    assert "Memory plateaus" in text


def test_readings_taken_more_seldom_than_samples_are_joined(judged: Judged) -> None:
    run, verdict = judged("healthy")
    samples = run.samples.copy()
    seldom = ["server_heap_in_use_bytes", "server_heap_free_bytes", "server_sessions_alive"]
    samples.loc[1::2, seldom] = np.nan
    charts = page_of(replace(run, samples=samples), verdict).charts
    drawn = [_numbers(charts[key]["data"][0]["y"]) for key in ("heap", "server_sessions_alive")]
    assert [len(values) for values in drawn] == [len(samples) / 2] * 2
    assert all(np.isfinite(values).all() for values in drawn)
    assert drawn[0].min() > 400  # MiB: no reading that is missing is drawn as zero


def _numbers(values: dict[str, str]) -> np.ndarray[Any, Any]:
    return np.frombuffer(base64.b64decode(values["bdata"]), values["dtype"])


def test_every_light_colour_has_one_dark_counterpart() -> None:
    assert LIGHT.keys() == DARK.keys()
    assert len(set(LIGHT.values())) == len(LIGHT)
