"""From a recorded run to its verdict and exit code, whether it has just ended or is read again later."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from soak.analyse import AdviceContext, JudgeSettings, Label, Series, Verdict, judge
from soak.errors import ExitCode, SoakError

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from soak.record import Run

EXIT_CODE_OF = {
    Label.PLATEAU: ExitCode.PLATEAU,
    Label.CLIMBING: ExitCode.CLIMBING,
    Label.INCONCLUSIVE: ExitCode.INCONCLUSIVE,
}
SEVERITY = (ExitCode.TARGET_FAILED, ExitCode.CLIMBING, ExitCode.INCONCLUSIVE, ExitCode.PLATEAU)
"""Which exit code speaks for several runs: the first of these that occurs."""


@dataclass(frozen=True)
class Judgement:
    """What a run comes to."""

    verdict: Verdict
    exit_code: ExitCode


def judge_run(run: Run, settings: JudgeSettings | None = None) -> Judgement:
    """Judge the samples of `run`, and take into account how it ended.

    Without `settings` those of the run's own configuration hold. Raises `SoakError` with one line when the
    samples cannot be judged at all.
    """
    try:
        verdict = judge(
            series_of(run.samples), settings or recorded_settings(run), _advice_context(run.manifest)
        )
    except ValueError as error:
        raise SoakError(f"{run.path}: {error}") from error
    died = run.last_event("server_exited")
    if died is not None:
        verdict = _after_death(verdict, died)
        return Judgement(verdict, ExitCode.TARGET_FAILED)
    ended = run.last_event("run_ended")
    if ended is not None and ended.get("reason") == "not_ready":
        failure = run.last_event("not_ready") or {}
        note = f"The server never gave a first result: {failure.get('detail') or failure.get('kind', '')}."
        verdict = dataclasses.replace(verdict, reasons=(note, *verdict.reasons))
        return Judgement(verdict, ExitCode.TARGET_FAILED)
    if run.manifest and ended is None:
        note = "The recording has no end (the harness was stopped hard): judged up to its last sample."
        verdict = dataclasses.replace(verdict, reasons=(*verdict.reasons, note))
    return Judgement(verdict, EXIT_CODE_OF[verdict.verdict])


def worst(codes: list[ExitCode]) -> ExitCode:
    """Return the exit code that speaks for several runs; an interruption outweighs all."""
    if ExitCode.INTERRUPTED in codes:
        return ExitCode.INTERRUPTED
    return next(code for code in SEVERITY if code in codes)


def series_of(samples: pd.DataFrame) -> Series:
    """Take from a table of samples what the judge reads; absent or wholly empty columns become None."""
    return Series(
        t_s=samples["t_s"].to_numpy(np.float64),
        rss_bytes=samples["rss_bytes"].to_numpy(np.float64),
        connections_completed=_numbers(samples, "connections_completed"),
        open_connections=_numbers(samples, "open_connections"),
        phase=samples["phase"].to_numpy(np.str_) if "phase" in samples else None,
        swap_bytes=_numbers(samples, "swap_bytes"),
    )


def _numbers(samples: pd.DataFrame, column: str) -> NDArray[np.float64] | None:
    if column not in samples or samples[column].isna().all():
        return None
    return samples[column].to_numpy(np.float64)


def recorded_settings(run: Run) -> JudgeSettings:
    """Return the judge's settings of the run's own configuration, or the defaults for a bare CSV."""
    recorded: dict[str, Any] = run.manifest.get("configuration", {}).get("judge", {})
    known = {field.name for field in dataclasses.fields(JudgeSettings)}
    return JudgeSettings(**{name: value for name, value in recorded.items() if name in known})


def _advice_context(manifest: dict[str, Any]) -> AdviceContext:
    limit = manifest.get("host", {}).get("cgroup_limit_bytes")
    if manifest.get("target", {}).get("kind") != "bundled":
        return AdviceContext(limit_bytes=limit)
    server = manifest.get("configuration", {}).get("server", {})
    return AdviceContext(
        decoder_thread_num=server.get("decoder_thread_num"),
        io_thread_num=server.get("io_thread_num"),
        model_thread_num=server.get("model_thread_num"),
        limit_bytes=limit,
    )


def _after_death(verdict: Verdict, died: dict[str, Any]) -> Verdict:
    """A server that died has not shown a plateau, however flat its memory was."""
    reason = f"The server died {died['t_s']:.0f} s into the run: {died.get('how', 'its process is gone')}."
    verdict = dataclasses.replace(verdict, reasons=(reason, *verdict.reasons), settling=None)
    if verdict.verdict is not Label.PLATEAU:
        return verdict
    return dataclasses.replace(verdict, verdict=Label.INCONCLUSIVE, plateau_bytes=None, plateau_at_s=None)
