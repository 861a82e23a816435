"""Three runs of one load: without a limit, with the advised limit, with four fifths of the peak."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import stats

from soak.errors import ExitCode, TargetError
from soak.json_values import without_nan
from soak.record import read_run
from soak.run.session import run_soak
from soak.targets.memory_cgroup import OwnCgroup

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from rich.console import Console

    from soak.config import SoakConfig
    from soak.record import Run

TOO_LITTLE = 0.8
"""Of the measured peak."""
SLOWER = 1.2
"""Latency beyond this multiple of the unlimited run's is slower."""
RESAMPLES = 2000
FEWEST_READINGS = 4


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
        """Return it as JSON-ready values."""
        values: dict[str, Any] = without_nan(asdict(self))
        return values | {"fate": str(self.fate)}


class Interrupted(Exception):  # noqa: N818 - nothing went wrong
    """The user ended a run before its end."""


def run_unlimited(config: SoakConfig, folder: Path, console: Console) -> tuple[LimitedRun, Run]:
    """Make the run without a limit; raises `TargetError` when the server fails even so."""
    with OwnCgroup.create("unlimited", None) as cgroup:
        result = run_soak(replace(config, name="unlimited"), None, folder, console, cgroup=cgroup.folder)
        peak, hits = cgroup.peak_bytes(), cgroup.limit_hits()
    if result.exit_code is ExitCode.INTERRUPTED:
        raise Interrupted
    if result.exit_code is ExitCode.TARGET_FAILED:
        raise TargetError(f"the server failed without any limit: see {result.run.path}")
    latency_ms = _latency_ms(result.run)
    return (
        LimitedRun(
            "unlimited", None, Fate.FINE, peak, hits, _median(latency_ms), (1.0, 1.0, 1.0),
            _completed(result.run), result.run.path.name,
        ),
        result.run,
    )  # fmt: skip


def run_limited(
    config: SoakConfig, name: str, limit_bytes: int | None, unlimited: Run, folder: Path, console: Console
) -> LimitedRun:
    """Make a run with a limit (None: with none, once more), at the rate of arrivals of the one without."""
    calibrated = unlimited.last_event("calibrated")
    rate_per_s = config.load.rate_per_s if calibrated is None else float(calibrated["rate_per_s"])
    fixed = replace(config, name=name, load=replace(config.load, rate_per_s=rate_per_s))
    with OwnCgroup.create(name, limit_bytes) as cgroup:
        try:
            result = run_soak(fixed, None, folder, console, cgroup=cgroup.folder)
        except TargetError:  # it did not even come up
            killed = cgroup.oom_kills() > 0
            fate = Fate.KILLED if killed else Fate.FAILED
            none = (math.nan, math.nan, math.nan)
            return LimitedRun(
                name, limit_bytes, fate, cgroup.peak_bytes(), cgroup.limit_hits(), math.nan, none, 0, None
            )
        peak, hits, kills = cgroup.peak_bytes(), cgroup.limit_hits(), cgroup.oom_kills()
    if result.exit_code is ExitCode.INTERRUPTED:
        raise Interrupted
    latency_ms = _latency_ms(result.run)
    ratio = latency_ratio(latency_ms, _latency_ms(unlimited))
    if kills:
        fate = Fate.KILLED
    elif result.exit_code is ExitCode.TARGET_FAILED:
        fate = Fate.FAILED
    else:
        fate = _fate(ratio)
    return LimitedRun(
        name, limit_bytes, fate, peak, hits, _median(latency_ms), ratio, _completed(result.run),
        result.run.path.name,
    )  # fmt: skip


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
        return (math.nan, math.nan, math.nan)

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


def _completed(run: Run) -> int:
    return int(run.samples["connections_completed"].max())
