"""The command-line flags of the bundled server, from its configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asr_server.paraformer.catalog import ONLINE

if TYPE_CHECKING:
    from pathlib import Path

    from soak.config import ServerConfig

SWITCHES = ("cpu_arena", "memory_pattern", "arena_shrinkage", "compression", "introspection")
VALUES = (
    "port",
    "decoder_thread_num",
    "io_thread_num",
    "model_thread_num",
    "arena_extend_strategy",
    "sweep_interval_s",
    "trim_interval_s",
)
WHERE_GIVEN = ("certfile", "keyfile", "hotword")


def server_flags(server: ServerConfig, model_dir: Path) -> list[str]:
    """Return the flags of `python -m asr_server`; `model_dir` holds `online/` and the second passes."""
    flags = ["--online-model-dir", str(model_dir / ONLINE)]
    flags += ["--model-dir", str(model_dir / server.second_pass)]
    if server.quantize is not None:
        flags += ["--quantize", str(server.quantize).lower()]
    for name in VALUES:
        flags += [_flag(name), str(getattr(server, name))]
    for name in SWITCHES:
        flags.append(_flag(name) if getattr(server, name) else _flag(f"no_{name}"))
    for name in WHERE_GIVEN:
        if value := getattr(server, name):
            flags += [_flag(name), value]
    for injection in server.inject:
        flags += ["--inject", injection]
    return flags


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")
