"""The verdict in words: the headline, the one sentence that says why, and the key figures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from soak.analyse.reasons import TO_SETTLE
from soak.analyse.resources import RESOURCE_NAMES, best_growth, climbing, count_rate, memory_label
from soak.quantity import (
    MISSING,
    format_bytes,
    format_count,
    format_duration,
    format_interval,
    format_level,
    format_percent,
    format_rate,
    is_known,
)
from soak.record.transcripts import Transcripts
from soak.report.evidence import duration_s, last_value
from soak.verdict.verdict import Follows, Label

if TYPE_CHECKING:
    from soak.record import Run
    from soak.verdict.verdict import Estimate, Verdict

HEADLINES = {
    "plateau": "Memory plateaus",
    "inconclusive": "Inconclusive",
}
SIGNS = {"plateau": "✓", "climbing": "▲", "inconclusive": "?"}
"""Shapes that tell the verdicts apart without colour."""

CONFIDENCE = "95 %"


@dataclass(frozen=True)
class Figure:
    """One key figure."""

    label: str
    value: str
    note: str = ""
    """What qualifies the value: its interval, when it was reached, how it compares."""


@dataclass(frozen=True)
class Banner:
    """What a report says first."""

    sign: str
    """A shape that stands for it."""
    headline: str
    tone: str
    """``plateau``, ``climbing``, ``inconclusive`` or ``failed``: the colour."""


def label_of(verdict: Verdict) -> str:
    """Return ``plateau``, ``climbing`` or ``inconclusive``."""
    return str(verdict.verdict.value)


def banner(run: Run, verdict: Verdict) -> Banner:
    """Return what stands on top: the verdict, or first of all that the server failed."""
    label = label_of(verdict)
    memory = {"plateau": "plateaus", "climbing": "was climbing", "inconclusive": "inconclusive"}[
        str(memory_label(verdict))
    ]
    if run.last_event("server_exited") is not None:
        return Banner("✕", f"The server died; memory: {memory}", "failed")
    if (run.last_event("run_ended") or {}).get("reason") == "not_ready":
        return Banner("✕", "The server never answered", "failed")
    return Banner(SIGNS[label], HEADLINES.get(label) or _climbs(verdict), label)


def _climbs(verdict: Verdict) -> str:
    """Say what climbs: memory, other resources, or both."""
    names = ["memory"] if memory_label(verdict) is Label.CLIMBING else []
    names += [RESOURCE_NAMES[column].lower() for column in climbing(verdict)]
    listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    return f"{listed[:1].upper()}{listed[1:]} {'keeps' if names == ['memory'] else 'keep'} climbing"


def sentence(verdict: Verdict) -> str:
    """Say why the verdict is what it is: the judge's first reason, or the growth where it gave none."""
    if verdict.reasons:
        first = verdict.reasons[0]
        return f"{first[:1].upper()}{first[1:]}" + ("" if first.endswith((".", "!", "?")) else ".")
    growth = verdict.growth_bytes_per_hour
    if not (is_known(growth.low) and is_known(growth.high)):
        return "There are too few readings to fit a trend."
    interval = format_interval(growth.low, growth.high, "h")
    return f"Growth after warm-up: {format_rate(growth.estimate)} ({CONFIDENCE} interval {interval})."


def further_reasons(verdict: Verdict) -> tuple[str, ...]:
    """Return the reasons that neither `sentence` nor `settling_sentence` says."""
    return tuple(reason for reason in verdict.reasons[1:] if not reason.startswith(TO_SETTLE))


def settling_sentence(verdict: Verdict) -> str | None:
    """Say what would settle an inconclusive verdict, in the judge's words or from its numbers."""
    if verdict.verdict is not Label.INCONCLUSIVE:
        return None
    said = next((reason for reason in verdict.reasons[1:] if reason.startswith(TO_SETTLE)), None)
    if said is not None or verdict.settling is None:
        return said
    more_seconds, more_connections = verdict.settling.more_seconds, verdict.settling.more_connections
    ways = []
    if is_known(more_seconds):
        ways.append(f"{format_duration(more_seconds)} more")
    if is_known(more_connections):
        ways.append(f"{format_count(more_connections)} more connections")
    return f"{TO_SETTLE} at the noise seen so far: about {' or '.join(ways)}." if ways else None


def death(run: Run, verdict: Verdict) -> str | None:
    """Say how the server died, if it did and the judge's first reason does not say it already."""
    died = run.last_event("server_exited")
    if died is None or (verdict.reasons and verdict.reasons[0].startswith("The server died")):
        return None
    stamp = died.get("t_s")
    when = f" after {format_duration(stamp)}" if isinstance(stamp, int | float) else ""
    how = died.get("how")
    return f"The server died{when}{f': {how}' if how else ''}."


