"""The results of an experiment: a row for each mitigation, and which is best for what."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from soak.analyse.repeats import difference, mean_with_interval, ratio
from soak.json_values import without_nan
from soak.quantity import format_bytes
from soak.record.directory import write_json
from soak.redaction import HIDDEN
from soak.studies.conduct import read_kept
from soak.studies.experiment.mitigations import BASELINE, Mitigation
from soak.studies.experiment.plan import MitigationRun, Plan
from soak.studies.measured import Measured

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from soak.verdict.verdict import Estimate

SCHEMA_VERSION = 1
FILE_NAME = "experiment.json"
NO_WORSE = 1.05
"""A mitigation that takes at most so many times the baseline's CPU and latency is no slower for the choice of
the one that is best for both."""


@dataclass(frozen=True)
class MitigationRow:
    """One mitigation over all its repeats; what a comparison needs is NaN with fewer than two pairs."""

    name: str
    words: str
    runs: int
    failed: int
    """Runs in which the server failed."""
    level_bytes: Estimate
    growth_bytes: Estimate
    level_difference_bytes: Estimate
    """Against the baseline, paired by repeat; so are the ratios."""
    cpu_s_per_audio_s: Estimate
    cpu_ratio: Estimate
    final_p50_ms: Estimate
    final_p95_ms: Estimate
    latency_ratio: Estimate
    """Of the median final latency."""
    throughput_per_s: Estimate

    @property
    def lowers_memory(self) -> bool | None:
        """Whether the level is lower than the baseline's: None where no difference is shown."""
        return _shown(self.level_difference_bytes, 0.0)

    @property
    def is_faster(self) -> bool | None:
        """Whether it takes less CPU than the baseline: None where no difference is shown."""
        return _shown(self.cpu_ratio, 1.0)


@dataclass(frozen=True)
class Best:
    """Names of the best mitigations; the baseline where nothing is shown to be better."""

    memory: str
    """The lowest level."""
    speed: str
    """The least CPU time per second of audio."""
    both: str
    """The lowest level among those that are at most 5 % dearer than the baseline in CPU and in latency."""


def rows_of(plan: Plan, trials: Sequence[MitigationRun]) -> list[MitigationRow]:
    """Return a row for each mitigation that has been run, in the plan's order."""
    by_name = {
        each.name: [trial for trial in trials if trial.mitigation == each.name] for each in plan.mitigations
    }
    return [
        _row(each, by_name[each.name], by_name[BASELINE]) for each in plan.mitigations if by_name[each.name]
    ]


def _row(
    mitigation: Mitigation, trials: Sequence[MitigationRun], baseline: Sequence[MitigationRun]
) -> MitigationRow:
    def mean(name: str) -> Estimate:
        return mean_with_interval(list(_by_repeat(trials, name).values()))

    def times(name: str) -> Estimate:
        return ratio(_by_repeat(trials, name), _by_repeat(baseline, name))

    return MitigationRow(
        name=mitigation.name,
        words=mitigation.words,
        runs=len(trials),
        failed=sum(trial.measured is None for trial in trials),
        level_bytes=mean("level_bytes"),
        growth_bytes=mean("growth_bytes"),
        level_difference_bytes=difference(
            _by_repeat(trials, "level_bytes"), _by_repeat(baseline, "level_bytes")
        ),
        cpu_s_per_audio_s=mean("cpu_s_per_audio_s"),
        cpu_ratio=times("cpu_s_per_audio_s"),
        final_p50_ms=mean("final_p50_ms"),
        final_p95_ms=mean("final_p95_ms"),
        latency_ratio=times("final_p50_ms"),
        throughput_per_s=mean("connections_per_s"),
    )


def _by_repeat(trials: Sequence[MitigationRun], name: str) -> dict[int, float]:
    return {trial.repeat: getattr(trial.measured, name) for trial in trials if trial.measured is not None}


