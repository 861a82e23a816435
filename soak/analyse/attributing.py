"""From readings to an `Attribution`: which classes grew, and what that growth is made of."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from soak.verdict.attribution import (
    CLASS_COLUMNS,
    ArenaHold,
    Attribution,
    ClassGrowth,
    Culprit,
    InsideGrowth,
    MemoryClass,
    ObjectGrowth,
    ProbeResult,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

SHOWN_TYPES = 8
MAIN_SHARE = 0.5
"""What makes up so much of a growth is what the growth is."""
SMALLEST_SHARED_BYTES = 1024 * 1024
"""Of growth below this, no share is told: single pages would decide it."""
COUNT_COLUMNS = {MemoryClass.ARENAS: "map_arenas", MemoryClass.STACKS: "map_stacks"}
MALLOC_CLASSES = (MemoryClass.HEAP, MemoryClass.ARENAS, MemoryClass.ANONYMOUS)
"""Where malloc's memory is: large blocks are mapped singly."""
CULPRIT_OF_RESOURCE = {
    "server_sessions_alive": Culprit.SESSIONS,
    "sockets": Culprit.SOCKETS,
    "threads": Culprit.THREADS,
    "fds": Culprit.DESCRIPTORS,
}
"""In order of what tells most: a leaked session may hold a socket, a socket is a descriptor."""
CULPRIT_OF_CLASS = {
    MemoryClass.SHARED: Culprit.SHARED,
    MemoryClass.DELETED: Culprit.DELETED,
    MemoryClass.STACKS: Culprit.STACKS,
    MemoryClass.FILES: Culprit.FILES,
}


@dataclass(frozen=True, eq=False)
class Readings:
    """What a run recorded about where its memory is; arrays have one entry per sample, NaN for none."""

    t_s: Floats
    columns: Mapping[str, Floats]
    """By name in `samples.csv`; what was not recorded is absent."""
    is_quiet: NDArray[np.bool_]
    """Whether a sample was taken in a quiet window, or after the load."""
    objects: tuple[Mapping[str, tuple[int, int]], Mapping[str, tuple[int, int]]] | None = None
    """Python objects at the start and at the end: type to count and bytes."""
    probes: tuple[ProbeResult, ...] = ()
    arena_holds: tuple[ArenaHold, ...] = ()


def attribute(
    readings: Readings,
    *,
    since_s: float = -math.inf,
    judged_from_s: float | None = None,
    memory_climbs: bool = False,
    heap_climbs: bool = False,
    climbing: Sequence[str] = (),
) -> Attribution | None:
    """Say what the growth from the first to the last reading of the mappings is made of.

    `since_s` is when the last life of the process began, `judged_from_s` when its warm-up ended, `climbing`
    the columns of other resources that climb. With `heap_climbs`, what climbs is in use: then it is not what
    the allocator keeps, however much that is. None without two readings.
    """
    rss = readings.columns.get("map_kernel_rss_bytes")
    if rss is None:
        return None
    taken = np.flatnonzero(np.isfinite(rss) & (readings.t_s >= since_s))
    if len(taken) < 2:
        return None
    quiet = taken[readings.is_quiet[taken]]
    first, last = int(taken[0]), int(quiet[-1] if len(quiet) and quiet[-1] > taken[0] else taken[-1])
    classes = _class_growths(readings, first, last)
    growth = float(rss[last] - rss[first])
    named = sum(each.growth_bytes for each in classes if each.memory_class is not MemoryClass.OTHER)
    total = sum(each.end_bytes for each in classes)
    inside = _inside(readings, first, last)
    window = _judged(readings, quiet if len(quiet) >= 2 else taken, judged_from_s)
    return Attribution(
        from_s=float(readings.t_s[first]),
        to_s=float(readings.t_s[last]),
        start_rss_bytes=float(rss[first]),
        end_rss_bytes=float(rss[last]),
        classes=classes,
        inside=inside,
        probes=readings.probes,
        arena_holds=readings.arena_holds,
        established_at_rest=_count_at_rest(readings, "sockets_established", quiet),
        close_wait_at_rest=_count_at_rest(readings, "sockets_close_wait", quiet),
        culprits=_culprits(
            readings, window, climbing, memory_climbs=memory_climbs or heap_climbs, heap_climbs=heap_climbs
        ),
        kept_by_allocator=_kept_by_allocator(readings, window),
        accounted_share=named / growth if abs(growth) >= SMALLEST_SHARED_BYTES else None,
        sum_over_rss=total / float(rss[last]),
        lazy_free_bytes=_growth_near(readings, "lazy_free_bytes", first, last),
        huge_bytes=_growth_near(readings, "anon_huge_bytes", first, last),
        swapped_bytes=_growth_near(readings, "swap_bytes", first, last),
    )


