"""Latency quantiles in constant memory, over an interval and over the whole run.

DDSketch (Masson, Rim and Lee, VLDB 2019) bounds the relative error of every quantile; the collapsing store
bounds the memory by giving up the lowest values first.
"""

from __future__ import annotations

from ddsketch.ddsketch import LogCollapsingLowestDenseDDSketch

from soak.load.messages import Quantiles

RELATIVE_ACCURACY = 0.01
_MAX_BINS = 1024  # about nine decades at 1 %: from a microsecond to a quarter of an hour


class LatencySketch:
    """Quantiles of one latency."""

    def __init__(self) -> None:
        """Start both sketches empty."""
        self._interval = _new_sketch()
        self._run = _new_sketch()

    def add(self, seconds: float) -> None:
        """Take one observation."""
        milliseconds = seconds * 1000
        self._interval.add(milliseconds)
        self._run.add(milliseconds)

    def take_interval(self) -> Quantiles | None:
        """Return the quantiles since the last call, and start a new interval; None without an observation."""
        quantiles = _quantiles(self._interval)
        if quantiles is not None:
            self._interval = _new_sketch()
        return quantiles

    def whole_run(self) -> Quantiles | None:
        """Return the quantiles since the start; None without an observation."""
        return _quantiles(self._run)


def _new_sketch() -> LogCollapsingLowestDenseDDSketch:
    return LogCollapsingLowestDenseDDSketch(RELATIVE_ACCURACY, _MAX_BINS)


def _quantiles(sketch: LogCollapsingLowestDenseDDSketch) -> Quantiles | None:
    values = [sketch.get_quantile_value(quantile) for quantile in (0.50, 0.95, 0.99)]
    if any(value is None for value in values):
        return None
    p50, p95, p99 = (round(float(value), 3) for value in values if value is not None)
    return Quantiles(p50=p50, p95=p95, p99=p99, count=int(sketch.count))
