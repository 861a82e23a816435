"""The levels that a run is told by, each with one owner."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from soak.report.model.levels import Levels
from soak.report.model.readings import Readings

if TYPE_CHECKING:
    from collections.abc import Callable

    from soak.record import Run
    from soak.verdict.run_verdict import RunVerdict

    Judged = Callable[[str], tuple[Run, RunVerdict]]


def levels_of(run: Run, verdict: RunVerdict) -> Levels:
    return Levels.of(Readings(run.samples), verdict)


def test_a_plateau_is_the_level_that_was_reached(judged: Judged) -> None:
    run, verdict = judged("healthy")
    levels = levels_of(run, verdict)
    assert levels.has_plateau
    assert levels.reached_bytes == levels.settled_bytes
    assert verdict.memory.level is not None
    assert levels.reached_bytes == round(verdict.memory.level)
    assert levels.growth_bytes == levels.reached_bytes - verdict.memory.start


def test_without_a_plateau_a_reader_is_told_the_end_and_runs_are_compared_by_quiet_windows(
    judged: Judged,
) -> None:
    run, verdict = judged("leaking")
    levels = levels_of(run, verdict)
    assert levels.reached_bytes == levels.end_bytes == run.samples["rss_bytes"].iloc[-1]
    assert levels.quiet_bytes is not None
    assert levels.settled_bytes == levels.quiet_bytes
    assert levels.quiet_bytes < run.samples["rss_bytes"].tail(60).max()
    assert levels_of(replace(run, samples=run.samples[["t_s", "rss_bytes"]]), verdict).quiet_bytes is None


def test_of_a_run_in_which_nothing_was_read_no_level_is_known(judged: Judged) -> None:
    levels = levels_of(*judged("nothing_read"))
    assert levels == Levels(
        start_bytes=None,
        plateau_bytes=None,
        plateau_at_s=None,
        end_bytes=None,
        quiet_bytes=None,
        peak_bytes=None,
    )
    assert levels.growth_bytes is None
