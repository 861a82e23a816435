"""The configuration of a soak: TOML and command-line settings in, validated frozen dataclasses out."""

from soak.config.schema import (
    SampleConfig,
    ServerConfig,
    SoakConfig,
    bundled_config_names,
    bundled_configs_dir,
    load_config,
    with_url,
)

__all__ = [
    "SampleConfig",
    "ServerConfig",
    "SoakConfig",
    "bundled_config_names",
    "bundled_configs_dir",
    "load_config",
    "with_url",
]
