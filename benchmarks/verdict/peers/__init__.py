"""The rules others decide by, re-stated from their papers and manuals, each a pure function.

Every rule sees the readings alone (time and RSS), as its original does: no load, no phases, no swap. Restarts
are not cut out for it either. A reading that failed is left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.verdict.peers.jindal import linear_backward_regression, precog
from benchmarks.verdict.peers.rank import mann_kendall
from benchmarks.verdict.peers.steady import steady_state
from benchmarks.verdict.peers.thresholds import (
    back_half_line,
    last_against_first,
    predict_linear,
    rolling_minimum,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from soak.analyse import Series
    from soak.verdict.verdict import Label

PEERS: dict[str, Callable[[Series], Label]] = {
    "navian-memcheck": back_half_line,
    "last/first +10 %": last_against_first,
    "Mann-Kendall": mann_kendall,
    "LBR": linear_backward_regression,
    "Precog": precog,
    "mcpload": rolling_minimum,
    "predict_linear": predict_linear,
    "KB-KSSD": steady_state,
}
"""The eight, by the name the table gives them."""

__all__ = [
    "PEERS",
    "back_half_line",
    "last_against_first",
    "linear_backward_regression",
    "mann_kendall",
    "precog",
    "predict_linear",
    "rolling_minimum",
    "steady_state",
]
