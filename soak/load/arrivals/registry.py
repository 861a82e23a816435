"""The kinds of arrivals by name."""

from __future__ import annotations

from soak.load.arrivals.process import Arrivals
from soak.plugins import Registry

ARRIVALS: Registry[Arrivals] = Registry(
    Arrivals,  # type: ignore[type-abstract]  # the kind that all are
    "arrival process",
    "soak.arrivals",
    {
        "rate": "soak.load.arrivals.constant_rate:ConstantRate",
        "closed": "soak.load.arrivals.closed_loop:ClosedLoop",
    },
)
