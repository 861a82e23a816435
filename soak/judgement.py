"""From a recorded run to its verdict and exit code, whether it has just ended or is read again later."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from soak.advice.advise import AdviceContext
from soak.analyse import JudgeSettings, Series, judge
from soak.analyse.attributing import attribute
from soak.analyse.attribution_words import with_attribution
from soak.analyse.in_use import judge_in_use, with_in_use
from soak.analyse.resources import RESOURCE_NAMES, ResourceVerdict, judge_resources, with_resources
from soak.errors import ExitCode, SoakError
from soak.record.events import FinalLook, NotReady, RunEnded, ServerExited
from soak.record.final_look import look_in_words, seen_by
from soak.record.transcripts import Transcripts
from soak.record.whereabouts import readings_of
from soak.verdict.verdict import Label, Verdict
from soak.verdict.verdict_json import to_json_object

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from soak.record import Run
    from soak.verdict.attribution import Attribution

EXIT_CODE_OF = {
    Label.PLATEAU: ExitCode.PLATEAU,
    Label.CLIMBING: ExitCode.CLIMBING,
    Label.INCONCLUSIVE: ExitCode.INCONCLUSIVE,
}
CORES_OVER_SAMPLES = 10
SEVERITY = (ExitCode.TARGET_FAILED, ExitCode.CLIMBING, ExitCode.INCONCLUSIVE, ExitCode.PLATEAU)
"""Which exit code speaks for several runs: the first of these that occurs."""


@dataclass(frozen=True)
class Judgement:
    """What a run comes to."""

    verdict: Verdict
    exit_code: ExitCode
    transcripts: Transcripts | None = None
    """What became of the transcripts; None where they were not counted. They do not change the verdict."""

    def to_json_object(self, source: str | None = None) -> dict[str, Any]:
        """Return what `verdict.json` and `--json` hold: the verdict, and `transcripts` beside it."""
        transcripts = None if self.transcripts is None else self.transcripts.to_json_object()
        return {**to_json_object(self.verdict, source), "transcripts": transcripts}


def judge_run(
    run: Run, settings: JudgeSettings | None = None, *, limit_bytes: int | None = None
) -> Judgement:
    """Judge the samples of `run`, and take into account how it ended.

    Without `settings` those of the run's own configuration hold, without `limit_bytes` the memory limit that
    was recorded. Raises `SoakError` with one line when the samples cannot be judged at all.
    """
    settings = settings or recorded_settings(run)
    transcripts = Transcripts.of(run)
    look = run.last_event(FinalLook)
    if look is not None:
        run = seen_by(look, run)
    try:
        series = series_of(run.samples)
        verdict = judge(series, settings, _advice_context(run, limit_bytes))
        resources = _judge_resources(run.samples, series, verdict, settings)
        in_use = _judge_in_use(run.samples, series, verdict, settings)
        attribution = _attribute(run, verdict, resources)
    except ValueError as error:
        raise SoakError(f"{run.path}: {error}") from error
    failure = _failure(run)
    if failure is not None:
        verdict = with_resources(_after_failure(verdict, failure), resources, first_reasons=1)
        verdict = _with_faults(with_attribution(verdict, attribution), run)
        return Judgement(verdict, ExitCode.TARGET_FAILED, transcripts)
    if look is not None:
        first, *others = verdict.reasons
        verdict = dataclasses.replace(verdict, reasons=(first, look_in_words(look, verdict), *others))
    verdict = with_attribution(with_resources(verdict, resources), attribution)
    verdict = with_in_use(verdict, in_use)
    if run.manifest.is_recorded and run.last_event(RunEnded) is None:
        note = "The recording has no end (the harness was stopped hard): judged up to its last sample."
        verdict = dataclasses.replace(verdict, reasons=(*verdict.reasons, note))
    return Judgement(_with_faults(verdict, run), EXIT_CODE_OF[verdict.verdict], transcripts)


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
        audio_s=_numbers(samples, "audio_s"),
    )


def _numbers(samples: pd.DataFrame, column: str) -> NDArray[np.float64] | None:
    if column not in samples or samples[column].isna().all():
        return None
    return samples[column].to_numpy(np.float64)


def _judge_resources(
    samples: pd.DataFrame, series: Series, memory: Verdict, settings: JudgeSettings
) -> dict[str, ResourceVerdict]:
    """Judge the other resources over the last life of the process, where memory shows that it began anew."""
    counts = {column: _numbers(samples, column) for column in RESOURCE_NAMES}
    return judge_resources(
        {column: numbers for column, numbers in counts.items() if numbers is not None},
        series,
        since_s=memory.last_life_began_s,
        settings=settings,
    )


def _judge_in_use(
    samples: pd.DataFrame, series: Series, memory: Verdict, settings: JudgeSettings
) -> Verdict | None:
    """Judge what malloc has handed out, where the server says it and memory is no plateau by itself."""
    in_use = _numbers(samples, "server_heap_in_use_bytes")
    if in_use is None or memory.verdict is Label.PLATEAU:
        return None
    return judge_in_use(in_use, series, since_s=memory.last_life_began_s, settings=settings)


def _attribute(run: Run, memory: Verdict, resources: dict[str, ResourceVerdict]) -> Attribution | None:
    """Say where the growth of the last life sits, and what it is where something climbs."""
    readings = readings_of(run)
    if readings is None:
        return None
    return attribute(
        readings,
        since_s=memory.last_life_began_s,
        judged_from_s=memory.warm_up_end_s,
        memory_climbs=memory.verdict is Label.CLIMBING,
        climbing=[name for name, each in resources.items() if each.verdict is Label.CLIMBING],
    )


def recorded_settings(run: Run, max_growth_bytes_per_hour: float | None = None) -> JudgeSettings:
    """Return the judge's settings with what the run asked for, or the defaults for a bare CSV.

    Thresholds that the run did not ask to change are those of today's judge, so that an old run is judged as
    a new one. For a run until decided they are those of the look it ended on. `max_growth_bytes_per_hour`
    replaces the budget.
    """
    look = run.last_event(FinalLook)
    asked = {**run.manifest.judge_asked, **({} if look is None else look.judge)}
    try:
        settings = JudgeSettings().with_recorded(asked)
    except (TypeError, ValueError) as error:
        raise SoakError(f"{run.path}: the judge's settings of the recording: {error}") from error
    if max_growth_bytes_per_hour is None:
        return settings
    return dataclasses.replace(settings, max_growth_bytes_per_hour=max_growth_bytes_per_hour)


def _advice_context(run: Run, limit_bytes: int | None) -> AdviceContext:
    """Return what is known of the server and of the load beside its memory."""
    host, server = run.manifest.host, run.manifest.reference_server
    context = AdviceContext(
        limit_bytes=limit_bytes or host.cgroup_limit_bytes,
        cores=host.cores,
        cores_used=_most_cores_used(run.samples),
        peak_open_connections=_peak(run.samples, "open_connections"),
        queue_peak=_peak(run.samples, "server_decode_queue_tasks"),
    )
    if server is None:
        return context
    return dataclasses.replace(
        context,
        decoder_thread_num=server.decoder_thread_num,
        io_thread_num=server.io_thread_num,
        model_thread_num=server.model_thread_num,
    )


def _peak(samples: pd.DataFrame, column: str) -> int | None:
    numbers = _numbers(samples, column)
    return None if numbers is None else int(np.nanmax(numbers))


def _most_cores_used(samples: pd.DataFrame) -> float | None:
    """Return the most CPU seconds per second over any ten samples."""
    cpu_s = _numbers(samples, "cpu_s")
    if cpu_s is None or len(cpu_s) <= CORES_OVER_SAMPLES:
        return None
    t_s = samples["t_s"].to_numpy(np.float64)
    seconds = t_s[CORES_OVER_SAMPLES:] - t_s[:-CORES_OVER_SAMPLES]
    used = (cpu_s[CORES_OVER_SAMPLES:] - cpu_s[:-CORES_OVER_SAMPLES])[seconds > 0] / seconds[seconds > 0]
    known = used[np.isfinite(used)]
    return float(known.max()) if len(known) else None


@dataclass(frozen=True)
class _Failure:
    """How the target failed."""

    reason: str
    """A sentence."""
    died: bool
    """Whether it had run before."""


def _failure(run: Run) -> _Failure | None:
    died = run.last_event(ServerExited)
    if died is not None:
        when = "" if died.t_s is None else f" {died.t_s:.0f} s into the run"
        return _Failure(f"The server died{when}: {died.how}.", died=True)
    ended = run.last_event(RunEnded)
    if ended is not None and ended.reason == "not_ready":
        missed = run.last_event(NotReady) or NotReady()
        what = missed.detail or missed.kind
        return _Failure(f"The server never gave a first result: {what}.", died=False)
    return None


def _with_faults(verdict: Verdict, run: Run) -> Verdict:
    """Say last what of the events could not be used."""
    if not run.faults:
        return verdict
    first, *others = run.faults
    more = f", and {len(others)} more" if others else ""
    note = f"Part of events.jsonl could not be used: {first}{more}."
    return dataclasses.replace(verdict, reasons=(*verdict.reasons, note))


def _after_failure(verdict: Verdict, failure: _Failure) -> Verdict:
    """Put the failure first; a server that died has not shown a plateau, however flat its memory was."""
    verdict = dataclasses.replace(verdict, reasons=(failure.reason, *verdict.reasons))
    if not failure.died:
        return verdict
    verdict = dataclasses.replace(verdict, settling=None)
    if verdict.verdict is not Label.PLATEAU:
        return verdict
    return dataclasses.replace(verdict, verdict=Label.INCONCLUSIVE, plateau_bytes=None, plateau_at_s=None)
