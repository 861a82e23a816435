"""Histories of whole machines and containers, as monitoring keeps them: many services, one number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.verdict.frozen.dice import Dice
from benchmarks.verdict.frozen.load import total_until
from benchmarks.verdict.frozen.promise import (
    BUDGET_SHARE,
    LEAST_BUDGETS,
    budget_bytes,
    goes_on,
    kept_promise,
)
from benchmarks.verdict.frozen.swings import saw_tooth, wander
from benchmarks.verdict.trace import Trace
from soak.analyse.series import Series

if TYPE_CHECKING:
    from benchmarks.verdict.frozen.dice import Floats

PART = "machines"
DAY_S, HOUR_S = 86_400.0, 3600.0
INTERVALS_S = (15.0, 30.0, 60.0, 120.0, 300.0, 600.0)
MOST_READINGS = 20_160
"""Two weeks of minutes."""
UNDER_WAY_EACH = 15
HEALTHY = (
    "quiet_host",
    "daily_host",
    "busy_cluster",
    "deployed_often",
    "cron_jobs",
    "page_cache",
    "rebooted",
)
LEAKING = ("one_service", "one_service_daily", "by_cron", "kernel_slab", "tmp_files", "deployed_leak")


@dataclass(frozen=True, eq=False)
class _Host:
    """A machine without leak."""

    used: Floats
    """Bytes in use."""
    trend: Floats
    """What of it rises and ends: cache, warm-ups after deployments."""
    total_bytes: float
    deployed_s: Floats
    """When the service that may leak was deployed anew."""
    traffic: Floats
    """Relative load at each reading, 1 on average."""


def frozen_machines(count: int = 218) -> list[Trace]:
    """Make the first histories of the part, a little under half of them leaking."""
    return [frozen_machine(number) for number in range(count)]


def frozen_machine(number: int) -> Trace:
    """Make one history."""
    dice = Dice(PART, number)
    made = None
    while made is None:
        made = _leaking(dice, number) if number % 11 in (1, 3, 5, 7, 9) else _healthy(dice, number)
    return made


def _healthy(dice: Dice, number: int) -> Trace | None:
    under_way = number % UNDER_WAY_EACH == 2
    family = "page_cache" if under_way else HEALTHY[number % len(HEALTHY)]
    t_s = _times(dice)
    host = _host(dice, t_s, family, under_way=under_way)
    still = float(host.trend[-1] - host.trend[int(t_s.size * 2 / 3)])
    budget = BUDGET_SHARE * float(np.median(host.used))
    if (still < budget) if under_way else (still > budget / 2):
        return None
    name = "filling_page_cache" if under_way else family
    level = float(np.median(host.used[t_s.size // 2 :]))
    series = _recorded(dice, t_s, host.used, _resolution(dice, host))
    return Trace(f"{name}/{number:04d}", name, False, series, 0.0, level_bytes=level)


def _leaking(dice: Dice, number: int) -> Trace | None:
    family = LEAKING[number % len(LEAKING)]
    t_s = _times(dice)
    character = "deployed_leak" if family == "deployed_leak" else dice.one_of(HEALTHY[:6])
    host = _host(dice, t_s, character, under_way=False)
    resolution = _resolution(dice, host)
    onset = dice.flat(0.1, 0.5) if dice.chance(0.25) else 0.0
    leaked = _leak(dice, t_s, host, family, onset)
    leaked *= dice.log(LEAST_BUDGETS, 160) * BUDGET_SHARE * np.median(host.used) / max(leaked.max(), 1e-9)
    begin = int(np.searchsorted(t_s, host.deployed_s[-1])) if host.deployed_s.size else 0
    gain = float(leaked[-1] - leaked[begin])
    noise = float(np.hypot(np.std((host.used - host.trend)[begin:]), resolution / np.sqrt(12)))
    values = host.used + leaked
    level = float(np.median(host.used[t_s.size // 2 :]))
    kept = kept_promise(gain, noise, budget_bytes(values, level), resolution) and goes_on(leaked[begin:])
    if not kept or values.max() > host.total_bytes:
        return None
    hours = (t_s[-1] - t_s[0]) / HOUR_S * (1 - onset)
    return Trace(
        f"{family}/{number:04d}",
        family,
        True,
        _recorded(dice, t_s, values, resolution),
        growth_bytes_per_hour=float(np.diff(leaked).clip(min=0).sum()) / hours,
        signal_to_noise=gain / noise,
        level_bytes=level,
        onset_share=onset,
    )


def _times(dice: Dice) -> Floats:
    length_s = dice.log(2.0, 28.0) * DAY_S
    fitting = [interval for interval in INTERVALS_S if length_s / interval <= MOST_READINGS]
    interval_s = dice.one_of(fitting)
    t_s = np.arange(int(length_s / interval_s)) * interval_s
    if dice.chance(0.2):
        t_s = t_s + dice.rng.integers(0, 3, t_s.size)
    return np.asarray(t_s)


def _traffic(dice: Dice, t_s: Floats, depth: float) -> Floats:
    """Return the load of days and weeks, with slow noise; 1 on average."""
    start_s = dice.flat(0, 7) * DAY_S
    of_day = (t_s + start_s) / DAY_S
    sharp = dice.flat(0.5, 2.5)
    shape = 1 - depth + depth * np.exp(sharp * (np.cos(2 * np.pi * (of_day - dice.flat(0.4, 0.9))) - 1))
    shape = np.where(np.floor(of_day) % 7 >= 5, shape * dice.flat(0.4, 1.05), shape)
    noise = 1 + dice.flat(0.01, 0.1) * wander(dice, t_s, dice.log(600, 6 * HOUR_S))
    shape = np.asarray(shape * np.clip(noise, 0.3, None))
    return np.asarray(shape / shape.mean())


def _host(dice: Dice, t_s: Floats, character: str, *, under_way: bool) -> _Host:
    total = float(dice.one_of((1, 2, 4, 8, 16, 32, 64, 128))) * 2.0**30
    kernel = dice.flat(0.02, 0.08) * total
    services = dice.whole(2, 12)
    budget = dice.flat(0.15, 0.55) * total
    shares = dice.rng.dirichlet(np.full(services, 0.8))
    depth = dice.flat(0.02, 0.15) if character in ("quiet_host", "cron_jobs") else dice.flat(0.3, 0.9)
    follows = dice.log(0.002, 0.02) if character == "quiet_host" else dice.log(0.005, 0.15)
    traffic = _traffic(dice, t_s, depth)
    often = {"deployed_often": 6.0, "busy_cluster": 2.0, "quiet_host": 0.1}.get(character, 0.6)
    used, trend = np.full(t_s.size, kernel), np.zeros(t_s.size)
    for share in shares:
        swing, warm = _service(dice, t_s, traffic, share * budget, (follows, often))
        used, trend = used + swing + warm, trend + warm
    if character in ("cron_jobs", "busy_cluster") or dice.chance(0.4):
        for _ in range(dice.whole(1, 4)):
            used = used + _cron(dice, t_s, dice.log(0.003, 0.12) * total)
    room = 0.92 * total - float(used.max())
    if character == "page_cache" and room > 0:
        cache, warm = _page_cache(dice, t_s, room * dice.flat(0.2, 0.9), under_way)
        used, trend = used + cache + warm, trend + warm
    if character == "rebooted":
        used, trend = _rebooted(dice, t_s, used, trend, kernel)
    used = used + total * dice.log(1e-5, 2e-3) * dice.rng.standard_normal(t_s.size)
    deployed = np.zeros(0)
    if character == "deployed_leak":
        deployed = t_s[-1] * np.sort(dice.rng.uniform(0.1, 0.55, dice.whole(1, 2)))
    return _Host(np.clip(used, kernel / 2, total), trend, total, deployed, traffic)


def _service(
    dice: Dice, t_s: Floats, traffic: Floats, size: float, habits: tuple[float, float]
) -> tuple[Floats, Floats]:
    """Return what a service holds, and its warm-ups; each deployment begins anew, at another size."""
    follows, often = habits
    deployments = dice.moments(often * t_s[-1] / (7 * DAY_S), 0.0, float(t_s[-1]))
    office = deployments % DAY_S
    deployments = np.sort(deployments - office + (8 + office / DAY_S * 10) * HOUR_S)
    warm_share, tau_s = dice.log(0.01, 0.3), dice.log(0.2, 12) * HOUR_S
    changes = np.concatenate([[0.0], np.cumsum(dice.rng.normal(0, 0.02, deployments.size))])
    version = np.searchsorted(deployments, t_s, side="right")
    begun = np.concatenate([[-dice.log(1, 90) * DAY_S], deployments])[version]
    since = t_s - begun
    base = size * np.clip(1 + changes[version], 0.5, 1.5) * (1 - warm_share)
    down_s = dice.log(20, 300) if dice.chance(0.5) else 0.0  # none: new instances come before old ones go
    down = (version > 0) & (since < down_s)
    warm = size * warm_share * (1 - np.exp(-since / tau_s))
    swing = base + size * follows * (traffic - 1) * dice.flat(0.3, 3)
    how = dice.flat(0, 1)
    if how < 0.25:
        made = np.cumsum(traffic) * (t_s[1] - t_s[0])
        tooth = dice.log(0.01, 0.3) * size
        swing = swing + saw_tooth(dice, made * tooth / dice.log(0.2, 30) / HOUR_S, tooth, 0.15)
    elif how < 0.6:
        swing = swing + dice.log(0.001, 0.03) * size * wander(dice, t_s, dice.log(0.1, 10) * HOUR_S)
    swing = np.where(down, 0.05 * size, np.maximum(swing, 0.1 * size))
    return swing, np.where(down, 0.0, warm)


def _cron(dice: Dice, t_s: Floats, size: float) -> Floats:
    """Run a job each hour, day or week: it takes memory for a while and ends."""
    period_s = dice.one_of((HOUR_S, 6 * HOUR_S, DAY_S, DAY_S, DAY_S, 7 * DAY_S))
    begins = np.arange(dice.flat(0, 1) * period_s, t_s[-1], period_s)
    lasts = np.clip(dice.log(60, 3 * HOUR_S), 60, period_s / 3) * dice.rng.lognormal(0, 0.2, begins.size)
    sizes = size * dice.rng.lognormal(0, 0.15, begins.size)
    return total_until(t_s, begins, sizes) - total_until(t_s, begins + lasts, sizes)


def _page_cache(dice: Dice, t_s: Floats, room: float, under_way: bool) -> tuple[Floats, Floats]:
    """Fill the memory with file pages until it is full; give back under pressure, and fill again."""
    share = dice.log(0.6, 3.0) if under_way else dice.log(0.01, 0.2)
    filled = room * (1 - np.exp(-2.5 * t_s / (share * t_s[-1])))
    drops = np.zeros(0) if under_way else dice.moments(dice.log(0.3, 15), 0.0, float(t_s[-1]))
    lost = np.zeros(t_s.size)
    for at_s in drops:
        since = t_s - at_s
        again_s = dice.log(0.5, 24) * HOUR_S
        part = dice.flat(0.05, 0.5)
        lost = np.maximum(lost, np.where(since >= 0, part * filled * np.exp(-since.clip(min=0) / again_s), 0))
    return -lost, filled


def _rebooted(dice: Dice, t_s: Floats, used: Floats, trend: Floats, kernel: float) -> tuple[Floats, Floats]:
    """Boot anew once or twice: everything starts from the kernel, and warms up."""
    for share in dice.rng.uniform(0.1, 0.7, dice.whole(1, 2)):
        since = t_s - share * t_s[-1]
        missing = np.where(since >= 0, np.exp(-since.clip(min=0) / dice.log(300, 6 * HOUR_S)), 0.0)
        gone = missing * (used - kernel) * dice.flat(0.3, 1.0)
        used = used - gone
        trend = trend - gone
    return used, trend


def _leak(dice: Dice, t_s: Floats, host: _Host, family: str, onset: float) -> Floats:
    """Return the shape of a leak; its size is set afterwards."""
    begun = t_s >= onset * t_s[-1]
    if family == "by_cron":
        period_s = min(dice.one_of((HOUR_S, 6 * HOUR_S, DAY_S)), t_s[-1] / 12)
        times = np.arange(dice.flat(0, 1) * period_s, t_s[-1], period_s)
        times = times[times >= onset * t_s[-1]]
        leaked = total_until(t_s, times, dice.rng.lognormal(0, 0.3, times.size))
    elif family == "tmp_files":
        times = dice.moments(dice.log(30, 3000), onset * t_s[-1], float(t_s[-1]))
        leaked = total_until(t_s, times, dice.rng.lognormal(0, 1.0, times.size))
    elif family in ("one_service_daily", "deployed_leak"):
        leaked = np.cumsum(host.traffic * begun)
    else:
        leaked = np.cumsum(begun * np.clip(1 + 0.3 * wander(dice, t_s, 6 * HOUR_S), 0.1, None))
    for at_s in host.deployed_s:
        later = t_s >= at_s
        leaked[later] -= leaked[later][0]
    return np.asarray(leaked, dtype=np.float64)


def _resolution(dice: Dice, host: _Host) -> float:
    """Draw what is shown: kilobytes, whole MB, tenths of a per cent, or per cent."""
    fine = (1024.0, 2.0**20, 2.0**20, 1e6, 2.0**30 / 100)
    coarse = (host.total_bytes / 1000, host.total_bytes / 100)
    return dice.one_of(coarse if dice.chance(0.25) else fine)


def _recorded(dice: Dice, t_s: Floats, values: Floats, resolution: float) -> Series:
    values = np.round(values / resolution) * resolution
    keep = np.ones(t_s.size, dtype=bool)
    if dice.chance(0.4):
        for _ in range(dice.whole(1, 4)):
            begin = dice.whole(1, t_s.size - 2)
            gap = dice.whole(1, max(1, t_s.size // 25))
            if dice.chance(0.5):
                keep[begin : min(begin + gap, t_s.size - 1)] = False
            else:
                values[begin : min(begin + gap, t_s.size - 1)] = np.nan
    return Series(t_s[keep], values[keep])
