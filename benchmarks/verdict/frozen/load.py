"""Connections of a server under load: when they open and close, and what they bring."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from benchmarks.verdict.frozen.dice import Dice, Floats
    from benchmarks.verdict.frozen.plan import Plan

GRID = 6000
"""Pieces into which the intensity of arrivals is cut."""
DAY_S = 86_400.0
PATTERNS = ("constant", "poisson", "closed_loop", "bursts", "day", "new_rate")


@dataclass(frozen=True, eq=False)
class Load:
    """One entry for each connection, in the order they open."""

    pattern: str
    open_s: Floats
    close_s: Floats
    audio_s: Floats
    """Seconds of audio streamed over the connection."""
    weight: Floats
    """How much more than usual its session needs; the mean is 1."""
    backlog_s: Floats
    """How long after the close its last piece is decoded."""
    pick: Floats
    """0 to 1: which of the threads serves it."""
    key: Floats
    """0 to 1: what it asks for."""
    need: Floats
    """0 to 1: how much scratch memory its thread needs for it."""

    def between(self, start_s: float, end_s: float) -> Load:
        """Return what opens in one life of the process; its end closes what is open."""
        first, last = np.searchsorted(self.open_s, [start_s, end_s])
        columns = {
            name: getattr(self, name)[first:last]
            for name in ("open_s", "close_s", "audio_s", "weight", "backlog_s", "pick", "key", "need")
        }
        columns["close_s"] = np.minimum(columns["close_s"], end_s)
        return replace(self, **columns)

    def streamed_s(self, t_s: Floats) -> Floats:
        """Return the seconds of audio streamed until each time, over open connections too."""
        pace = self.audio_s / np.maximum(self.close_s - self.open_s, 1e-9)
        running = total_until(t_s, self.open_s, pace) - total_until(t_s, self.close_s, pace)
        begun = total_until(t_s, self.open_s, pace * self.open_s)
        ended = total_until(t_s, self.close_s, pace * self.close_s)
        return np.maximum.accumulate(t_s * running - begun + ended)


def total_until(t_s: Floats, when_s: Floats, amounts: Floats) -> Floats:
    """Add up, for each time, the amounts whose moment has come."""
    order = np.argsort(when_s, kind="stable")
    sums = np.concatenate([[0.0], np.cumsum(amounts[order])])
    return sums[np.searchsorted(when_s[order], t_s, side="right")]


def draw_load(dice: Dice, plan: Plan, pattern: str | None = None) -> Load:
    """Draw the connections of a whole trace, 20 to 60,000 of them."""
    if pattern is None:
        pattern = dice.one_of(PATTERNS)
    if pattern == "one_long":
        return _one_long(dice, plan)
    edges_s = np.linspace(0.0, plan.end_s, GRID + 1)
    middle_s = (edges_s[1:] + edges_s[:-1]) / 2
    speed = _speed(dice, plan, middle_s) if pattern in ("closed_loop", "new_rate") else np.ones(GRID)
    rate = _shape(dice, plan, middle_s, pattern) * speed
    rate[plan.resting(middle_s)] = 0.0
    served = np.concatenate([[0.0], np.cumsum(rate)])
    count = int(min(dice.log(20, 60_000), 40 * plan.end_s))
    even = (np.arange(count) + dice.flat(0.0, 1.0)) / count
    if pattern == "poisson" or (pattern in ("bursts", "day", "new_rate") and dice.chance(0.7)):
        even = np.sort(dice.rng.uniform(size=count))
    elif pattern == "closed_loop":
        even = np.sort(np.clip(even + dice.rng.normal(0, 0.5 / count, count), 0, 1))
    open_s = np.interp(even * served[-1], served, edges_s)
    usual_s = min(dice.log(0.5, 300.0), plan.end_s / 8, 200 * plan.end_s / count)
    lasts_s = usual_s * dice.rng.lognormal(0.0, dice.flat(0.05, 0.9), count)
    if pattern == "closed_loop":
        lasts_s /= np.interp(open_s, middle_s, speed)
    close_s = np.minimum(open_s + lasts_s, _next_rest(plan, open_s))
    spread = dice.flat(0.0, 0.7)
    return Load(
        pattern,
        open_s,
        close_s,
        audio_s=(close_s - open_s) * (1.0 if dice.chance(0.7) else dice.flat(1.0, 20.0)),
        weight=dice.rng.lognormal(-(spread**2) / 2, spread, count),
        backlog_s=dice.rng.exponential(1.0, count),
        pick=dice.rng.uniform(size=count),
        key=dice.rng.uniform(size=count),
        need=dice.rng.beta(2.0, 3.0, count),
    )


def _one_long(dice: Dice, plan: Plan) -> Load:
    """Keep one to four connections open for the whole trace."""
    count = dice.whole(1, 4)
    open_s = np.sort(dice.rng.uniform(0.0, 0.02, count)) * plan.end_s
    close_s = np.full(count, plan.end_s + 1.0)
    ones = np.ones(count)
    even = (np.arange(count) + 0.5) / count
    return Load("one_long", open_s, close_s, close_s - open_s, ones, ones, even, even, ones / 2)


def _shape(dice: Dice, plan: Plan, t_s: Floats, pattern: str) -> Floats:
    """Return the relative intensity of arrivals."""
    if pattern == "day":
        depth, peak_s = dice.flat(0.3, 0.95), dice.flat(0, DAY_S)
        shape = 1 - depth + depth * np.exp(-2 * (1 - np.cos(2 * np.pi * (t_s - peak_s) / DAY_S)))
        weekend = ((t_s + dice.whole(0, 6) * DAY_S) // DAY_S) % 7 >= 5
        return np.asarray(np.where(weekend, shape * dice.flat(0.3, 1.0), shape))
    if pattern == "bursts":
        period_s = plan.end_s / dice.log(3, 60)
        share = dice.flat(0.1, 0.6)
        begins = (t_s / period_s + dice.flat(0, 1) + 0.2 * np.sin(t_s / period_s * 1.7)) % 1.0
        return np.where(begins < share, 1.0, dice.flat(0.0, 0.2))
    return np.ones(t_s.shape)


def _speed(dice: Dice, plan: Plan, t_s: Floats) -> Floats:
    """Return how the throughput changes, one to three times: a fixed client, but a faster or busier host."""
    changes_s = np.sort(dice.rng.uniform(0.1, 0.9, dice.whole(1, 3))) * plan.end_s
    speeds = np.exp(dice.rng.uniform(np.log(0.4), np.log(2.5), changes_s.size + 1))
    return np.asarray(speeds[np.searchsorted(changes_s, t_s)])


def _next_rest(plan: Plan, open_s: Floats) -> Floats:
    """Return when the load next rests: the client closes what is open by then."""
    begins = np.append(plan.rests[:, 0], np.inf)
    return np.asarray(begins[np.searchsorted(begins, open_s, side="right").clip(max=begins.size - 1)])