def _shown(estimate: Estimate, same: float) -> bool | None:
    """Whether the whole interval lies below `same` (True) or above it (False); None for neither."""
    if estimate.high < same:
        return True
    return False if estimate.low > same else None


def best_of(rows: Sequence[MitigationRow]) -> Best:
    """Choose by the estimates, among those whose difference from the baseline is shown."""
    lower = [row for row in rows if row.lowers_memory]
    faster = [row for row in rows if row.is_faster]
    cheap = [
        row for row in lower if row.cpu_ratio.estimate <= NO_WORSE and row.latency_ratio.estimate <= NO_WORSE
    ]
    return Best(
        memory=_least(lower, "level_bytes"),
        speed=_least(faster, "cpu_ratio"),
        both=_least(cheap, "level_bytes"),
    )


def _least(rows: Sequence[MitigationRow], name: str) -> str:
    return min(rows, key=lambda row: getattr(row, name).estimate).name if rows else BASELINE


def in_words(rows: Sequence[MitigationRow], best: Best) -> str:
    """Say which is best for memory, for speed, and for both."""
    by_name = {row.name: row for row in rows}
    if all(row.runs < 2 for row in rows):
        return "One run of each shows no difference: repeat them (--repeats 3)."
    if best == Best(BASELINE, BASELINE, BASELINE):
        return "Nothing is shown to be better than the baseline, for memory or for speed."
    parts = [_named("memory", best.memory, by_name), _named("speed", best.speed, by_name)]
    return " ".join([*parts, _named("both", best.both, by_name)])


def _named(purpose: str, name: str, rows: dict[str, MitigationRow]) -> str:
    if name == BASELINE:
        return f"Best for {purpose}: nothing is shown to be better than the baseline."
    row = rows[name]
    level = format_bytes(row.level_difference_bytes.estimate, signed=True)
    return f"Best for {purpose}: {name} ({level}, {row.cpu_ratio.estimate:.2f} × the CPU)."


def write_results(
    folder: Path, plan: Plan, trials: Sequence[MitigationRun], skipped: dict[str, str], *, complete: bool
) -> None:
    """Write `experiment.json`: the plan, the runs so far, the rows."""
    rows = rows_of(plan, trials)
    content = {
        "schema_version": SCHEMA_VERSION,
        "complete": complete,
        "plan": plan.to_json_object(),
        "order": [[repeat, each.name] for repeat, each in plan.order()],
        "skipped": skipped,
        "trials": [trial.to_json_object() for trial in trials],
        "rows": [asdict(row) for row in rows],
        "best": asdict(best_of(rows)),
    }
    write_json(folder / FILE_NAME, without_nan(content))


def read_results(folder: Path) -> tuple[Plan, list[MitigationRun], dict[str, str]]:
    """Read the plan, the runs and what was skipped back; raises `SoakError` when there is no experiment."""
    return read_kept(folder / FILE_NAME, "an experiment", SCHEMA_VERSION, _read)


def _read(content: dict[str, Any]) -> tuple[Plan, list[MitigationRun], dict[str, str]]:
    plan = content["plan"]
    if HIDDEN in json.dumps(plan):
        raise ValueError(
            "its settings held a secret, which is not kept: begin anew, with it in soak's own environment"
        )
    mitigations = tuple(
        Mitigation(each["name"], each["words"], each["server"], each["load"]) for each in plan["mitigations"]
    )
    trials = [
        MitigationRun(**{**each, "measured": _measured(each["measured"])}) for each in content["trials"]
    ]
    settings = tuple(plan["settings"])
    return (
        Plan(plan["config"], settings, plan["overrides"], mitigations, plan["repeats"], plan["seed"]),
        trials,
        dict(content["skipped"]),
    )


def _measured(figures: dict[str, float | None] | None) -> Measured | None:
    if figures is None:
        return None
    return Measured(**{name: math.nan if value is None else value for name, value in figures.items()})
