"""The memory sources by name, and those that a run asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from soak.columns import COLUMNS, Column, declared, refuse_clashes
from soak.errors import SoakError
from soak.plugins import OptionError, PluginError, Registry
from soak.sources.source import MemorySource

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SOURCES: Registry[MemorySource] = Registry(
    MemorySource,  # type: ignore[type-abstract]  # the kind that all are
    "memory source",
    "soak.sources",
    {
        "process": "soak.sources.from_process:ProcessSource",
        "process-details": "soak.sources.from_process:ProcessDetailsSource",
        "heap": "soak.sources.from_heap:HeapSource",
        "metrics": "soak.sources.from_metrics:MetricsSource",
    },
)
DEFAULT_NAMES = ("process", "process-details", "heap", "metrics")
"""What is read where nothing else is asked for: of these, what the target can give."""


def make_sources(names: Sequence[str], options: Mapping[str, Mapping[str, Any]]) -> tuple[MemorySource, ...]:
    """Return the sources of these names with their `options` by name; raises `SoakError` in one line."""
    made = []
    for name in names:
        try:
            made.append(SOURCES.make(name, options.get(name, {})))
        except PluginError as error:
            raise SoakError(f"sample.sources: {error}") from None
        except OptionError as error:
            raise SoakError(f"sample.source_options.{name}: {error}") from None
    return tuple(made)


def foreign_columns(sources: Sequence[MemorySource]) -> tuple[Column, ...]:
    """Return the columns that are none of soak's own; they follow those in `samples.csv`.

    Raises `SoakError` where two sources have a column of their own of the same name, or give one of soak's
    another unit.
    """
    foreign = []
    for source in sources:
        for each in source.columns():
            if each.name not in COLUMNS:
                foreign.append(each)
            elif each.unit is not declared(each.name).unit:
                unit = declared(each.name).unit
                raise SoakError(f"memory source {source.name}: {each.name} is in {unit}, not in {each.unit}")
    try:
        refuse_clashes(tuple(foreign))
    except ValueError as error:
        raise SoakError(str(error)) from None
    return tuple(foreign)
