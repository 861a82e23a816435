"""When a trace is read, and when its load rests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from benchmarks.verdict.frozen.dice import Dice, Floats

SHORTEST_S, LONGEST_S = 180.0, 345_600.0
FEWEST, MOST = 20, 20_000
INTERVALS_S = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0)
"""Pauses between readings that people set."""


@dataclass(frozen=True, eq=False)
class Plan:
    """The times of a trace, in seconds since the server's first start."""

    end_s: float
    t_s: Floats
    """When memory is read; the first reading may come long after the start."""
    rests: Floats
    """Rest windows, a row each: begin and end."""
    restarts: Floats
    """When the process began anew, in order."""
    down_s: float
    """How long a restart takes."""

    @property
    def interval_s(self) -> float:
        """The usual time between readings."""
        return float(np.median(np.diff(self.t_s)))

    def resting(self, t_s: Floats) -> NDArray[np.bool_]:
        """Say which times lie in a rest window."""
        inside = np.zeros(t_s.shape, dtype=bool)
        for begin, end in self.rests:
            inside |= (t_s >= begin) & (t_s < end)
        return inside


def draw_plan(dice: Dice, *, restarted: bool = False, shortest_s: float = SHORTEST_S) -> Plan:
    """Draw the times: log-uniform lengths and numbers of readings, a third with rest windows."""
    length_s = dice.log(shortest_s, LONGEST_S)
    wanted = dice.log(FEWEST, min(MOST, length_s / INTERVALS_S[0]))
    interval_s = min(INTERVALS_S, key=lambda candidate: abs(np.log(candidate * wanted / length_s)))
    count = int(np.clip(length_s / interval_s, FEWEST, MOST))
    length_s = count * interval_s
    before_s = length_s * dice.flat(0.05, 1.5) if dice.chance(0.4) else 0.0
    t_s = before_s + np.arange(count) * interval_s
    if dice.chance(0.7):
        t_s = t_s + dice.flat(0.0, 0.1) * interval_s * dice.rng.uniform(size=count)
    end_s = before_s + length_s
    restarts = np.zeros(0)
    if restarted:
        last = dice.flat(0.15, 0.6)
        shares = np.sort(np.append(dice.rng.uniform(0.05, last, dice.whole(0, 3)), last))
        restarts = before_s + shares * length_s
    down_s = min(dice.log(1.0, 60.0), length_s / 50)
    return Plan(
        end_s, np.asarray(t_s, dtype=np.float64), _rests(dice, before_s, length_s, count), restarts, down_s
    )


def _rests(dice: Dice, before_s: float, length_s: float, count: int) -> Floats:
    if not dice.chance(1 / 3):
        return np.zeros((0, 2))
    blocks = dice.whole(2, max(2, min(12, count // 20)))
    share = dice.flat(0.08, 0.4)
    first_idle = dice.chance(0.4)
    period_s = length_s / blocks
    ends_s = before_s + period_s * np.arange(1, blocks + 1)
    rests = np.stack([ends_s - share * period_s, ends_s], axis=1)
    if first_idle:
        rests = np.concatenate([[[before_s, before_s + 0.3 * share * period_s]], rests])
    return rests
