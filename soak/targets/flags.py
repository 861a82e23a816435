"""The command line of the bundled server, from its configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asr_server.paraformer.catalog import ONLINE

if TYPE_CHECKING:
    from pathlib import Path

    from soak.config import ServerConfig


def server_flags(server: ServerConfig, model_dir: Path) -> list[str]:
    """Return the flags of `python -m asr_server`; `model_dir` holds `online/` and the second passes."""
    models = [
        "--online-model-dir",
        str(model_dir / ONLINE),
        "--model-dir",
        str(model_dir / server.second_pass),
    ]
    return [*models, *server.flags()]
