"""Which memory sources a run has: those that are asked for, or what the target can give."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from soak.errors import SoakError
from soak.record.events import SourcesChosen
from soak.run.source_in_use import SourceInUse
from soak.sources.registry import DEFAULT_NAMES, make_sources

if TYPE_CHECKING:
    from collections.abc import Sequence

    from soak.config import SampleConfig
    from soak.record import RunDirectory
    from soak.sources import MemorySource, Watched

JUDGED = "rss_bytes"
"""The column that is judged; the first source that yields it is the primary one."""


def sources_of(sample: SampleConfig) -> tuple[MemorySource, ...]:
    """Return the sources that `sample` asks for, with their options; raises `SoakError` in one line."""
    names = sample.sources or DEFAULT_NAMES
    unused = sorted(set(sample.source_options) - set(names))
    if unused:
        raise SoakError(f"sample.source_options.{unused[0]}: the run reads {', '.join(names)}")
    options: dict[str, dict[str, Any]] = {
        "process-details": {"at_least_every_s": sample.smaps_interval_s, "share": sample.smaps_share},
        "metrics": {"interval_s": sample.metrics_interval_s},
    }
    for name, given in sample.source_options.items():
        options[name] = {**options.get(name, {}), **given}
    return make_sources(names, options)


def open_sources(
    sources: Sequence[MemorySource], target: Watched, directory: RunDirectory, *, asked: bool
) -> tuple[SourceInUse, ...]:
    """Open `sources` on `target`, the primary one first, and write down what they are.

    What the target cannot give is left out, unless it was `asked` for. Raises `SoakError` where that is so,
    where nothing tells the memory, or where a source cannot be opened.
    """
    suitable = [source for source in sources if source.needs <= target.capabilities]
    left_out = [source for source in sources if source not in suitable]
    if left_out and asked:
        missing = ", ".join(sorted(left_out[0].needs - target.capabilities))
        raise SoakError(f"sample.sources: {left_out[0].name} cannot be read of this server ({missing})")
    primary = next((each for each in suitable if JUDGED in _names(each)), None)
    if primary is None:
        raise SoakError("nothing tells the memory of this server: name a source of it in sample.sources")
    in_use, taken = [], set[str]()
    described = []
    try:
        for source in [primary, *(each for each in suitable if each is not primary)]:
            own = _names(source) - taken
            taken |= own
            in_use.append(SourceInUse(source, source.open(target), own, directory))
            described.append(_described(source, own))
    except BaseException:
        for each in in_use:
            each.close()
        raise
    directory.append_event(
        SourcesChosen(sources=tuple(described), left_out=tuple(each.name for each in left_out))
    )
    return tuple(in_use)


def _names(source: MemorySource) -> set[str]:
    return {each.name for each in source.columns()}


def _described(source: MemorySource, own: set[str]) -> dict[str, Any]:
    return {
        "source": source.name,
        "options": source.options(),
        "cadence": str(source.cadence()),
        "columns": {each.name: str(each.unit) for each in source.columns() if each.name in own},
        "cannot_tell": list(source.cannot_tell()),
    }
