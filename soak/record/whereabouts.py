"""What a run recorded about where its memory is, in the form that is attributed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from soak.analyse.attributing import COUNT_COLUMNS, Readings
from soak.columns import declarations
from soak.record.events import Probe, PythonObjects
from soak.verdict.attribution import CLASS_COLUMNS, ArenaHold, ProbeResult

if TYPE_CHECKING:
    from soak.record.reader import Run

QUIET_PHASES = ("rest", "done")
COLUMNS = declarations(
    "map_kernel_rss_bytes",
    *CLASS_COLUMNS.values(),
    *COUNT_COLUMNS.values(),
    "heap_in_use_bytes",
    "heap_free_bytes",
    "python_in_use_bytes",
    "server_heap_in_use_bytes",
    "server_heap_free_bytes",
    "lazy_free_bytes",
    "anon_huge_bytes",
    "swap_bytes",
    "server_arenas",
    "server_arena_held_bytes",
    "connections_completed",
    "fds",
    "fd_deleted",
    "sockets_established",
    "sockets_close_wait",
)


def readings_of(run: Run) -> Readings | None:
    """Take what is attributed from a run; None where its mappings were never read."""
    samples = run.samples
    if "map_kernel_rss_bytes" not in samples or samples["map_kernel_rss_bytes"].isna().all():
        return None
    present = [each.name for each in COLUMNS if each.name in samples and samples[each.name].notna().any()]
    quiet = samples["phase"].isin(QUIET_PHASES) if "phase" in samples else np.zeros(len(samples), bool)
    return Readings(
        t_s=samples["t_s"].to_numpy(np.float64),
        columns={name: samples[name].to_numpy(np.float64) for name in present},
        is_quiet=np.asarray(quiet, dtype=bool),
        objects=_objects(run),
        probes=tuple(_probes(run)),
        arena_holds=tuple(_arena_holds(run)),
    )


def _objects(run: Run) -> tuple[dict[str, tuple[int, int]], dict[str, tuple[int, int]]] | None:
    counted = {event.when: event for event in run.events_of(PythonObjects)}
    if not {"start", "end"} <= counted.keys():
        return None
    return _by_type(counted["start"]), _by_type(counted["end"])


def _by_type(counted: PythonObjects) -> dict[str, tuple[int, int]]:
    found = {name: (each.count, each.bytes) for name, each in counted.types.items()}
    # only the largest are listed: the others together, so that sums agree
    count = counted.total_count - sum(each[0] for each in found.values())
    size_bytes = counted.total_bytes - sum(each[1] for each in found.values())
    return {**found, "other types": (count, size_bytes)}


def _probes(run: Run) -> list[ProbeResult]:
    """Return what the probes gave back; the one for arenas is left out where there are none."""
    return [
        ProbeResult(
            probe=event.probe,
            returned_bytes=float(event.before.rss_bytes - event.after.rss_bytes),
            by=event.by,
        )
        for event in run.events_of(Probe)
        if event.detail.shrunk is not False
    ]


def _arena_holds(run: Run) -> list[ArenaHold]:
    """Return what the probe that shrinks arenas found in them, those that held most first."""
    found = [
        ArenaHold(
            graph=each.graph,
            loaded_bytes=float(each.loaded_bytes),
            held_bytes=float(each.held_bytes),
            shrunk_bytes=float(each.shrunk_bytes),
        )
        for event in run.events_of(Probe)
        if event.probe == "arena_shrink"
        for each in event.detail.arenas
    ]
    return sorted(found, key=lambda each: each.held_bytes, reverse=True)
