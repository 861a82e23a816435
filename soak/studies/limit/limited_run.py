"""What became of the server in one run of a load with a memory limit, or without."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from scipy import stats

from soak.errors import ExitCode
from soak.json_values import without_nan
from soak.record import read_run
from soak.studies.conduct import Charge, NotStarted

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from soak.record import Run
    from soak.studies.conduct import MadeRun, PlannedRun

TOO_LITTLE = 0.8
"""Of the measured peak."""
SLOWER = 1.2
"""Latency beyond this multiple of the unlimited run's is slower."""
RESAMPLES = 2000
FEWEST_READINGS = 4
SAME, NO_RATIO = (1.0, 1.0, 1.0), (math.nan, math.nan, math.nan)
"""The ratio of the run without a limit to itself, and of a run that tells nothing."""
NOT_COUNTED = Charge(peak_bytes=None, limit_hits=None, oom_kills=0)


class Fate(StrEnum):
    """What became of the server in one run."""

    FINE = "fine"
    SLOWER = "slower"
    NOT_TOLD = "slower or not: not told"
    KILLED = "OOM-killed"
    FAILED = "failed"


@dataclass(frozen=True)
class LimitedRun:
    """One of the three runs."""

    name: str
    """`unlimited`, `advised`, `again` (without a limit, where `advised` was slower) or `too-little`."""
    limit_bytes: int | None
    fate: Fate
    peak_bytes: int | None
    """The most that the cgroup was charged with."""
    limit_hits: int | None
    """How often memory had to be reclaimed because the limit was reached."""
    final_p50_ms: float
    """Median of the samples' medians; NaN when no connection was answered."""
    latency_ratio: tuple[float, float, float]
    """Times the unlimited run's final latency: estimate and 95 % interval (bootstrap of the medians)."""
    completed: int
    run: str | None
    """The name of its directory; None when the server did not even start."""

    def to_json_object(self) -> dict[str, Any]:
        """Return it as JSON-ready values; NaN is null."""
        values: dict[str, Any] = without_nan(asdict(self))
        return values | {"fate": str(self.fate)}

    @classmethod
    def of_json_object(cls, values: dict[str, Any]) -> Self:
        """Read it back; raises `KeyError`, `TypeError` or `ValueError` when it is none."""
        p50_ms = values["final_p50_ms"]
        ratio = [math.nan if each is None else float(each) for each in values["latency_ratio"]]
        read = {
            "fate": Fate(values["fate"]),
            "final_p50_ms": math.nan if p50_ms is None else p50_ms,
            "latency_ratio": tuple(ratio),
        }
        return cls(**(values | read))


def limited_run(planned: PlannedRun, made: MadeRun | NotStarted, unlimited: Run | None) -> LimitedRun:
    """Return what became of the server, by comparison with the run without a limit.

    `unlimited` is None for that run itself.
    """
    limit_bytes = None if planned.memory is None else planned.memory.limit_bytes
    charge = made.charge or NOT_COUNTED
    if isinstance(made, NotStarted):
        return LimitedRun(
            name=planned.name,
            limit_bytes=limit_bytes,
            fate=Fate.KILLED if charge.oom_kills else Fate.FAILED,
            peak_bytes=charge.peak_bytes,
            limit_hits=charge.limit_hits,
            final_p50_ms=math.nan,
            latency_ratio=NO_RATIO,
            completed=0,
            run=None,
        )
    latency_ms = _latency_ms(made.run)
    ratio = SAME if unlimited is None else latency_ratio(latency_ms, _latency_ms(unlimited))
    if charge.oom_kills and unlimited is not None:
        fate = Fate.KILLED
    elif made.exit_code is ExitCode.TARGET_FAILED:
        fate = Fate.FAILED
    else:
        fate = _fate(ratio)
    return LimitedRun(
        name=planned.name,
        limit_bytes=limit_bytes,
        fate=fate,
        peak_bytes=charge.peak_bytes,
        limit_hits=charge.limit_hits,
        final_p50_ms=_median(latency_ms),
        latency_ratio=ratio,
        completed=int(made.run.samples["connections_completed"].max()),
        run=made.run.path.name,
    )


def judged_against(limited: LimitedRun, unlimited: Run, folder: Path) -> LimitedRun:
    """Return `limited`, whose directory is in `folder`, with its latency judged against that of `unlimited`.

    A machine that became slower meanwhile looks like a limit that slows the server down; a run without a
    limit right after the limited one tells them apart.
    """
    if limited.run is None:
        return limited
    ratio = latency_ratio(_latency_ms(read_run(folder / limited.run)), _latency_ms(unlimited))
    return replace(limited, latency_ratio=ratio, fate=_fate(ratio))


def needed_bytes(unlimited: LimitedRun, run: Run) -> int:
    """Return the most that the run without a limit took, as far as it cannot be taken back.

    The charge of a cgroup holds page cache, of the model's file above all, which the kernel drops when memory
    is short; RSS holds libraries that somebody else is charged for. The lesser of the two is nearer.
    """
    rss = int(run.samples["rss_bytes"].max())
    return rss if unlimited.peak_bytes is None else min(rss, unlimited.peak_bytes)


def latency_ratio(
    ours_ms: NDArray[np.float64], unlimited_ms: NDArray[np.float64]
) -> tuple[float, float, float]:
    """Return the ratio of the medians with its 95 % interval, by bootstrap (Efron 1979), seeded."""
    if min(len(ours_ms), len(unlimited_ms)) < FEWEST_READINGS:
        return NO_RATIO

    def ratio(ours: NDArray[np.float64], others: NDArray[np.float64], axis: int = -1) -> Any:
        return np.median(ours, axis=axis) / np.median(others, axis=axis)

    found = stats.bootstrap(
        (ours_ms, unlimited_ms),
        ratio,
        n_resamples=RESAMPLES,
        method="percentile",
        rng=np.random.default_rng(0),
    ).confidence_interval
    return float(ratio(ours_ms, unlimited_ms)), float(found.low), float(found.high)


def _fate(ratio: tuple[float, float, float]) -> Fate:
    _, low, high = ratio
    if high < SLOWER:
        return Fate.FINE
    return Fate.SLOWER if low > 1.0 and ratio[0] > SLOWER else Fate.NOT_TOLD


def _latency_ms(run: Run) -> NDArray[np.float64]:
    """Return the medians of the final latency, one per sample of the blocks of load."""
    samples = run.samples
    return samples.loc[samples["block"] >= 1, "final_p50_ms"].dropna().to_numpy(np.float64)


def _median(latency_ms: NDArray[np.float64]) -> float:
    return float(np.median(latency_ms)) if len(latency_ms) else math.nan
