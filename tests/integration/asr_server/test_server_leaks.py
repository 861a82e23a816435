"""Injected leaks as the kernel sees them: one server for each group of kinds, each beside a clean control.

Kinds that show in different places share a server; each is compared with what the server says it injected.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import psutil
import pytest
from websockets.asyncio.client import connect

from asr_server.wire import UtteranceConfig
from tests.integration.asr_server.conftest import Client

if TYPE_CHECKING:
    from tests.integration.asr_server.conftest import RunningServer

CONNECTIONS = 40
WARM_UP = 15
SLACK_BYTES = 3 * 2**20
"""What a clean server of this size may take over so few connections: its heap still warms up."""

HTTP_CLOSING = {-1, 0, 1}
"""Descriptors more or less: the connection that asked for the metrics may be closing yet."""


class Growth:
    """What a server holds now, or gained."""

    def __init__(self, server: RunningServer, metrics: dict[str, float]) -> None:
        process = psutil.Process(server.process.pid)
        memory = process.memory_info()
        self.rss_bytes: float = memory.rss
        self.shared_bytes: float = memory.shared
        self.fds = process.num_fds()
        self.threads = process.num_threads()
        self.waiting = sum(each.status == "CLOSE_WAIT" for each in process.net_connections())
        self.sessions = metrics["asr_sessions_alive"]
        self.injected = {
            name.removeprefix("asr_injected_bytes"): value
            for name, value in metrics.items()
            if name.startswith("asr_injected_bytes")
        }

    def since(self, before: Growth) -> Growth:
        for name, value in vars(before).items():
            if name != "injected":
                setattr(self, name, getattr(self, name) - value)
        self.injected = {kind: value - before.injected[kind] for kind, value in self.injected.items()}
        return self


async def hold(server: RunningServer, pcm: bytes, *, cut: bool, words: str) -> None:
    """One connection with one utterance, perhaps cut off and not closed."""
    async with connect(server.url, compression="deflate", ping_interval=None, proxy=None) as websocket:
        client = Client(websocket, UtteranceConfig(hotwords=words))
        await client.configure()
        await client.say(pcm)
        if cut:
            websocket.transport.abort()


async def grow(server: RunningServer, pcm: bytes, connections: int, first: int) -> None:
    for number in range(first, first + connections):
        await hold(server, pcm, cut=number % 2 == 0, words=f"词{number} 明{number}")


async def growth_of(start_server: Any, pcm: bytes, *injections: str) -> Growth:
    flags = [part for injection in injections for part in ("--inject", injection)]
    settings = ["--sweep-interval-s", "0", "--io-thread-num", "1", "--decoder-thread-num", "1"]
    with start_server("--compression", *settings, *flags) as server:
        await grow(server, pcm, WARM_UP, first=0)
        before = Growth(server, await settled(server))
        await grow(server, pcm, CONNECTIONS, first=WARM_UP + 1)
        return Growth(server, await settled(server)).since(before)


async def settled(server: RunningServer) -> dict[str, float]:
    """The metrics once every connection is gone, and what decoding had left to do is done."""
    return await server.wait_until(
        lambda m: (
            m["asr_connections_open"] == 0
            and m["asr_decode_queue_tasks"] == 0
            and m["asr_sessions_alive"] == m.get("asr_injected_total{state}", 0)
        )
    )


@pytest.fixture
def pcm(clips: list[bytes]) -> bytes:
    return min(clips, key=len)


async def test_a_clean_server_gains_next_to_nothing(start_server: Any, pcm: bytes) -> None:
    growth = await growth_of(start_server, pcm)
    assert growth.rss_bytes < SLACK_BYTES
    assert (growth.threads, growth.sessions) == (0, 0)
    assert {growth.fds, growth.waiting} <= HTTP_CLOSING
    assert growth.injected == {}


async def test_memory_of_every_kind_is_resident(start_server: Any, pcm: bytes) -> None:
    kinds = ("session", "audio", "segment", "inference", "result", "cycle", "native", "native-segment")
    growth = await growth_of(
        start_server,
        pcm,
        *(f"{kind}:100KiB" for kind in kinds),
        *("abrupt:400KiB", "compression:200KiB", "hotword:100KiB", "cache:100KiB"),
    )
    assert all(value >= CONNECTIONS * 100 * 1024 for value in growth.injected.values()), growth.injected
    assert growth.injected["{abrupt}"] == CONNECTIONS / 2 * 400 * 1024
    assert growth.injected["{hotword}"] == CONNECTIONS * 2 * 100 * 1024
    promised = sum(growth.injected.values())
    assert growth.rss_bytes == pytest.approx(promised, rel=0.05, abs=SLACK_BYTES)
    assert (growth.threads, growth.sessions) == (0, 0)
    assert {growth.fds, growth.waiting} <= HTTP_CLOSING


async def test_what_the_kernel_counts_grows_by_one_each(start_server: Any, pcm: bytes) -> None:
    growth = await growth_of(
        start_server, pcm, "fd:4KiB", "socket:4KiB", "thread:64KiB", "file:100KiB", "state:100KiB"
    )
    assert growth.waiting - CONNECTIONS in HTTP_CLOSING
    assert growth.threads == CONNECTIONS
    assert growth.sessions == CONNECTIONS
    assert growth.fds - 3 * CONNECTIONS in HTTP_CLOSING
    kept_bytes = growth.injected["{state}"] + growth.injected["{thread}"]
    assert kept_bytes <= growth.rss_bytes < kept_bytes + CONNECTIONS * 200 * 1024 + SLACK_BYTES


async def test_shared_memory_is_seen_as_such_and_a_timer_needs_no_load(start_server: Any, pcm: bytes) -> None:
    growth = await growth_of(start_server, pcm, "shm:200KiB", "timer:4MiB")
    assert growth.shared_bytes == pytest.approx(CONNECTIONS * 200 * 1024, abs=2**20)
    promised = sum(growth.injected.values())
    assert growth.injected["{timer}"] > 0
    assert growth.rss_bytes == pytest.approx(promised, rel=0.1, abs=SLACK_BYTES + 4 * 2**20)


async def test_it_begins_late_and_happens_at_times(start_server: Any, pcm: bytes) -> None:
    with start_server("--inject", "session:1MiB:0.5:5", "--sweep-interval-s", "0") as server:
        for expected in (0, 0):
            await asyncio.gather(*(hold(server, pcm, cut=False, words="") for _ in range(2)))
            assert (await settled(server))["asr_injected_total{session}"] == expected
        await grow(server, pcm, 16, first=0)
        assert 2 <= (await settled(server))["asr_injected_total{session}"] <= 13
