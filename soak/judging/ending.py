"""How a recorded run ended: whether the target failed, and why a run until decided stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from soak.record.events import NotReady, RunEnded, ServerExited
from soak.verdict.reason import Reason, ReasonKind
from soak.verdict.run_verdict import Failure
from soak.verdict.verdict import Label

if TYPE_CHECKING:
    from soak.record import Run
    from soak.record.events import FinalLook
    from soak.verdict.verdict import SeriesVerdict


def failure_of(run: Run) -> Failure | None:
    """Return how the target failed: it died, or never gave a first result. None if it did not."""
    died = run.last_event(ServerExited)
    if died is not None:
        return Failure(Reason(ReasonKind.SERVER_DIED, {"t_s": died.t_s, "how": died.how}), died=True)
    ended = run.last_event(RunEnded)
    if ended is not None and ended.reason == "not_ready":
        missed = run.last_event(NotReady) or NotReady()
        return Failure(
            Reason(ReasonKind.NEVER_ANSWERED, {"detail": missed.detail or missed.kind}), died=False
        )
    return None


def notes_of(run: Run) -> tuple[Reason, ...]:
    """Return what must be known of the recording: that it was cut off, or cannot all be used."""
    notes = []
    # one without a manifest was made by another program
    if run.manifest.is_recorded and run.last_event(RunEnded) is None and failure_of(run) is None:
        notes.append(Reason(ReasonKind.NO_END))
    if run.faults:
        first, *others = run.faults
        notes.append(Reason(ReasonKind.EVENTS_UNUSED, {"first": first, "more": len(others)}))
    return tuple(notes)


def final_look_reason(look: FinalLook, memory: SeriesVerdict) -> Reason:
    """Return why a run until decided ended when it did, and what a plateau therefore does not say."""
    facts = {"duration_s": look.duration_s, "connections": look.connections}
    if not look.stopped_early:
        return Reason(ReasonKind.WENT_TO_ITS_END, facts)
    per_hour = memory.budget_per_hour if memory.label is Label.PLATEAU else None
    per_connection, connections = None, memory.connections_judged
    if per_hour is not None and connections is not None and look.up_to_s > 0:
        per_second = connections / look.up_to_s
        per_connection = per_hour / 3600.0 / per_second if per_second > 0 else None
    more = {
        "verdict": str(look.verdict),
        "up_to_s": look.up_to_s,
        "looks": look.looks,
        "excluded_per_hour": per_hour,
        "excluded_per_connection": per_connection,
    }
    return Reason(ReasonKind.STOPPED_EARLY, facts | more)
