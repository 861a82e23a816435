"""The work a server did while its memory was read: connections, audio, and windows of rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.signal import lfilter

from benchmarks.verdict.noise import autoregressive

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from benchmarks.verdict.draw import Clock, Draw

SLOWEST_PER_S, FASTEST_PER_S = 0.02, 30.0
SWEEP_S = 5.0
"""Closed sessions are reaped by a sweep every 5 s (catalogue, section 7)."""


@dataclass(frozen=True, eq=False)
class Load:
    """What was done, at each reading."""

    rate_per_s: NDArray[np.float64]
    """Connections that arrive per second, on average."""
    completed: NDArray[np.float64]
    """Connections completed since the start, a counter of whole numbers."""
    open_connections: NDArray[np.float64]
    """Connections open at the reading."""
    audio_s: NDArray[np.float64]
    """Seconds of audio since the start, a counter."""
    phase: NDArray[np.str_] | None
    """The words "load" and "rest" where there were windows of rest."""


def draw_rate(draw: Draw, fewest: float, clock: Clock) -> float:
    """Draw connections per second, at least so many that `fewest` complete within the trace."""
    slowest = min(max(SLOWEST_PER_S, fewest / clock.length_s), FASTEST_PER_S)
    return draw.log_between(slowest, FASTEST_PER_S)


def rests(draw: Draw, clock: Clock) -> NDArray[np.bool_]:
    """Mark quiet windows after blocks of load: 5 to 25 % of each of 5 to 20, never under 3 readings."""
    blocks = min(draw.count(5, 20), clock.t_s.size // 12)
    share = max(draw.between(0.05, 0.25), 3.5 * blocks / clock.t_s.size)
    return (clock.share * blocks) % 1.0 > 1.0 - share


def drive(
    draw: Draw,
    clock: Clock,
    profile: NDArray[np.float64] | None = None,
    resting: NDArray[np.bool_] | None = None,
    rate_per_s: float | None = None,
) -> Load:
    """Drive a server at a mean rate whose course `profile` gives (mean about 1), pausing where it rests."""
    size = clock.t_s.size
    mean_per_s = draw_rate(draw, 20, clock) if rate_per_s is None else rate_per_s
    rate = np.full(size, mean_per_s) if profile is None else mean_per_s * profile
    if resting is not None:
        rate = np.where(resting, 0.0, rate)
    session_s = draw.log_between(2.0, 120.0)
    steps_s = np.diff(clock.t_s, prepend=0.0)
    arrived = draw.rng.poisson(rate * steps_s).astype(np.float64)
    mean_open = rate * session_s
    waver = autoregressive(draw, size, max(0.5, session_s / clock.interval_s))
    open_now = np.floor(np.maximum(0.0, mean_open + np.sqrt(mean_open) * waver) + 0.5)
    audio_of_one_s = session_s * draw.between(0.3, 1.0)
    audio_s = draw.rng.gamma(np.maximum(2.0 * arrived, 1e-9), audio_of_one_s / 2.0)
    audio_s = np.cumsum(np.where(arrived > 0, audio_s, 0.0), dtype=np.float64)
    phase = None if resting is None else np.where(resting, "rest", "load")
    return Load(rate, np.cumsum(arrived), open_now, audio_s, phase)


def held_by(load: Load, clock: Clock) -> NDArray[np.float64]:
    """Memory of the open sessions, freed by the sweep; 1 is the mean over the trace."""
    forget = float(np.exp(-clock.interval_s / SWEEP_S))
    lagged, _ = lfilter(
        [1 - forget], [1.0, -forget], load.open_connections, zi=[forget * load.open_connections[0]]
    )
    mean = float(lagged.mean())
    return np.asarray(lagged / mean if mean > 0 else lagged, dtype=np.float64)