def log_tail(run: Run) -> str:
    """Return the last lines of the server's log, kept when it died; empty otherwise."""
    lines = (run.last_event("server_exited") or {}).get("log_tail")
    return "\n".join(map(str, lines)) if isinstance(lines, list) else ""


def warnings(run: Run, verdict: Verdict) -> list[str]:
    """Return what a reader must not overlook: a death, changed transcripts, an interruption, a cut file."""
    died = death(run, verdict)
    found = [died] if died else []
    transcripts = Transcripts.of(run)
    if transcripts is not None and transcripts.warning is not None:
        found.append(transcripts.warning)
    if any(event.get("event") == "interrupted" for event in run.events):
        found.append("The run was interrupted; the verdict is drawn from what was recorded until then.")
    if run.torn:
        found.append(
            "The last line of the recording was cut off (a kill or a full disk); "
            "everything before it was used."
        )
    return found


def key_figures(run: Run, verdict: Verdict) -> list[Figure]:
    """Return the figures that tell the run's story, in reading order; those not known are left out."""
    # the judge has zeros where nothing was read
    start, peak = (size if size > 0 else None for size in (verdict.start_bytes, verdict.peak_bytes))
    figures = [
        Figure("Start", format_level(start)),
        _level(run, verdict),
        Figure("Peak", format_level(peak)),
        _growth("Growth per hour", verdict.growth_bytes_per_hour, "h"),
        *_growth_by_work(verdict),
    ]
    smallest = verdict.minimum_detectable_bytes_per_hour
    budget = f"accepted: up to {format_rate(verdict.budget_bytes_per_hour, signed=False)}"
    if is_known(smallest):
        figures.append(Figure("Smallest growth it could see", format_rate(smallest, signed=False), budget))
    figures += [_climb(verdict, column) for column in climbing(verdict)]
    figures += [_connections(run), *_transcripts(run)]
    figures.append(Figure("Duration", format_duration(duration_s(run) or verdict.duration_s), _samples(run)))
    return [figure for figure in figures if figure.value != MISSING]


def _level(run: Run, verdict: Verdict) -> Figure:
    if verdict.plateau_bytes is not None:
        note = f"{format_bytes(verdict.plateau_bytes - verdict.start_bytes, signed=True)} since start"
        if verdict.plateau_at_s is not None:
            note = f"after {format_duration(verdict.plateau_at_s)}; {note}"
        return Figure("Plateau", format_level(verdict.plateau_bytes), note)
    end = last_value(run, "rss_bytes")
    note = "" if end is None else f"{format_bytes(end - verdict.start_bytes, signed=True)} since start"
    return Figure("End", format_level(end), note if is_known(verdict.start_bytes) else "")


def _growth(label: str, growth: Estimate, per: str | None) -> Figure:
    value = format_rate(growth.estimate, per) if per else format_bytes(growth.estimate, signed=True)
    interval = format_interval(growth.low, growth.high)
    return Figure(label, value, f"{CONFIDENCE}: {interval}" if interval != MISSING else "interval not known")


def _growth_by_work(verdict: Verdict) -> list[Figure]:
    """Return the growth per connection, or per second of audio where that explains it best."""
    each, second = verdict.growth_bytes_per_connection, verdict.growth_bytes_per_audio_s
    if second is not None and (each is None or verdict.follows is Follows.AUDIO):
        return [_growth("Growth per audio second", second, None)]
    return [] if each is None else [_growth("Growth per connection", each, None)]


def _climb(verdict: Verdict, column: str) -> Figure:
    resource = verdict.resources[column]
    value = f"{format_count(resource.start)} → {format_count(resource.end)}"
    growth, unit = best_growth(resource)
    return Figure(RESOURCE_NAMES[column], value, f"{count_rate(growth.estimate)} {unit}")


def _connections(run: Run) -> Figure:
    completed = last_value(run, "connections_completed")
    failed = last_value(run, "connections_failed")
    note = "" if failed is None else f"{format_count(failed)} failed"
    return Figure("Connections completed", format_count(completed), note)


def _transcripts(run: Run) -> list[Figure]:
    transcripts = Transcripts.of(run)
    if transcripts is None or not transcripts.connections:
        return []
    changed, connections = format_count(transcripts.changed), format_count(transcripts.connections)
    rate = transcripts.character_error_rate
    if rate is None:
        return [Figure("Transcripts changed", changed, f"of {connections}")]
    note = f"{changed} of {connections} transcripts changed"
    if transcripts.checked < transcripts.connections:
        note += f"; {format_count(transcripts.checked)} had a reference"
    if _has_random_weights(run):
        note += "; random weights: the text means nothing"
    return [Figure("Character error rate", format_percent(rate), note)]


def _has_random_weights(run: Run) -> bool:
    """Whether the server is the bundled one with its large model, which is not trained."""
    server = (run.manifest.get("configuration") or {}).get("server") or {}
    return bool(server.get("model") == "large")


def _samples(run: Run) -> str:
    return f"{format_count(len(run.samples))} samples"
