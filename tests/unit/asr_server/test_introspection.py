"""The /debug pages: what they count, and what they give back."""

import gc
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from types import ModuleType

import numpy as np
import pytest

from asr_server.introspection import Introspection, count_objects
from asr_server.paraformer.catalog import OFFLINE, ONLINE, resolve_model
from asr_server.paraformer.sessions import GraphSession, RuntimeSettings
from asr_server.paraformer.streaming import OnlineRecogniser
from asr_server.recogniser import Models
from asr_server.vad.energy import EnergyVad

kept: list[object] = []

LOOK_AT_SPENT_FUTURES = """
import asyncio, gc
from asr_server.introspection import count_objects

async def wait_on_futures(count):
    loop = asyncio.get_running_loop()
    for _ in range(count):
        future = loop.create_future()
        loop.call_soon(future.set_result, None)
        await future

for _ in range(5):
    asyncio.run(wait_on_futures(100))  # leaves the futures' iterators with their module, for reuse
    count_objects()
    gc.collect()
print("alive")
"""


class Ticket:
    """Something to be counted."""


class SilentSecondPass:
    """A second pass that hears nothing."""

    def recognise(self, _samples: object) -> list[str]:
        return []

    def with_hotwords(self, _words: object) -> "SilentSecondPass":
        return self


@pytest.fixture(scope="module")
def introspection() -> Introspection:
    online = OnlineRecogniser.load(resolve_model("tiny") / ONLINE, RuntimeSettings(cpu_arena=True))
    return Introspection(Models(online, SilentSecondPass(), EnergyVad()))


@pytest.fixture(autouse=True)
def nothing_kept() -> Iterator[None]:
    yield
    kept.clear()


def test_what_a_frozen_list_holds_is_counted() -> None:
    gc.freeze()  # `kept` with everything else
    before = count_objects()
    kept.extend(bytes(100_000) for _ in range(20))
    after = count_objects()
    assert after["bytes"].bytes - before["bytes"].bytes == pytest.approx(2_000_000, rel=0.05)
    assert after["bytes"].count - before["bytes"].count == pytest.approx(20, abs=5)


def test_what_a_dictionary_holds_that_the_collector_does_not_track_is_counted() -> None:
    cache = {str(number): bytes(100_000) for number in range(20)}
    assert not gc.is_tracked(cache)
    before = count_objects()["bytes"].bytes
    kept.append([cache])
    assert count_objects()["bytes"].bytes - before == pytest.approx(2_000_000, rel=0.05)


def test_a_large_object_counts_once_however_many_refer_to_it() -> None:
    before = count_objects()["bytes"].bytes
    block = bytes(1_000_000)
    kept.extend([block] for _ in range(10))
    assert count_objects()["bytes"].bytes - before == pytest.approx(1_000_000, rel=0.05)


def test_looking_does_not_bring_freed_objects_to_life() -> None:
    """In a process of its own: where `_asyncio` names what it keeps for reuse, it would abort or hang."""
    looked = subprocess.run(
        [sys.executable, "-c", LOOK_AT_SPENT_FUTURES], capture_output=True, text=True, check=False, timeout=30
    )
    assert (looked.returncode, looked.stdout) == (0, "alive\n"), looked.stderr


def test_what_a_module_holds_is_counted_once() -> None:
    before = count_objects()["bytes"].bytes
    module = ModuleType("module_with_a_cache")
    module.__dict__["cache"] = bytes(1_000_000)
    kept.append(module)
    assert count_objects()["bytes"].bytes - before == pytest.approx(1_000_000, rel=0.05)


def test_arrays_count_with_their_data_and_classes_by_their_name(introspection: Introspection) -> None:
    kept.append([np.ones(250_000), *(Ticket() for _ in range(30))])
    found = count_objects()
    assert found["numpy.ndarray"].bytes >= 2_000_000
    assert found[f"{__name__}.Ticket"].count == 30
    page = introspection.answer("/debug/objects?freeze=1")
    assert page is not None
    assert page["total_bytes"] >= page["types"]["numpy.ndarray"]["bytes"]
    assert page["heap_in_use_bytes"] > 0
    assert gc.get_freeze_count() > 0
    gc.unfreeze()


def test_what_a_view_keeps_alive_counts_once() -> None:
    before = count_objects()["numpy.ndarray"].bytes
    whole = np.ones(250_000)
    kept.append([whole[:10], whole[10:20]])
    del whole
    assert count_objects()["numpy.ndarray"].bytes - before == pytest.approx(2_000_000, rel=0.01)


def test_what_onnx_runtime_lends_counts() -> None:
    graph = GraphSession(resolve_model("tiny") / OFFLINE / "model_quant.onnx", RuntimeSettings())
    frames = np.random.default_rng(1).random((1, 800, 560), np.float32)
    inputs = {"speech": frames, "speech_lengths": np.array([800], np.int32)}
    graph.run(inputs)  # what the first run makes for itself is there before
    gc.collect()
    before = count_objects()["numpy.ndarray"].bytes
    kept.append(graph.run(inputs))
    outputs_bytes = sum(output.nbytes for output in kept[-1])  # type: ignore[attr-defined]  # a list
    assert outputs_bytes > 4096
    grown = count_objects()["numpy.ndarray"].bytes - before
    assert grown == pytest.approx(outputs_bytes, abs=2000)


def test_cycles_nobody_collected_are_collected_on_request(introspection: Introspection) -> None:
    gc.disable()
    try:
        for _ in range(50):
            ticket = Ticket()
            ticket.__dict__["itself"] = ticket
        del ticket
        page = introspection.answer("/debug/gc")
    finally:
        gc.enable()
    assert page is not None
    assert page["collected"] >= 50


def test_arenas_shrink_where_there_are_any(introspection: Introspection) -> None:
    page = introspection.answer("/debug/arena_shrink")
    assert page is not None
    assert page["shrunk"]
    assert page["sessions"] >= 1
    found = {each["graph"]: each for each in page["arenas"]}
    assert found.keys() >= {"online/model_quant", "online/decoder_quant"}
    assert all(each["shrunk_bytes"] >= each["loaded_bytes"] // 2 > 0 for each in found.values())


def test_allocations_are_traced_on_request(introspection: Introspection) -> None:
    started = introspection.answer("/debug/tracemalloc?frames=1")
    try:
        kept.append(bytes(3_000_000))
        traced = introspection.answer("/debug/tracemalloc")
    finally:
        introspection.answer("/debug/tracemalloc?stop=1")
    assert started is not None
    assert traced is not None
    assert traced["held_bytes"] >= 3_000_000
    assert "test_introspection.py" in traced["lines"][0]["where"]
    assert not tracemalloc.is_tracing()


def test_an_unknown_page_is_no_page(introspection: Introspection) -> None:
    assert introspection.answer("/debug/everything") is None
