"""What a run recorded about where its memory is, in the form that is attributed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from soak.analyse.attributing import COUNT_COLUMNS, Readings
from soak.columns import declarations
from soak.verdict.attribution import CLASS_COLUMNS, ArenaHold, ProbeResult

if TYPE_CHECKING:
    from soak.record.reader import Run

QUIET_PHASES = ("rest", "done")
COLUMNS = declarations(
    "map_kernel_rss_bytes",
    *CLASS_COLUMNS.values(),
    *COUNT_COLUMNS.values(),
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
    counted = {event.get("when"): event for event in run.events if event.get("event") == "python_objects"}
    if not {"start", "end"} <= counted.keys():
        return None
    return _by_type(counted["start"]), _by_type(counted["end"])


def _by_type(event: dict[str, Any]) -> dict[str, tuple[int, int]]:
    types = event.get("types") or {}
    found = {str(name): (int(each["count"]), int(each["bytes"])) for name, each in types.items()}
    # only the largest are listed: the others together, so that sums agree
    count = int(event.get("total_count", 0)) - sum(each[0] for each in found.values())
    size_bytes = int(event.get("total_bytes", 0)) - sum(each[1] for each in found.values())
    return {**found, "other types": (count, size_bytes)}


def _probes(run: Run) -> list[ProbeResult]:
    """Return what the probes gave back; the one for arenas is left out where there are none."""
    return [
        ProbeResult(
            probe=str(event["probe"]),
            returned_bytes=float(event["before"]["rss_bytes"] - event["after"]["rss_bytes"]),
            by=str(event["by"]),
        )
        for event in run.events
        if event.get("event") == "probe" and (event.get("detail") or {}).get("shrunk") is not False
    ]


def _arena_holds(run: Run) -> list[ArenaHold]:
    """Return what the probe that shrinks arenas found in them, those that held most first."""
    found = [
        ArenaHold(
            graph=str(each["graph"]),
            loaded_bytes=float(each["loaded_bytes"]),
            held_bytes=float(each["held_bytes"]),
            shrunk_bytes=float(each["shrunk_bytes"]),
        )
        for event in run.events
        if event.get("event") == "probe" and event.get("probe") == "arena_shrink"
        for each in (event.get("detail") or {}).get("arenas", ())
    ]
    return sorted(found, key=lambda each: each.held_bytes, reverse=True)
