"""How the reports tell of transcripts: the error rate, recording by recording, and what changed."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from soak.record.events import ClipCounts, FirstTranscript, TranscriptCounts
from soak.report.markdown import render_markdown
from soak.report.model.pictures.error_rates import WINDOWS, error_rates
from soak.report.model.readings import Readings
from soak.report.model.tables.transcripts import MAX_ROWS, TranscriptTable
from soak.report.model.transcripts_alike import transcript_notes
from soak.report.terminal import render_terminal
from tests.unit.soak.report.synthetic import told

if TYPE_CHECKING:
    from collections.abc import Callable

    from soak.record import Run
    from soak.report.model import ReportModel
    from soak.verdict.run_verdict import RunVerdict

    Judged = Callable[[str], tuple[Run, RunVerdict]]
    Told = Callable[[str], ReportModel]

WARNING = "22 of 1,220 transcripts changed: connection 1000 got “seven 三八一零”"


def terminal(model: ReportModel) -> str:
    stream = io.StringIO()
    Console(file=stream, width=80).print(render_terminal(model))
    return " ".join(stream.getvalue().split())


def with_columns(run: Run, **columns: Any) -> Run:
    return replace(run, samples=run.samples.assign(**columns))


def without(run: Run, *names: str) -> Run:
    return replace(run, events=[event for event in run.events if event.name not in names])


def table_of(run: Run, verdict: RunVerdict) -> TranscriptTable:
    table = told(run, verdict).transcript_table
    assert table is not None
    return table


def test_the_error_rate_is_told_with_the_verdict_everywhere(
    model: Told, document: Callable[[str], str]
) -> None:
    healthy = model("healthy")
    assert "Character error rate 2.1 % 0 of 1,220 transcripts changed" in terminal(healthy)
    words = "| Character error rate | 2.1 % | 0 of 1,220 transcripts changed |"
    assert words in render_markdown(healthy)
    assert 'Character error rate</div><div class="value">2.1 %' in document("healthy")


def test_changed_transcripts_are_a_warning_everywhere_whatever_the_verdict(
    model: Told, document: Callable[[str], str]
) -> None:
    corrupted = model("corrupted")
    assert corrupted.headline.label == "plateau"
    assert f"! {WARNING}" in terminal(corrupted)
    assert f"> **Note:** {WARNING}" in render_markdown(corrupted)
    page = document("corrupted")
    assert f'<p class="warning"><strong>Note.</strong> {WARNING}' in page
    assert "connection 1036: 六二八" in page
    assert "connection 1072: (nothing)" in page


def test_a_run_of_before_transcripts_were_checked_tells_what_it_has(model: Told) -> None:
    before = model("before_transcripts")
    text = terminal(before)
    assert "Transcripts changed 1 of 1,220" in text
    assert "! 1 of 1,220 transcripts changed: a connection got “two” for a where the first got “one”." in text
    assert "error rate" not in text
    assert before.transcript_table is None
    assert "error_rate" not in {chart.key for chart in before.small_charts}


def test_a_csv_of_somebody_else_says_nothing_of_transcripts(model: Told) -> None:
    bare = model("bare_csv")
    assert bare.transcripts is None
    assert "ranscript" not in terminal(bare)
    assert "ranscript" not in render_markdown(bare)


def test_random_weights_are_named_where_they_make_the_text_meaningless(
    configured: Callable[..., ReportModel],
) -> None:
    assert "random weights: the text means nothing" in terminal(configured(model="large"))


def test_recordings_without_a_reference_are_only_compared_with_themselves(judged: Judged) -> None:
    run, verdict = judged("healthy")
    half = np.floor(run.samples["connections_completed"] / 2)
    assert "; 610 had a reference" in terminal(told(with_columns(run, transcripts_checked=half), verdict))
    none = with_columns(run, transcripts_checked=0, character_errors=0, reference_characters=0)
    assert "Transcripts changed 0 of 1,220" in terminal(told(none, verdict))


def test_the_table_has_every_recording_with_what_is_said_and_what_came(judged: Judged) -> None:
    table = table_of(*judged("corrupted"))
    rows = {row.clip: row for row in table.rows}
    assert list(rows) == sorted(rows)
    wrong = rows["en-m3-01-digits"]
    assert (wrong.reference, wrong.transcript, wrong.cer) == ("five", "nine", "50 %")
    assert (wrong.connections, wrong.changed, wrong.has_changed) == ("200", "0", False)
    # two changes of it are recorded, though it was counted when there was only one
    assert (rows["en-f2-03-digits"].changed, rows["en-f2-03-digits"].has_changed) == ("2", True)
    assert table.note == ""


def test_a_run_that_was_killed_has_its_table_with_the_counts_it_got_to(judged: Judged) -> None:
    run, verdict = judged("healthy")
    killed = table_of(without(run, "load_ended", "run_ended"), verdict)
    assert killed.note == "Counted up to 9 min 59 s."
    early = table_of(without(run, "transcripts", "load_ended", "run_ended"), verdict)
    assert early.note == "The run ended too early for counts."
    assert {row.connections for row in early.rows} == {"n/a"}
    assert [row.cer for row in early.rows if row.clip == "en-m3-01-digits"] == ["50 %"]


def test_of_a_great_many_recordings_the_worst_are_shown(judged: Judged) -> None:
    run, verdict = judged("healthy")
    first = run.events_of(FirstTranscript)[0]
    names = [f"clip-{number:03}" for number in range(3 * MAX_ROWS)]
    events = [first.model_copy(update={"clip": name}) for name in names]
    counts = tuple(
        ClipCounts(
            clip=name,
            connections=5,
            transcripts_changed=int(name == "clip-149"),
            character_errors=number,
            reference_characters=1000,
        )
        for number, name in enumerate(reversed(names))
    )
    counted = TranscriptCounts(t_s=1.0, clips=counts)
    table = table_of(replace(run, events=[*events, counted]), verdict)
    assert [row.clip for row in table.rows] == [*names[: MAX_ROWS - 1], "clip-149"]
    assert table.note.startswith("100 more recordings are in events.jsonl.")


def test_each_block_has_its_own_error_rate(judged: Judged) -> None:
    run, _ = judged("corrupted")
    rates = error_rates(Readings(run.samples))
    assert rates is not None
    healthy, sick = rates.t_s < 320, rates.t_s > 370
    assert rates.rate[healthy] == pytest.approx(0.021, abs=0.004)
    assert (rates.rate[sick] > 0.04).all()
    assert rates.changed.sum() == 22
    assert not rates.changed[healthy].any()
    assert (np.diff(rates.t_s) > 0).all()


def test_a_run_without_blocks_is_cut_into_windows() -> None:
    count = 600
    samples = pd.DataFrame(
        {
            "t_s": np.arange(count, dtype=float),
            "rss_bytes": np.full(count, 1e8),
            "transcripts_changed": np.zeros(count),
            "character_errors": np.where(np.arange(count) < 300, 0.0, np.arange(count) - 299.0),
            "reference_characters": np.arange(count) * 10.0,
        }
    )
    samples.loc[samples.index % 7 == 3, "character_errors"] = np.nan  # a driver that was late
    rates = error_rates(Readings(samples))
    assert rates is not None
    assert WINDOWS - 1 <= len(rates.rate) <= WINDOWS + 1
    assert rates.rate[rates.t_s < 280].max() == 0
    assert rates.rate[rates.t_s > 320] == pytest.approx(0.1, abs=0.02)


def test_without_transcripts_there_is_no_chart(judged: Judged) -> None:
    run, _ = judged("healthy")
    unheard = with_columns(run, character_errors=0.0, reference_characters=0.0)
    assert error_rates(Readings(unheard.samples)) is None
    assert error_rates(Readings(with_columns(run, character_errors=np.nan).samples)) is None


def test_runs_of_one_model_must_agree_recording_for_recording(
    configured: Callable[..., ReportModel], model: Told
) -> None:
    one, many = configured(name="one", max_open=1), configured(name="many", max_open=32)
    (note,) = transcript_notes([one, many])
    assert note.text == "Transcripts agree in all runs, recording for recording (6 compared)."
    assert not note.is_warning
    assert many.transcripts is not None
    clips = tuple(
        replace(clip, transcript="fife") if clip.clip == "en-m3-01-digits" else clip
        for clip in many.transcripts.clips
    )
    heard = replace(many, transcripts=replace(many.transcripts, clips=clips))
    (note,) = transcript_notes([one, heard])
    assert note.text == "many: 1 of 6 recordings have another transcript than in one: en-m3-01-digits"
    assert note.is_warning
    assert not transcript_notes([one, configured(name="many", model="large")])
    (note,) = transcript_notes([one, model("corrupted")])
    assert note.text == "corrupted: 22 of 1,220 transcripts changed."
    assert not transcript_notes([one, model("bare_csv")])
