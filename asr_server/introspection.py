"""Looking into a running server, for who wants to know what its memory is: the `/debug/…` pages.

Off unless `--introspection` is given: who may call them can slow the server down. They are meant for moments
without load, so they work on the thread that serves the network; a thread of their own would bring a malloc
arena of its own into what is measured.
"""

from __future__ import annotations

import gc
import sys
import tracemalloc
from collections import defaultdict
from dataclasses import asdict, dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, urlsplit

import numpy as np

from asr_server.holders import largest_holders
from asr_server.paraformer.sessions import read_arenas, shrink_arenas
from asr_server.process_memory import read_heap_usage, trim_heap
from asr_server.recogniser import SAMPLE_RATE_HZ

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from asr_server.recogniser import Models

PREFIX: Final = "/debug/"
SHOWN_TYPES: Final = 50
SHOWN_LINES: Final = 25
SHOWN_HOLDERS: Final = 40
SHRINK_AUDIO_S: Final = 2
"""Length of what the models are given to recognise when their arenas are to shrink."""
SHARED_FROM_BYTES: Final = 512
"""Untracked objects from this size on are counted once, however many refer to them; remembering every small
one would take more memory than is worth it, and they are as many at the next look."""


UNTRACKED_CONTAINERS: Final = (dict, tuple)
"""The collector does not track those that hold only numbers, text or bytes, as many a cache does."""


LENT_BY: Final = "PyCapsule"
"""The type of what an array refers to that owns its data without being an array."""


@dataclass
class TypeUsage:
    """The objects of one type."""

    count: int = 0
    bytes: int = 0


class Introspection:
    """Answers the `/debug/…` pages with what can be written as JSON."""

    def __init__(self, models: Models) -> None:
        """Look into the process that has these models."""
        self._models = models
        self._pages: Mapping[str, Callable[[Mapping[str, list[str]]], dict[str, Any]]] = {
            "objects": _objects,
            "holders": _holders,
            "gc": _collect,
            "arena_shrink": self._shrink,
            "trim": _trim,
            "tracemalloc": _tracemalloc,
        }

    def answer(self, target: str) -> dict[str, Any] | None:
        """Do what the request's target asks for; None when there is no such page.

        Every answer also says how malloc's heap is used afterwards, where that is known.
        """
        parts = urlsplit(target)
        page = self._pages.get(parts.path.removeprefix(PREFIX))
        if page is None:
            return None
        found = page(parse_qs(parts.query))
        heap = read_heap_usage()
        if heap is not None:
            found |= {"heap_in_use_bytes": heap.in_use_bytes, "heap_free_bytes": heap.free_bytes}
        return found

    def _shrink(self, _query: Mapping[str, list[str]]) -> dict[str, Any]:
        """Let every session give back what its arena does not use, which it does at the end of a run.

        What an arena still holds afterwards is the most that can be in use of it.
        """

        def use_every_model() -> None:
            sweep = np.sin(np.linspace(0, 1000, SHRINK_AUDIO_S * SAMPLE_RATE_HZ) ** 1.3).astype(np.float32)
            self._models.vad.new_stream().accept(sweep, is_final=True)
            self._models.online.new_stream().accept(sweep, is_final=True)
            self._models.offline.recognise(sweep)

        before = read_arenas()
        shrunk = shrink_arenas(use_every_model)
        answer: dict[str, Any] = {"shrunk": shrunk > 0, "sessions": shrunk}
        if not shrunk:
            return {**answer, "why": "no session has an arena (--cpu-arena)"}
        after = {usage.graph: usage.held_bytes for usage in read_arenas()}
        answer["arenas"] = [
            {**asdict(usage), "shrunk_bytes": after[usage.graph]} for usage in before if usage.graph in after
        ]
        return answer


