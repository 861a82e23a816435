"""Which containers hold most, and by what name one gets to them: the chain that keeps objects alive."""

from __future__ import annotations

import contextlib
import gc
import sys
from collections import Counter, deque
from dataclasses import dataclass
from types import FrameType, ModuleType
from typing import Any, Final

CONTAINERS: Final = (list, dict, set, frozenset, deque)
"""What grows by an entry at a time."""
LOOKED_INTO: Final = (tuple, list)
"""Entries that are small containers, as a pair of session and buffer: what they hold counts, too."""
SMALL: Final = 8
"""Entries of such a one at most."""
LONGEST_CHAIN: Final = 4
"""Steps from a container outwards; the first names it, the others say where that is."""
FEWEST_ENTRIES: Final = 2


@dataclass(frozen=True)
class Holder:
    """A container, and what it keeps."""

    kind: str
    """`list`, `dict`, …"""
    name: str
    """Where it is found, as `asr_server.inject.python_objects.KeptAtClose._kept`; empty where unknown."""
    chain: tuple[str, ...]
    """Who holds the holder, outwards, by the same kind of name."""
    entries: int
    item: str
    """The commonest type among the entries."""
    bytes: int
    """The container and what it holds directly; an object that two hold counts for both."""


def largest_holders(shown: int) -> list[Holder]:
    """Return the containers that hold most directly, largest first.

    Nothing is collected before. Frozen objects are unfrozen: what a container from before `gc.freeze` holds
    could not be seen otherwise. No module is asked for its referents (CPython's issue 122695).
    """
    gc.unfreeze()
    containers = _containers()
    sized = [(_held_bytes(each), place) for place, each in enumerate(containers)]
    largest = sorted(sized, reverse=True)[: 2 * shown]
    modules = _module_names()
    found: list[Holder] = []
    for held_bytes, place in largest:
        container = containers[place]
        if id(container) in modules:
            continue
        first, *chain = _chain(container, modules, not_ours=(containers, found)) or [""]
        found.append(
            Holder(
                type(container).__name__,
                first,
                tuple(chain),
                len(container),
                _commonest_type(container),
                held_bytes,
            )
        )
    return found[:shown]


def _containers() -> list[Any]:
    """Return all containers of some size: those the collector tracks, and dictionaries that it does not.

    It does not track those that hold only numbers, text or bytes, as many a cache does.
    """
    tracked = gc.get_objects()
    found = [
        each
        for each in tracked
        if each is not tracked and type(each) in CONTAINERS and len(each) >= FEWEST_ENTRIES
    ]
    untracked: dict[int, Any] = {}
    for owner in tracked:
        if owner is tracked or issubclass(type(owner), ModuleType):  # isinstance would wake up proxies
            continue
        for each in gc.get_referents(owner):
            if type(each) is dict and len(each) >= FEWEST_ENTRIES and not gc.is_tracked(each):
                untracked[id(each)] = each
    return [*found, *untracked.values()]


def _held_bytes(container: Any) -> int:
    """Return the size of a container with its entries, of small containers among them the content, too."""
    total = sys.getsizeof(container, 0)
    for entry in gc.get_referents(container):
        if issubclass(type(entry), ModuleType):
            continue
        total += sys.getsizeof(entry, 0)
        if type(entry) in LOOKED_INTO and len(entry) <= SMALL:
            total += sum(sys.getsizeof(each, 0) for each in entry)
    return total


def _commonest_type(container: Any) -> str:
    values = container.values() if type(container) is dict else container
    counted = Counter(type(each) for each in list(values))
    return _type_name(counted.most_common(1)[0][0]) if counted else ""


def _module_names() -> dict[int, str]:
    """Return the names of the modules by the identity of their dictionaries."""
    return {
        id(module.__dict__): name
        for name, module in list(sys.modules.items())
        if type(module) is ModuleType  # a lazy stand-in would be imported by this
    }


def _chain(held: Any, modules: dict[int, str], not_ours: tuple[object, ...]) -> list[str]:
    """Return how one gets to `held`: its own name, then who holds that, up to a module."""
    names: list[str] = []
    seen = {id(each) for each in not_ours}
    while len(names) < LONGEST_CHAIN:
        step = _step(held, modules, seen)
        if step is None:
            break
        name, held, ends = step
        names.append(name)
        if ends:
            break
    return names


def _step(held: Any, modules: dict[int, str], seen: set[int]) -> tuple[str, Any, bool] | None:
    """Return the name of `held` in one of its referrers, that referrer, and whether the chain ends there."""
    seen.add(id(held))
    referrers = [
        each for each in gc.get_referrers(held) if id(each) not in seen and type(each) is not FrameType
    ]
    for referrer in referrers:
        if id(referrer) in modules:
            return f"{modules[id(referrer)]}.{_key_of(held, referrer)}", referrer, True
    for referrer in referrers:
        attribute = _attribute_of(held, referrer)
        if attribute is not None:
            seen.add(id(referrer))
            return attribute, referrer, isinstance(referrer, type)
    for referrer in sorted(referrers, key=lambda each: type(each) is tuple):
        if type(referrer) in CONTAINERS or type(referrer) is tuple:
            owner = _owner_of_dict(referrer)
            if owner is not None:
                seen.update((id(referrer), id(owner)))
                return f"{_type_name(type(owner))}.{_key_of(held, referrer)}", owner, False
            seen.add(id(referrer))
            return f"an entry of a {type(referrer).__name__}", referrer, False
    return None


def _attribute_of(held: Any, owner: Any) -> str | None:
    """Return `module.Class.attribute` where `held` is an attribute of an object or of a class."""
    if isinstance(owner, CONTAINERS) and type(owner) in CONTAINERS:
        return None
    names: list[str] = []
    try:
        attributes = (
            type.__dict__["__dict__"].__get__(owner) if isinstance(owner, type) else _attributes(owner)
        )
    except (AttributeError, TypeError):
        return None
    names = [name for name, value in attributes.items() if value is held]
    if not names:
        return None
    return f"{_type_name(owner if isinstance(owner, type) else type(owner))}.{names[0]}"


def _attributes(owner: Any) -> dict[str, Any]:
    """Return what an object has in its dictionary and its slots, without calling any code of its own."""
    found: dict[str, Any] = {}
    with contextlib.suppress(AttributeError, TypeError):
        found.update(object.__getattribute__(owner, "__dict__"))
    for each in type(owner).__mro__:
        slots = each.__dict__.get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else tuple(slots):
            try:
                found[name] = object.__getattribute__(owner, name)
            except AttributeError:
                continue
    return found


def _owner_of_dict(mapping: Any) -> Any | None:
    """Return the object whose attributes a dictionary holds; None where it is one of its own."""
    if type(mapping) is not dict:
        return None
    for referrer in gc.get_referrers(mapping):
        if type(referrer) in CONTAINERS or type(referrer) in {FrameType, tuple}:
            continue
        try:
            if object.__getattribute__(referrer, "__dict__") is mapping:
                return referrer
        except (AttributeError, TypeError):
            continue
    return None


def _key_of(held: Any, mapping: Any) -> str:
    """Return the name under which a dictionary holds an object."""
    return next((str(key) for key, value in list(mapping.items()) if value is held), "?")


def _type_name(kind: type) -> str:
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
