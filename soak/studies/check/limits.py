"""Limits a user sets, and whether a run keeps them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from soak.errors import ExitCode
from soak.quantity import (
    format_count,
    format_level,
    format_milliseconds,
    format_percent,
    format_rate,
    is_known,
)
from soak.studies.check.findings import Finding, Outcome
from soak.studies.compare.run_figures import final_p99_ms
from soak.verdict.verdict import Label
from soak.words import bounds_in_words, sentence

if TYPE_CHECKING:
    from collections.abc import Callable

    from soak.judging import Judgement
    from soak.record import Run
    from soak.verdict.verdict import Estimate

OUTCOME_OF = {
    Label.PLATEAU: Outcome.PASSED,
    Label.CLIMBING: Outcome.FAILED,
    Label.INCONCLUSIVE: Outcome.UNDECIDED,
}


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a run may come to at most; None sets no limit."""

    max_rss_bytes: float | None = None
    """Highest reading of the process's memory."""
    max_growth_bytes_per_hour: float | None = None
    """Growth after warm-up. The judge takes it for its budget, too."""
    max_bytes_per_connection: float | None = None
    """Growth after warm-up, by connection."""
    max_fds: int | None = None
    """Most file descriptors open at once."""
    max_latency_p99_ms: float | None = None
    """99th percentile of the time from the end of the audio to the final result."""
    max_cer: float | None = None
    """Character error rate over the run, as a fraction."""
    max_failed_share: float = 0.01
    """Failed connections among those opened, as a fraction."""


def findings_of(run: Run, judgement: Judgement, limits: Limits) -> list[Finding]:
    """Return the finding on the verdict, on failed connections, and on every limit that is set."""
    verdict = judgement.verdict
    sure = verdict.memory.confidence
    found = [_on_verdict(judgement), _on_failures(run, limits.max_failed_share)]
    if limits.max_rss_bytes is not None:
        found.append(_at_most("max-rss", "peak", verdict.memory.peak, limits.max_rss_bytes, format_level))
    if limits.max_growth_bytes_per_hour is not None:
        found.append(
            _growth("max-growth", verdict.memory.growth_per_hour, sure, limits.max_growth_bytes_per_hour, "h")
        )
    if limits.max_bytes_per_connection is not None:
        growth = verdict.memory.growth_per_connection
        found.append(
            _growth("max-per-connection", growth, sure, limits.max_bytes_per_connection, "connection")
        )
    if limits.max_fds is not None:
        most = _highest(run, "fds")
        found.append(_at_most("max-fds", "most open file descriptors", most, limits.max_fds, format_count))
    if limits.max_latency_p99_ms is not None:
        p99_ms = final_p99_ms(run)
        found.append(
            _at_most(
                "max-latency-p99",
                "final latency, p99",
                p99_ms,
                limits.max_latency_p99_ms,
                format_milliseconds,
            )
        )
    if limits.max_cer is not None:
        transcripts = judgement.transcripts
        rate = None if transcripts is None else transcripts.character_error_rate
        found.append(_at_most("max-cer", "character error rate", rate, limits.max_cer, format_percent))
    return found


def _on_verdict(judgement: Judgement) -> Finding:
    verdict = judgement.verdict
    outcome = OUTCOME_OF[verdict.label]
    if judgement.exit_code is ExitCode.TARGET_FAILED:
        outcome = Outcome.FAILED
    return Finding("verdict", outcome, f"{verdict.label}: {sentence(verdict.reasons[0])}")


def _on_failures(run: Run, limit: float) -> Finding:
    name = "failures"
    failed, completed = _highest(run, "connections_failed"), _highest(run, "connections_completed")
    if failed is None or completed is None or failed + completed == 0:
        return Finding(name, Outcome.SKIPPED, "failed connections were not counted in this run")
    share = failed / (failed + completed)
    words = f"{format_count(failed)} of {format_count(failed + completed)} connections failed"
    return _compared(name, words, share, limit, format_percent(limit))


def _at_most(
    name: str, what: str, value: float | None, limit: float, write: Callable[[float], str]
) -> Finding:
    if value is None or not is_known(value):
        return Finding(name, Outcome.SKIPPED, f"{what}: not recorded in this run")
    return _compared(name, f"{what} {write(value)}", value, limit, write(limit))


def _compared(name: str, words: str, value: float, limit: float, written: str) -> Finding:
    if value <= limit:
        return Finding(name, Outcome.PASSED, f"{words}; allowed are {written}")
    return Finding(name, Outcome.FAILED, f"{words}: more than the {written} allowed")


def _growth(name: str, growth: Estimate | None, confidence: float, limit: float, per: str) -> Finding:
    """Judge by the bounds: both above the limit fail, both within it pass, else it is undecided."""
    if growth is None or not is_known(growth.estimate):
        return Finding(name, Outcome.UNDECIDED, "the run was too short to estimate growth")
    allowed = format_rate(limit, per, signed=False)
    words = (
        f"{format_rate(growth.estimate, per)} ({bounds_in_words(growth.low, growth.high, confidence)}), "
        f"{allowed} allowed"
    )
    if growth.low > limit:
        return Finding(name, Outcome.FAILED, words)
    if growth.high <= limit:
        return Finding(name, Outcome.PASSED, words)
    return Finding(name, Outcome.UNDECIDED, f"{words}: the bounds do not tell")


def _highest(run: Run, column: str) -> float | None:
    if column not in run.samples or run.samples[column].isna().all():
        return None
    return float(run.samples[column].max())