def count_objects() -> dict[str, TypeUsage]:
    """Count Python objects by type: those the cycle collector tracks, and what they refer to.

    The size is that of `sys.getsizeof`, an array's data included: its own, that of the array it is a view of,
    or what ONNX Runtime has lent it. Frozen objects are unfrozen by this: what a list from before `gc.freeze`
    holds could not be seen otherwise. Of modules only the dictionaries are looked into (`_held`).
    """
    gc.unfreeze()
    tracked = gc.get_objects()
    found: defaultdict[str, TypeUsage] = defaultdict(TypeUsage)
    large_seen: set[int] = set()
    for owner in tracked:
        if owner is tracked:
            continue
        _add(found, owner, _size_bytes(owner))
        held = _held(owner)
        while held:
            item = held.pop()
            if gc.is_tracked(item):
                continue
            size_bytes = _size_bytes(item)
            if size_bytes >= SHARED_FROM_BYTES:
                if id(item) in large_seen:
                    continue
                large_seen.add(id(item))
            _add(found, item, size_bytes)
            if isinstance(item, UNTRACKED_CONTAINERS):
                held += _held(item)
            elif type(item) is np.ndarray and type(item.base) is np.ndarray:
                held.append(item.base)
    return dict(found)


def _held(owner: object) -> list[Any]:
    """What `owner` refers to, of a module only its dictionary: never what its C code keeps for itself.

    A module written in C also names the objects it keeps for reuse, which are freed already. To be given
    one brings it to life and frees it once more: CPython aborts at that, or soon after (its issue 122695,
    where `_asyncio` names the iterators of finished futures; mended in later releases of 3.12 and 3.13).
    What a module holds for others to see is in its dictionary.
    """
    if issubclass(type(owner), ModuleType):  # isinstance would wake up proxies
        return [object.__getattribute__(owner, "__dict__")]
    return gc.get_referents(owner)


def _size_bytes(item: object) -> int:
    """How much memory `item` alone takes; outputs of ONNX Runtime are arrays on memory of its allocator."""
    size_bytes = sys.getsizeof(item, 0)
    if type(item) is np.ndarray and type(item.base).__name__ == LENT_BY:  # isinstance would wake up proxies
        size_bytes += item.nbytes
    return size_bytes


def _add(found: defaultdict[str, TypeUsage], item: object, size_bytes: int) -> None:
    kind = type(item)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    usage = found[name]
    usage.count += 1
    usage.bytes += size_bytes


def _objects(query: Mapping[str, list[str]]) -> dict[str, Any]:
    """Count objects; with `freeze=1` garbage is collected before, and what lives is frozen again after.

    Without it nothing is collected, so that what nobody collects is counted; it stays unfrozen then, and
    every later collection looks at all of it.
    """
    freeze = _given(query, "freeze")
    if freeze:
        gc.collect()
    found = count_objects()
    if freeze:
        gc.freeze()
    largest = sorted(found, key=lambda name: found[name].bytes, reverse=True)[:SHOWN_TYPES]
    return {
        "total_bytes": sum(usage.bytes for usage in found.values()),
        "total_count": sum(usage.count for usage in found.values()),
        "types": {name: asdict(found[name]) for name in largest},
    }


def _holders(_query: Mapping[str, list[str]]) -> dict[str, Any]:
    """Say which containers hold most, and who holds them; nothing is collected before."""
    return {"holders": [asdict(each) for each in largest_holders(SHOWN_HOLDERS)]}


def _collect(_query: Mapping[str, list[str]]) -> dict[str, Any]:
    return {"collected": gc.collect()}


def _trim(_query: Mapping[str, list[str]]) -> dict[str, Any]:
    return {"trimmed": trim_heap()}


def _tracemalloc(query: Mapping[str, list[str]]) -> dict[str, Any]:
    """Begin to trace Python's allocations; when called again, say which lines hold most; `stop=1` ends it."""
    if _given(query, "stop"):
        tracemalloc.stop()
        return {"tracing": False}
    if not tracemalloc.is_tracing():
        frames = query.get("frames", ["1"])[0]
        tracemalloc.start(int(frames) if frames.isdecimal() and frames != "0" else 1)
        return {"tracing": True, "lines": []}
    held_bytes, peak_bytes = tracemalloc.get_traced_memory()
    lines = tracemalloc.take_snapshot().statistics("lineno")[:SHOWN_LINES]
    return {
        "tracing": True,
        "held_bytes": held_bytes,
        "peak_bytes": peak_bytes,
        "lines": [
            {
                "where": f"{line.traceback[0].filename}:{line.traceback[0].lineno}",
                "bytes": line.size,
                "count": line.count,
            }
            for line in lines
        ],
    }


def _given(query: Mapping[str, list[str]], name: str) -> bool:
    return query.get(name, ["0"])[0] not in {"0", ""}
