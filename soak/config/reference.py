"""The page of the documentation on the server's settings: `python -m soak.config.reference`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from asr_server.settings import ServerOptions, settings_of
from soak.config.schema import ServerConfig

HEAD = """# Settings of the bundled server

`python -m asr_server` takes each as a flag; a run takes those with a default in the last column as
`server.NAME` in its TOML file or by `--set server.NAME=VALUE`. This page is made from their declaration:
`python -m soak.config.reference > docs/server-settings.md`.

| setting | meaning | flag, default | default in a run |
|---|---|---|---|
"""


def server_settings_page() -> str:
    """Return the page, in Markdown."""
    options, config = ServerOptions(), ServerConfig()
    settings = {
        setting.name: setting for kind in (ServerConfig, ServerOptions) for setting in settings_of(kind)
    }
    rows = []
    for name in dict.fromkeys((*(each.name for each in settings_of(ServerOptions)), *settings)):
        setting = settings[name]
        flag = f"`{setting.flag}`, {_written(getattr(options, name))}" if hasattr(options, name) else ""
        in_a_run = _written(getattr(config, name)) if hasattr(config, name) else ""
        rows.append(f"| `{name}` | {setting.meaning} | {flag} | {in_a_run} |\n")
    return HEAD + "".join(rows)


def _written(default: Any) -> str:
    if isinstance(default, bool):
        return "on" if default else "off"
    if isinstance(default, Path) or (isinstance(default, str) and Path(default).is_absolute()):
        return f"the bundled `{Path(default).parent.name}/{Path(default).name}`"
    if default in (None, "", (), {}):
        return "none"
    return f"{default:g}" if isinstance(default, float) else str(default)


if __name__ == "__main__":
    sys.stdout.write(server_settings_page())
