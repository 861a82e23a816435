"""How the server failed is learnt once, and told by headline, warnings and time axis alike."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from soak.judging.ending import failure_of
from soak.record.events import NotReady, RunEnded, ServerExited
from soak.report.model.failure import TargetFailure
from tests.unit.soak.report.synthetic import joined, told

if TYPE_CHECKING:
    from collections.abc import Callable

    from soak.record import Run
    from soak.record.events import Event
    from soak.report.model import ReportModel
    from soak.verdict.run_verdict import RunVerdict

    Judged = Callable[[str], tuple[Run, RunVerdict]]
    Told = Callable[[str], ReportModel]


def failed(run: Run, verdict: RunVerdict, *happened: Event) -> ReportModel:
    """What is told of a run to which more happened."""
    ended = replace(run, events=[*run.events, *happened])
    return told(ended, joined(replace(verdict.evidence, failure=failure_of(ended))))


def test_a_death_is_the_headline_and_its_sentence_and_within_the_axis(judged: Judged) -> None:
    died = ServerExited(t_s=650.0, how="signal 11", log_tail=("a", "b"))
    model = failed(*judged("healthy"), died)
    assert model.failure == TargetFailure(died=True, died_at_s=650.0, log_tail="a\nb")
    assert (model.headline.tone, model.headline.sign) == ("failed", "✕")
    assert model.headline.headline.startswith("The server died")
    assert model.headline.sentence == "The server died 650 s into the run: signal 11."
    assert model.axis.to_s == 650.0
    assert model.memory is not None
    assert [mark.label for mark in model.memory.marks] == ["server died"]
    said = [model.headline.sentence, *model.headline.warnings, *model.headline.reasons]
    assert sum("died" in sentence for sentence in said) == 1


def test_a_server_that_never_answered_did_not_die(judged: Judged) -> None:
    refused = NotReady(detail="connection refused")
    model = failed(*judged("short_lived"), refused, RunEnded(t_s=3.0, reason="not_ready"))
    assert model.failure == TargetFailure(died=False)
    assert model.headline.headline == "No answer from the server"
    assert "connection refused" in model.headline.sentence
    assert (model.headline.settling, model.headline.confidence) == (None, "")


def test_a_run_that_was_stopped_or_grew_has_no_failure(model: Told) -> None:
    assert model("leaking").failure is None
    assert model("long").failure is None
