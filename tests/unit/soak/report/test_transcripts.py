"""How the reports tell of transcripts: the error rate, recording by recording, and what changed."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from soak.record import Run, Transcripts
from soak.report.html import render_html
from soak.report.markdown import render_markdown
from soak.report.text import render_terminal
from soak.report.transcript_chart import WINDOWS, error_rates
from soak.report.transcript_comparison import transcript_notes
from soak.report.transcript_table import MAX_ROWS, transcript_table

if TYPE_CHECKING:
    from collections.abc import Callable

    from soak.verdict.verdict import Verdict

    Judged = Callable[[str], tuple[Run, Verdict]]

WARNING = "22 of 1,220 transcripts changed: connection 1000 got “seven 三八一零”"


def terminal(run: Run, verdict: Verdict) -> str:
    stream = io.StringIO()
    Console(file=stream, width=80).print(render_terminal(run, verdict))
    return " ".join(stream.getvalue().split())


def with_columns(run: Run, **columns: Any) -> Run:
    return replace(run, samples=run.samples.assign(**columns))


def without(run: Run, *names: str) -> Run:
    return replace(run, events=[event for event in run.events if event["event"] not in names])


def test_the_error_rate_is_told_with_the_verdict_everywhere(judged: Judged) -> None:
    run, verdict = judged("healthy")
    assert "Character error rate 2.1 % 0 of 1,220 transcripts changed" in terminal(run, verdict)
    assert "| Character error rate | 2.1 % | 0 of 1,220 transcripts changed |" in render_markdown(
        run, verdict
    )
    assert 'Character error rate</div><div class="value">2.1 %' in render_html(run, verdict)


def test_changed_transcripts_are_a_warning_everywhere_whatever_the_verdict(judged: Judged) -> None:
    run, verdict = judged("corrupted")
    assert verdict.verdict == "plateau"
    assert f"! {WARNING}" in terminal(run, verdict)
    assert f"> **Note:** {WARNING}" in render_markdown(run, verdict)
    page = render_html(run, verdict)
    assert f'<p class="warning"><strong>Note.</strong> {WARNING}' in page
    assert "connection 1036: 六二八" in page
    assert "connection 1072: (nothing)" in page


def test_a_run_of_before_transcripts_were_checked_tells_what_it_has(judged: Judged) -> None:
    run, verdict = judged("before_transcripts")
    text = terminal(run, verdict)
    assert "Transcripts changed 1 of 1,220" in text
    assert "! 1 of 1,220 transcripts changed: a connection got “two” for a where the first got “one”." in text
    assert "error rate" not in text
    assert transcript_table(run) is None
    assert error_rates(run) is None


def test_a_csv_of_somebody_else_says_nothing_of_transcripts(judged: Judged) -> None:
    run, verdict = judged("bare_csv")
    assert Transcripts.of(run) is None
    assert "ranscript" not in terminal(run, verdict)
    assert "ranscript" not in render_markdown(run, verdict)


def test_random_weights_are_named_where_they_make_the_text_meaningless(
    configured: Callable[..., tuple[Run, Verdict]],
) -> None:
    assert "random weights: the text means nothing" in terminal(*configured(model="large"))


def test_recordings_without_a_reference_are_only_compared_with_themselves(judged: Judged) -> None:
    run, verdict = judged("healthy")
    half = np.floor(run.samples["connections_completed"] / 2)
    assert "; 610 had a reference" in terminal(with_columns(run, transcripts_checked=half), verdict)
    none = with_columns(run, transcripts_checked=0, character_errors=0, reference_characters=0)
    assert "Transcripts changed 0 of 1,220" in terminal(none, verdict)


def test_the_table_has_every_recording_with_what_is_said_and_what_came(judged: Judged) -> None:
    run, _ = judged("corrupted")
    table = transcript_table(run)
    assert table is not None
    rows = {row.clip: row for row in table.rows}
    assert list(rows) == sorted(rows)
    wrong = rows["en-m3-01-digits"]
    assert (wrong.reference, wrong.transcript, wrong.cer) == ("five", "nine", "50 %")
    assert (wrong.connections, wrong.changed, wrong.has_changed) == ("200", "0", False)
    # two changes of it are recorded, though it was counted when there was only one
    assert (rows["en-f2-03-digits"].changed, rows["en-f2-03-digits"].has_changed) == ("2", True)
    assert table.note == ""


def test_a_run_that_was_killed_has_its_table_with_the_counts_it_got_to(judged: Judged) -> None:
    run, _ = judged("healthy")
    killed = transcript_table(without(run, "load_ended", "run_ended"))
    assert killed is not None
    assert killed.note == "Counted up to 9 min 59 s."
    early = transcript_table(without(run, "transcripts", "load_ended", "run_ended"))
    assert early is not None
    assert early.note == "The run ended too early for counts."
    assert {row.connections for row in early.rows} == {"n/a"}
    assert [row.cer for row in early.rows if row.clip == "en-m3-01-digits"] == ["50 %"]


def test_of_a_great_many_recordings_the_worst_are_shown(judged: Judged) -> None:
    run, _ = judged("healthy")
    first = next(event for event in run.events if event["event"] == "first_transcript")
    names = [f"clip-{number:03}" for number in range(3 * MAX_ROWS)]
    events = [{**first, "clip": name} for name in names]
    counts = [
        {
            "clip": name,
            "connections": 5,
            "transcripts_changed": int(name == "clip-149"),
            "character_errors": number,
            "reference_characters": 1000,
        }
        for number, name in enumerate(reversed(names))
    ]
    table = transcript_table(
        replace(run, events=[*events, {"event": "transcripts", "t_s": 1.0, "clips": counts}])
    )
    assert table is not None
    assert [row.clip for row in table.rows] == [*names[: MAX_ROWS - 1], "clip-149"]
    assert table.note.startswith("100 more recordings are in events.jsonl.")


def test_each_block_has_its_own_error_rate(judged: Judged) -> None:
    run, _ = judged("corrupted")
    rates = error_rates(run)
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
    rates = error_rates(Run(Path("memory.csv"), {}, samples, [], torn=False))
    assert rates is not None
    assert WINDOWS - 1 <= len(rates.rate) <= WINDOWS + 1
    assert rates.rate[rates.t_s < 280].max() == 0
    assert rates.rate[rates.t_s > 320] == pytest.approx(0.1, abs=0.02)


def test_without_transcripts_there_is_no_chart(judged: Judged) -> None:
    run, _ = judged("healthy")
    assert error_rates(with_columns(run, character_errors=0.0, reference_characters=0.0)) is None
    assert error_rates(with_columns(run, character_errors=np.nan)) is None


def test_runs_of_one_model_must_agree_recording_for_recording(
    configured: Callable[..., tuple[Run, Verdict]], judged: Judged
) -> None:
    one, many = configured(name="one", max_open=1)[0], configured(name="many", max_open=32)[0]
    (note,) = transcript_notes([one, many])
    assert note.text == "Transcripts agree in all runs, recording for recording (6 compared)."
    assert not note.is_warning
    heard = [
        {**event, "transcript": "fife"} if event.get("clip") == "en-m3-01-digits" else event
        for event in many.events
    ]
    (note,) = transcript_notes([one, replace(many, events=heard)])
    assert note.text == "many: 1 of 6 recordings have another transcript than in one: en-m3-01-digits"
    assert note.is_warning
    assert transcript_notes([one, configured(name="many", model="large")[0]]) == []
    (note,) = transcript_notes([one, judged("corrupted")[0]])
    assert note.text == "corrupted: 22 of 1,220 transcripts changed."
    assert transcript_notes([one, judged("bare_csv")[0]]) == []