def _count_at_rest(readings: Readings, column: str, quiet: NDArray[np.intp]) -> int | None:
    values = readings.columns.get(column)
    known = [] if values is None else [values[at] for at in quiet if np.isfinite(values[at])]
    return int(known[-1]) if known else None


def _class_growths(readings: Readings, first: int, last: int) -> tuple[ClassGrowth, ...]:
    found = []
    for each, column in CLASS_COLUMNS.items():
        values = readings.columns.get(column)
        if values is None or not (values[first] or values[last]):
            continue
        counts = readings.columns.get(COUNT_COLUMNS.get(each, ""))
        found.append(
            ClassGrowth(
                each,
                float(values[first]),
                float(values[last]),
                None if counts is None else int(counts[first]),
                None if counts is None else int(counts[last]),
            )
        )
    return tuple(found)


def _inside(readings: Readings, first: int, last: int) -> InsideGrowth | None:
    """Take the server's own figures at the readings that come next to `first` and before `last`."""
    types = _object_growths(readings)
    arenas = _last_known(readings, "server_arenas", last)
    python_bytes = None if types is None else float(sum(each.growth_bytes for each in types))
    found = InsideGrowth(
        heap_in_use_bytes=_heap_growth(readings, "in_use", first, last),
        heap_free_bytes=_heap_growth(readings, "free", first, last),
        arenas=None if arenas is None else int(arenas),
        arena_bytes=_growth_near(readings, "server_arena_held_bytes", first, last),
        arena_end_bytes=_last_known(readings, "server_arena_held_bytes", last),
        python_bytes=python_bytes,
        python_types=() if types is None else tuple(types[:SHOWN_TYPES]),
    )
    return None if found == InsideGrowth() else found


def _object_growths(readings: Readings) -> list[ObjectGrowth] | None:
    """Return the growth by type, what grew most first."""
    if readings.objects is None:
        return None
    start, end = readings.objects
    none = (0, 0)
    growths = [
        ObjectGrowth(
            name,
            end.get(name, none)[0] - start.get(name, none)[0],
            float(end.get(name, none)[1] - start.get(name, none)[1]),
        )
        for name in start.keys() | end.keys()
    ]
    return sorted(growths, key=lambda each: each.growth_bytes, reverse=True)


def _last_known(readings: Readings, column: str, last: int) -> float | None:
    """Return the newest value of a column up to `last`."""
    values = readings.columns.get(column)
    if values is None:
        return None
    known = values[: last + 1][np.isfinite(values[: last + 1])]
    return float(known[-1]) if len(known) else None


def _growth_near(readings: Readings, column: str, first: int, last: int) -> float | None:
    """Return the growth of a column from its first reading at `first` or after to its last up to `last`.

    The server's figures come at other moments than the mappings.
    """
    values = readings.columns.get(column)
    if values is None:
        return None
    known = np.flatnonzero(np.isfinite(values[: last + 1]))
    known = known[known >= first]
    return float(values[known[-1]] - values[known[0]]) if len(known) >= 2 else None


def _judged(
    readings: Readings, quiet: NDArray[np.intp], judged_from_s: float | None
) -> tuple[int, int] | None:
    """Return the first and the last quiet reading of the mappings after warm-up; None of fewer than two."""
    after = quiet if judged_from_s is None else quiet[readings.t_s[quiet] >= judged_from_s]
    window = after if len(after) >= 2 else quiet
    return (int(window[0]), int(window[-1])) if len(window) >= 2 else None


def _heap_growth(readings: Readings, part: str, first: int, last: int) -> float | None:
    """Return the growth of the heap "in_use" or "free", as read from outside, else as the server says it."""
    outside = _growth_near(readings, f"heap_{part}_bytes", first, last)
    return _growth_near(readings, f"server_heap_{part}_bytes", first, last) if outside is None else outside


