"""Looking into a running server: only when it was allowed, and what is found there is true."""

import json
import urllib.error
from typing import Any

import pytest

from tests.integration.asr_server.conftest import RunningServer

MIB = 2**20
OPEN = "--introspection"


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
