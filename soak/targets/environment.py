"""The environment of a server that soak starts."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from soak.targets.preload import preload_environment

if TYPE_CHECKING:
    from soak.config import ServerConfig


def server_environment(server: ServerConfig) -> dict[str, str]:
    """Return the environment of this process with what `server` preloads and sets.

    A library that is preloaded here already stays behind the server's own. Raises `SoakError` when the
    library to preload is not there.
    """
    preloaded = preload_environment(server.preload)
    if preloaded and os.environ.get("LD_PRELOAD"):
        preloaded = {"LD_PRELOAD": f"{preloaded['LD_PRELOAD']}:{os.environ['LD_PRELOAD']}"}
    return {**os.environ, **preloaded, **server.environment}
