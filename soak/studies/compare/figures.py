"""The figures that are compared: how each is called and written, and how far healthy runs differ in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from soak.columns import declarations
from soak.quantity import format_bytes, format_level, format_milliseconds, format_number

if TYPE_CHECKING:
    from collections.abc import Callable

MEMORY_SPREAD = 0.01
"""Standard deviation between healthy runs, as a share of the level, that is expected until repeats tell."""
CPU_SPREAD, LATENCY_SPREAD = 0.05, 0.1
"""The same of processor time and of latency."""
PER_CONNECTION, PER_CONNECTION_AT = "growth per connection", 4
"""How that figure is called, and where it stands among the others."""


@dataclass(frozen=True)
class ComparedFigure:
    """A figure that is compared."""

    words: str
    """For a person."""
    write: Callable[[float], str]
    spread: float
    """Standard deviation between healthy runs, as a share of the level."""
    is_memory: bool = True


FIGURES = {
    "start_bytes": ComparedFigure("start", format_level, MEMORY_SPREAD),
    "level_bytes": ComparedFigure("level reached", format_level, MEMORY_SPREAD),
    "growth_bytes": ComparedFigure("growth to it", format_bytes, MEMORY_SPREAD),
    "peak_bytes": ComparedFigure("peak", format_level, MEMORY_SPREAD),
    "cpu_s_per_audio_s": ComparedFigure("CPU s per audio s", format_number, CPU_SPREAD, is_memory=False),
    **{
        each.name: ComparedFigure(each.label, format_milliseconds, LATENCY_SPREAD, is_memory=False)
        for each in declarations("first_partial_p50_ms", "final_p50_ms", "final_p99_ms")
    },
}
"""By their names in `RunFigures`; growth per connection is compared by its own intervals instead."""


def short_name(figure: str) -> str:
    """Return the name of a figure without its unit, as in findings and on the command line: `level`."""
    return figure.removesuffix("_bytes").removesuffix("_ms").replace("_", "-")


def figures_to_show() -> list[tuple[str, str, Callable[[float], str]]]:
    """Return the figures that are compared: name in `RunFigures`, words, and how to write a value."""
    shown = [(name, figure.words, figure.write) for name, figure in FIGURES.items()]
    shown.insert(PER_CONNECTION_AT, ("bytes_per_connection", PER_CONNECTION, format_bytes))
    return shown
