"""When memory is read, and what load the server has meanwhile: the ground the processes stand on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from soak.learn.world.draw import Draw

    Floats = NDArray[np.float64]

SHORTEST_S, LONGEST_S = 20.0, 21 * 86_400.0
"""Of a recording: a minute of psrecord to three weeks of Grafana."""
FEWEST, MOST = 3, 1600
"""Readings. More are a matter of bins, which see them as one floor each."""
INTERVALS_S = (0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 3600.0)
"""What people and their tools sample at."""
SESSION_S = (0.05, 900.0)
"""How long a connection stays open."""
DAY_S = 86_400.0
IDLE = 1e-3
"""Of the mean rate: less is no load."""


@dataclass(frozen=True, eq=False)
class Scene:
    """The clock and the load of one trace; arrays have an entry for each reading."""

    draw: Draw
    t_s: Floats
    """Seconds since the first reading."""
    connections: Floats
    """Completed since the first reading; also where nobody counts them."""
    open: Floats
    """Sessions open at each reading."""
    at_rest: NDArray[np.bool_]
    """Whether the load paused at the reading."""
    ran_before: float
    """How long the process had run before the first reading, as a share of the trace: 0 for a fresh one."""
    profile: Floats
    """The rate of arrivals as a share of its mean."""

    @property
    def load_ends(self) -> bool:
        """Tell whether the load is over before the recording is: who does not see that, sees memory stop."""
        later = self.profile[self.size * 7 // 8 :]
        return bool(later.max() < IDLE)

    @property
    def size(self) -> int:
        """How many readings there are."""
        return self.t_s.size

    @property
    def length_s(self) -> float:
        """Seconds from the first to the last reading."""
        return float(self.t_s[-1])

    def work(self) -> Floats:
        """Return what a process may follow, with what was done before: connections, or seconds."""
        axis = self.connections if self.draw.chance(0.6) else self.t_s
        return axis + self.ran_before * float(axis[-1])


def set_scene(draw: Draw) -> Scene:
    """Draw a clock and a load."""
    t_s = _clock(draw)
    profile, at_rest = _profile(draw, t_s), np.zeros(t_s.size, dtype=bool)
    if draw.chance(0.25) and t_s.size >= 8:
        at_rest = _rests(draw, t_s)
        profile = np.where(at_rest, 0.0, profile)
    mean = profile.mean()
    profile = profile / mean if mean > 0 else np.ones_like(t_s)
    steps = np.diff(t_s, prepend=t_s[0])
    done = np.cumsum(profile * steps)
    total = draw.log_between(10, 3e6)
    connections = done * (total / max(done[-1], 1e-12))
    if total < 1e4 and draw.chance(0.7):
        counts = draw.rng.poisson(np.diff(connections, prepend=0.0))
        if counts.sum() > 0:
            connections = np.cumsum(counts).astype(np.float64)
    at_once = profile * total / t_s[-1] * draw.log_between(*SESSION_S)
    opened = draw.rng.poisson(np.minimum(at_once, 1e6)).astype(np.float64)
    if draw.chance(0.1):
        opened = np.full(t_s.size, float(draw.whole(1, 500)))
    opened[at_rest] = 0.0
    return Scene(draw, t_s, connections, opened, at_rest, _ran_before(draw), profile)


def _ran_before(draw: Draw) -> float:
    return 0.0 if draw.chance(0.55) else draw.log_between(0.01, 30.0)


def _clock(draw: Draw) -> Floats:
    length_s = draw.log_between(SHORTEST_S, LONGEST_S)
    if draw.chance(0.75):
        fitting = [s for s in INTERVALS_S if FEWEST <= length_s / s <= MOST]
        count = int(length_s / draw.pick(fitting)) + 1 if fitting else draw.whole(FEWEST, MOST)
    else:
        count = draw.whole(FEWEST, 600)
    count = min(max(count, FEWEST), MOST)
    share = np.linspace(0.0, 1.0, count)
    kind = draw.rng.random()
    if kind < 0.06:  # somebody looked now and then
        share = np.sort(draw.uniform(count))
    elif kind < 0.1:  # ever more seldom
        share = share ** draw.between(1.2, 4.0)
    elif kind < 0.16 and count > 12:  # a gap
        begin, width = draw.between(0.05, 0.8), draw.between(0.05, 0.5)
        share = np.where(share > begin, share + width, share)
    elif kind < 0.22 and count > 12:  # readings that failed
        keep = draw.uniform(count) > draw.between(0.02, 0.3)
        keep[0] = keep[-1] = True
        share = share[keep]
    share = share - share[0]
    t_s: Floats = share / share[-1] * length_s
    return t_s + np.arange(t_s.size) * 1e-9 * length_s


def _profile(draw: Draw, t_s: Floats) -> Floats:
    """Return the rate of arrivals: steady, wavering, changing, in bursts, ramping, ending, or by the day."""
    kind = draw.rng.random()
    if kind < 0.5:
        return np.ones_like(t_s)
    if kind < 0.72:
        return _changing(draw, t_s / t_s[-1], at_once=kind >= 0.62)
    if kind < 0.9:
        return _coming_and_going(draw, t_s / t_s[-1], kind)
    depth = draw.between(0.2, 0.9)
    turn = 2 * np.pi * (t_s / DAY_S + draw.rng.random())
    by_day: Floats = np.maximum(1.0 + depth * np.sin(turn) + 0.3 * depth * np.sin(2 * turn + 1.0), 0.02)
    return by_day


def _changing(draw: Draw, share: Floats, *, at_once: bool) -> Floats:
    if not at_once:
        nodes = np.exp(draw.between(0.1, 0.8) * draw.normal(draw.whole(4, 24)))
        return np.interp(share, np.linspace(0, 1, nodes.size), nodes)
    changes = np.sort(draw.uniform(draw.whole(1, 4)))
    rates = np.array([draw.log_between(0.2, 5.0) for _ in range(changes.size + 1)])
    changed: Floats = rates[np.searchsorted(changes, share)]
    return changed


def _coming_and_going(draw: Draw, share: Floats, kind: float) -> Floats:
    if kind < 0.8:
        period, on = draw.between(0.02, 0.4), draw.between(0.1, 0.7)
        return np.where((share / period) % 1.0 < on, 1.0, draw.between(0.0, 0.1)) + 1e-6
    if kind < 0.86:
        ramp: Floats = 0.05 + share ** draw.between(0.3, 2.0)
        return ramp
    return np.where(share < draw.between(0.4, 0.95), 1.0, 1e-6)


def _rests(draw: Draw, t_s: Floats) -> NDArray[np.bool_]:
    windows = draw.whole(2, min(60, t_s.size // 3))
    share = draw.between(0.08, 0.5)
    place = t_s / t_s[-1] * windows
    return np.asarray((place % 1.0) > 1.0 - share)
