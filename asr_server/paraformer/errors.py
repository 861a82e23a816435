"""What goes wrong with models, as one exception."""

from __future__ import annotations


class ModelError(Exception):
    """A model cannot be read, used or built. The message is one line: what is wrong, where, what to do."""
