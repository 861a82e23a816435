"""What keeps the server from starting."""

from __future__ import annotations


class StartupError(Exception):
    """The server cannot start. The message is one line: what is wrong and what to do."""