def _culprits(
    readings: Readings,
    window: tuple[int, int] | None,
    climbing: Sequence[str],
    *,
    memory_climbs: bool,
    heap_climbs: bool,
) -> tuple[Culprit, ...]:
    """Name what climbs: first other resources, then what makes up most of the memory's growth."""
    found = [culprit for column, culprit in CULPRIT_OF_RESOURCE.items() if column in climbing]
    if Culprit.DESCRIPTORS in found and _are_deleted_files(readings):
        found[found.index(Culprit.DESCRIPTORS)] = Culprit.DELETED
    if Culprit.SOCKETS in found and Culprit.DESCRIPTORS in found:
        found.remove(Culprit.DESCRIPTORS)  # they are the sockets
    if memory_climbs and window is not None:
        memory = _memory_culprit(readings, *window)
        kept = heap_climbs and memory is Culprit.RETAINED
        if memory is not None and memory not in found and not kept:
            found.append(memory)
    return tuple(found)


def _kept_by_allocator(readings: Readings, window: tuple[int, int] | None) -> bool | None:
    """Tell whether what RSS gained is free memory that the allocator keeps, be it much or nothing."""
    if window is None:
        return None
    rss = readings.columns["map_kernel_rss_bytes"]
    if rss[window[1]] <= rss[window[0]]:
        return True
    return _memory_culprit(readings, *window) is Culprit.RETAINED


def _are_deleted_files(readings: Readings) -> bool:
    fds, deleted = (_overall_growth(readings, name) for name in ("fds", "fd_deleted"))
    return fds is not None and deleted is not None and deleted >= MAIN_SHARE * fds


def _overall_growth(readings: Readings, column: str) -> float | None:
    return _growth_near(readings, column, 0, len(readings.t_s) - 1)


def _memory_culprit(readings: Readings, first: int, last: int) -> Culprit | None:
    """Name what makes up most of the growth between two quiet readings of the mappings."""
    growths = {each.memory_class: each.growth_bytes for each in _class_growths(readings, first, last)}
    total = sum(growth for growth in growths.values() if growth > 0)
    if total <= 0:
        return None
    for memory_class, culprit in CULPRIT_OF_CLASS.items():
        if growths.get(memory_class, 0.0) >= MAIN_SHARE * total:
            return culprit
    lazily_freed = _growth_near(readings, "lazy_free_bytes", first, last)
    if lazily_freed is not None and lazily_freed >= MAIN_SHARE * total:
        return Culprit.RETAINED
    malloc = sum(growths.get(each, 0.0) for each in MALLOC_CLASSES)
    if malloc < MAIN_SHARE * total:
        return None
    return _malloc_culprit(readings, first, last, malloc, growths)


def _malloc_culprit(
    readings: Readings, first: int, last: int, malloc: float, growths: Mapping[MemoryClass, float]
) -> Culprit:
    """Tell Python objects, ONNX Runtime's arenas, other blocks in use and what malloc only keeps apart.

    As far as it was read, or the server tells it.
    """
    in_use, free = (_heap_growth(readings, part, first, last) for part in ("in_use", "free"))
    small_objects = _growth_near(readings, "python_in_use_bytes", first, last)
    objects = _objects_within(readings, first, last)
    if objects is not None and objects >= MAIN_SHARE * max(malloc, in_use or 0.0):
        return Culprit.PYTHON
    if small_objects is not None and small_objects >= MAIN_SHARE * max(malloc, in_use or 0.0):
        return Culprit.PYTHON
    tensors = _growth_near(readings, "server_arena_held_bytes", first, last)
    if tensors is not None and tensors >= MAIN_SHARE * malloc:
        return Culprit.TENSORS
    if in_use is not None and in_use >= MAIN_SHARE * malloc:
        return Culprit.NATIVE
    if free is not None and free >= MAIN_SHARE * malloc:
        return Culprit.RETAINED
    anonymous = growths.get(MemoryClass.ANONYMOUS, 0.0)
    return Culprit.ANONYMOUS if anonymous >= MAIN_SHARE * malloc else Culprit.HEAP


def _objects_within(readings: Readings, first: int, last: int) -> float | None:
    """Return by how many bytes Python's objects grew between two readings.

    They are counted at the start and at the end only: the part is that of the connections, or of the time.
    """
    types = _object_growths(readings)
    if types is None:
        return None
    clock = readings.columns.get("connections_completed")
    if clock is None or not np.nanmax(clock) > np.nanmin(clock):
        clock = readings.t_s
    share = (clock[last] - clock[first]) / (np.nanmax(clock) - np.nanmin(clock))
    return float(share) * sum(each.growth_bytes for each in types)
