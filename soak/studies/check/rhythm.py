"""The rhythm of a check on the bundled server."""

from soak.config import bundled_config_names

RHYTHM = (
    "load.rate_per_s=8",
    "load.block_s=2.25",
    "load.settle_s=1.0",
    "load.rest_s=1.0",
    "server.sweep_interval_s=0.5",
    "sample.interval_s=0.25",
    "sample.metrics_interval_s=0.5",
)
"""Short blocks and quiet windows: it is decided about in two minutes rather than in four."""


def rhythm_for(config: str, *, bundled: bool) -> tuple[str, ...]:
    """Return the settings that a check lays over `config`: a file, or somebody else's server, is let be."""
    return RHYTHM if bundled and config in bundled_config_names() else ()
