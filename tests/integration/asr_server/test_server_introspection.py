"""Looking into a running server: only when it was allowed, and what is found there is true."""

import json
import urllib.error
from typing import Any

import numpy as np
import pytest

from tests.integration.asr_server.conftest import RunningServer

MIB = 2**20
OPEN = "--introspection"
NOISE_S = 40


def page(server: RunningServer, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(server.get(f"/debug/{name}"))
    return found


def test_without_permission_there_are_no_such_pages(server: RunningServer) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        server.get("/debug/objects")
    assert refused.value.code == 426  # on to the WebSocket handshake, as every other path
    refused.value.close()


def test_permission_is_logged_loudly_and_unknown_pages_are_not_found(start_server: Any) -> None:
    with start_server(OPEN) as server:
        assert "WARNING" in server.log.read_text()
        assert "/debug pages are open to everybody" in server.log.read_text()
        with pytest.raises(urllib.error.HTTPError) as refused:
            server.get("/debug/everything")
        assert refused.value.code == 404
        refused.value.close()


async def test_what_is_kept_of_sessions_is_counted_as_python_objects(start_server: Any) -> None:
    with start_server(OPEN, "--inject", "session:1MiB", "--sweep-interval-s", "0") as server:
        before = page(server, "objects?freeze=1")
        for _ in range(6):
            async with server.client():
                pass
        await server.wait_until(lambda m: m["asr_connections_open"] == 0)
        after = page(server, "objects")
    grown = after["types"]["bytes"]["bytes"] - before["types"]["bytes"]["bytes"]
    assert grown == pytest.approx(6 * MIB, rel=0.05)
    assert after["heap_in_use_bytes"] - before["heap_in_use_bytes"] == pytest.approx(6 * MIB, rel=0.2)


async def test_cycles_that_nobody_collects_come_back_when_asked_for(
    start_server: Any, clips: list[bytes]
) -> None:
    with start_server(OPEN, "--inject", "cycle:1MiB", "--sweep-interval-s", "0") as server:
        for _ in range(4):
            await server.transcribe(clips[0])
        await server.wait_until(lambda m: m["asr_sessions_alive"] == 0)
        held = page(server, "objects")["types"]["bytes"]["bytes"]
        assert page(server, "gc")["collected"] >= 4
        assert held - page(server, "objects")["types"]["bytes"]["bytes"] == pytest.approx(4 * MIB, rel=0.1)


async def test_counting_twice_takes_no_more_memory_than_once(start_server: Any) -> None:
    with start_server(OPEN) as server:
        page(server, "objects?freeze=1")
        once = server.metrics()["asr_resident_memory_bytes"]
        for _ in range(3):
            page(server, "objects?freeze=1")
        # Python gets memory for small objects by the MiB; a copy of what is counted would be one each time
        assert server.metrics()["asr_resident_memory_bytes"] - once < 2 * MIB


async def test_arenas_hold_what_the_longest_utterance_needed_until_they_are_shrunk(
    start_server: Any,
) -> None:
    noise = np.random.default_rng(1).normal(0, 4000, NOISE_S * 16000).astype("<i2").tobytes()
    with start_server(OPEN, "--cpu-arena", "--vad-dir", "0") as server:  # noise, too, is one utterance then
        loaded = server.metrics()
        await server.transcribe(noise)
        used = await server.wait_until(lambda m: m["asr_sessions_alive"] == 0)
        shrunk = page(server, "arena_shrink")
        left = server.metrics()
    graphs = [each["graph"] for each in shrunk["arenas"]]
    assert len(graphs) == loaded["asr_arenas"] == 3
    held = {graph: used[f"asr_arena_held_bytes{{{graph}}}"] for graph in graphs}
    for each in shrunk["arenas"]:
        assert each["held_bytes"] == held[each["graph"]] >= each["loaded_bytes"]
        assert each["loaded_bytes"] == loaded[f"asr_arena_held_bytes{{{each['graph']}}}"]
        assert each["shrunk_bytes"] == left[f"asr_arena_held_bytes{{{each['graph']}}}"]
    # what they took is malloc's in use, and what they gave back is not any more
    grown = sum(held.values()) - sum(each["loaded_bytes"] for each in shrunk["arenas"])
    returned = sum(held.values()) - sum(each["shrunk_bytes"] for each in shrunk["arenas"])
    assert grown > 8 * MIB
    assert used["asr_heap_in_use_bytes"] - loaded["asr_heap_in_use_bytes"] == pytest.approx(grown, rel=0.3)
    assert returned > 0.5 * grown
    assert used["asr_heap_in_use_bytes"] - left["asr_heap_in_use_bytes"] == pytest.approx(returned, rel=0.3)


def test_without_arenas_it_says_so(start_server: Any) -> None:
    with start_server(OPEN) as server:
        metrics = server.metrics()
        assert metrics["asr_arenas"] == 0
        assert not any(name.startswith("asr_arena_") for name in metrics)
        assert page(server, "arena_shrink")["why"] == "no session has an arena (--cpu-arena)"
