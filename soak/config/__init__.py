"""The configuration of a soak: TOML and command-line settings in, validated frozen dataclasses out."""

from soak.config.length import Length
from soak.config.schema import SampleConfig, ServerConfig, SoakConfig, with_url
from soak.config.sources import (
    bundled_config_names,
    bundled_configs_dir,
    load_config,
    overrides_of,
)

__all__ = [
    "Length",
    "SampleConfig",
    "ServerConfig",
    "SoakConfig",
    "bundled_config_names",
    "bundled_configs_dir",
    "load_config",
    "overrides_of",
    "with_url",
]
