"""How the server failed is learnt once, and told by headline, warnings and time axis alike."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from soak.record.events import RunEnded, ServerExited
from tests.unit.soak.report.synthetic import told

if TYPE_CHECKING:
    from collections.abc import Callable

    from soak.record import Run
    from soak.report.model import ReportModel
    from soak.verdict.run_verdict import RunVerdict

    Judged = Callable[[str], tuple[Run, RunVerdict]]
    Told = Callable[[str], ReportModel]


def test_a_death_is_the_headline_and_a_warning_and_within_the_axis(judged: Judged) -> None:
    run, verdict = judged("healthy")
    died = ServerExited(t_s=650.0, how="signal 11", log_tail=("a", "b"))
    model = told(replace(run, events=[*run.events, died]), verdict)
    assert model.failure is not None
    assert model.failure.died
    assert model.failure.log_tail == "a\nb"
    assert (model.headline.tone, model.headline.sign) == ("failed", "✕")
    assert model.headline.headline == "The server died; memory: plateaus"
    assert "The server died after 10 min 50 s: signal 11." in model.headline.warnings
    assert model.axis.to_s == 650.0
    assert model.memory is not None
    assert [mark.label for mark in model.memory.marks] == ["server died"]


def test_a_death_that_the_judge_tells_is_told_once(judged: Judged) -> None:
    run, verdict = judged("crashed")
    head = told(run, verdict).headline
    assert head.death is None
    assert not any("died" in warning for warning in head.warnings)


def test_a_server_that_never_answered_did_not_die(judged: Judged) -> None:
    run, verdict = judged("short_lived")
    ended = RunEnded(t_s=3.0, reason="not_ready")
    model = told(replace(run, events=[ended]), verdict)
    assert model.failure is not None
    assert not model.failure.died
    assert model.headline.headline == "No answer from the server"
    assert model.headline.warnings == ()


def test_a_run_that_was_stopped_or_grew_has_no_failure(model: Told) -> None:
    assert model("leaking").failure is None
    assert model("long").failure is None
