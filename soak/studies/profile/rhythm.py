"""How a profiled run is loaded: the same load, in enough blocks with quiet windows between them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from soak.config import bundled_config_names
from soak.targets import Bundled

if TYPE_CHECKING:
    from soak.load.plan import LoadPlan
    from soak.targets import Target

DEFAULT_CONNECTIONS = 150
"""A leak of a few KiB per connection climbs clearly over so many."""
WINDOWS = 15
"""Blocks with a quiet window each: a trend wants ten."""
BUNDLED = (
    "load.rate_per_s=8",
    "load.max_open=2",
    "load.settle_s=0.5",
    "load.rest_s=1.0",
    "load.baseline_s=1.0",
    "server.sweep_interval_s=0",
    "sample.interval_s=0.25",
)
"""This server frees a connection at its close here, so that the waits can be short."""
OTHERS = ("load.max_rate_per_s=4",)
"""A fast server would be through with its connections before there are ten blocks."""


def rhythm_for(config: str, target: Target) -> tuple[str, ...]:
    """Return the settings that are laid over `config`; a file of the user's is let be."""
    if config not in bundled_config_names():
        return ()
    return BUNDLED if isinstance(target, Bundled) else OTHERS


def profiled_load(load: LoadPlan, connections: int) -> LoadPlan:
    """Return the same load over `connections`, in blocks short enough to leave enough quiet windows."""
    block_s = load.block_s
    if load.rate_per_s is not None:
        enough_s = max(connections / load.rate_per_s / WINDOWS, load.group / load.rate_per_s)
        block_s = enough_s if block_s is None else min(block_s, enough_s)
    return replace(load, connections=connections, duration_s=None, until_decided=False, block_s=block_s)
