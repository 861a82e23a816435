"""The settings of a run on which its transcripts depend."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from soak.record import Run

_SHAPE_THE_TEXT = (
    *(("server", name) for name in ("model", "second_pass", "hotword")),
    *(("load", name) for name in ("dialect", "mode", "chunk_size", "hotwords", "clips")),
)
"""Section and name of the settings on which transcripts depend."""
_BEFORE_THERE_WAS_A_CHOICE = {"dialect": "funasr"}
"""What runs were made with that do not record a setting."""


def text_settings(run: Run) -> tuple[str, ...]:
    """Return the settings of a run on which its transcripts depend."""
    sections = run.manifest.configuration.to_json_object()
    return tuple(
        str((sections.get(part) or {}).get(name, _BEFORE_THERE_WAS_A_CHOICE.get(name)))
        for part, name in _SHAPE_THE_TEXT
    )
