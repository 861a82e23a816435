from __future__ import annotations

import gc
import sys
from types import ModuleType

import pytest

from asr_server.holders import Holder, largest_holders

SHOWN = 40
KEPT: list[bytes] = []
CACHE: dict[str, bytes] = {}


class Registry:
    def __init__(self) -> None:
        self.sessions: list[object] = []


class Slotted:
    __slots__ = ("buffer",)

    def __init__(self) -> None:
        self.buffer: list[object] = []


REGISTRY = Registry()
SLOTTED = Slotted()


def largest_of_this_file() -> Holder:
    """The process that runs the tests holds other large things, too."""
    return next(each for each in largest_holders(SHOWN) if __name__ in f"{each.name} {each.chain}")


@pytest.fixture(autouse=True)
def _empty_again() -> object:
    yield
    KEPT.clear()
    REGISTRY.sessions.clear()
    SLOTTED.buffer.clear()


def test_a_global_list_is_found_by_its_name() -> None:
    KEPT.extend(bytes(100_000 + number) for number in range(50))
    worst = largest_of_this_file()
    assert (worst.kind, worst.name, worst.entries, worst.item) == ("list", f"{__name__}.KEPT", 50, "bytes")
    assert worst.bytes > 5_000_000


def test_a_list_of_an_object_is_found_by_class_and_attribute() -> None:
    REGISTRY.sessions.extend((object(), bytes(200_000 + number)) for number in range(50))
    worst = largest_of_this_file()
    assert worst.name == f"{__name__}.Registry.sessions"
    assert worst.chain[0] == f"{__name__}.REGISTRY"
    assert worst.bytes > 10_000_000


def test_a_list_in_a_slot_is_found() -> None:
    SLOTTED.buffer.extend(bytes(300_000 + number) for number in range(50))
    assert largest_of_this_file().name == f"{__name__}.Slotted.buffer"


def test_a_cache_that_the_collector_does_not_track_is_found() -> None:
    CACHE.update({f"key {number}": bytes(400_000 + number) for number in range(50)})
    assert not gc.is_tracked(CACHE)
    worst = largest_of_this_file()
    assert (worst.kind, worst.name, worst.entries, worst.item) == ("dict", f"{__name__}.CACHE", 50, "bytes")
    CACHE.clear()


def test_what_was_frozen_is_seen() -> None:
    KEPT.extend(bytes(100_000 + number) for number in range(50))
    gc.freeze()
    assert largest_of_this_file().name == f"{__name__}.KEPT"


def test_no_module_is_asked_for_what_it_refers_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """Modules written in C may name objects that are freed already: CPython aborts at being given them."""
    holder = [sys.modules["_asyncio"], ModuleType("another")]
    asked: list[object] = []

    def watched(*owners: object) -> list[object]:
        asked.extend(owners)
        return original(*owners)

    original = gc.get_referents
    monkeypatch.setattr(gc, "get_referents", watched)
    largest_holders(5)
    assert asked
    assert not any(issubclass(type(each), ModuleType) for each in asked)
    del holder
