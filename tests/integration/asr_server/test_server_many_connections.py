"""A thousand connections, and many at once: nothing that belongs to one of them outlives it."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import weakref
from typing import TYPE_CHECKING, Any

import pytest
from websockets.asyncio.client import connect

from asr_server.connection import Connection, Service
from asr_server.counters import Counters
from asr_server.decoder_pool import DecoderPool
from asr_server.inject import LeakInjector
from asr_server.io_threads import IoThread, Transport, bind_socket, start_listening
from asr_server.metrics import HttpEndpoints, ServerCollector
from asr_server.paraformer.catalog import OFFLINE, ONLINE, VAD, resolve_model
from asr_server.paraformer.frontend import FeatureStream
from asr_server.paraformer.offline import OfflineRecogniser
from asr_server.paraformer.sessions import RuntimeSettings
from asr_server.paraformer.streaming import OnlineRecogniser, OnlineStream
from asr_server.recogniser import ConnectionRecogniser, Models
from asr_server.resample import Resampler
from asr_server.session import Session, SessionRegistry, sessions_alive
from asr_server.vad.energy import EnergyStream, EnergyVad
from asr_server.vad.fsmn import FsmnStream, FsmnVad
from asr_server.wire import ClientDialogue, Final, ServerDialogue, UtteranceConfig

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from asr_server.vad.events import VadModel
    from tests.integration.asr_server.conftest import RunningServer

ONE_AFTER_ANOTHER, AT_ONCE = 1000, 32
SHORT_BYTES = 9600
"""0.3 s."""
WAIT_S = 60.0
STATE = (
    Session, ConnectionRecogniser, OnlineStream, FeatureStream, Resampler, EnergyStream, FsmnStream,
)  # fmt: skip
"""What holds memory for a connection; it must not wait for the cycle collector."""
HANDLERS = (Connection, ServerDialogue)
"""What asyncio's tasks refer to; their cycles go with the next collection."""


async def transcribe(url: str, pcm: bytes, *, leave_early: bool = False) -> str:
    """One whole connection, or one whose client is gone before it has its answer."""
    dialogue = ClientDialogue(UtteranceConfig(chunk_interval=1))  # few frames: there are many connections
    async with connect(url, compression=None, ping_interval=None, proxy=None) as websocket:
        await websocket.send(dialogue.opening())
        for frame in dialogue.audio_frames(pcm):
            await websocket.send(frame)
        if leave_early:
            websocket.transport.abort()
            return ""
        await websocket.send(dialogue.closing())
        async with asyncio.timeout(WAIT_S):
            while True:
                for event in dialogue.receive(str(await websocket.recv())):
                    if isinstance(event, Final):
                        return event.transcript


async def test_a_thousand_connections_and_32_at_once_leave_no_session(
    start_server: Any, clips: list[bytes]
) -> None:
    with start_server("--sweep-interval-s", "0.2") as server:
        running: RunningServer = server
        expected = await transcribe(running.url, clips[-1])
        first = await running.wait_until(lambda m: m["asr_sessions_alive"] == 0)
        for _ in range(ONE_AFTER_ANOTHER):
            await transcribe(running.url, clips[0][:SHORT_BYTES])
        together = await asyncio.gather(*(transcribe(running.url, clips[-1]) for _ in range(AT_ONCE)))
        assert together == [expected] * AT_ONCE
        last = await running.wait_until(
            lambda m: m["asr_sessions_alive"] == 0 and m["asr_connections_open"] == 0
        )
        opened = last["asr_connections_total"] - first["asr_connections_total"]
        assert opened == ONE_AFTER_ANOTHER + AT_ONCE
        assert last["asr_decode_queue_tasks"] == 0
        assert {name: last[name] for name in last if name.startswith("asr_errors")} == {
            name: first[name] for name in first if name.startswith("asr_errors")
        }


@contextlib.contextmanager
def watched(*classes: type) -> Iterator[dict[type, list[weakref.ref[Any]]]]:
    """Refer weakly to every object of these classes that is made meanwhile."""
    made: dict[type, list[weakref.ref[Any]]] = {each: [] for each in classes}

    def watch(name: type) -> None:
        original = name.__dict__["__init__"]

        def init(self: Any, *arguments: Any, **named: Any) -> None:
            made[name].append(weakref.ref(self))
            original(self, *arguments, **named)

        patch.setattr(name, "__init__", init)

    with pytest.MonkeyPatch.context() as patch:
        for each in classes:
            watch(each)
        yield made


def alive(made: dict[type, list[weakref.ref[Any]]], classes: tuple[type, ...]) -> dict[str, int]:
    """How many objects of each class are left, where there are any."""
    left = {each.__name__: sum(ref() is not None for ref in made[each]) for each in classes}
    return {name: count for name, count in left.items() if count}


@contextlib.asynccontextmanager
async def served(models: Models) -> AsyncIterator[str]:
    """A server's threads in this process."""
    pool, counters = DecoderPool(2), Counters()
    sessions, leaks = SessionRegistry(pool, free_at_close=False), LeakInjector()
    endpoints = HttpEndpoints(ServerCollector(counters, pool, leaks))
    listener = bind_socket("127.0.0.1", 0)
    start_listening(listener)
    service = Service(models, sessions, counters, leaks, max_queued_audio_s=20.0)
    io_thread = IoThread(0, listener, service, Transport(endpoints, 10**6, False, None))
    try:
        yield f"ws://127.0.0.1:{listener.getsockname()[1]}"
        async with asyncio.timeout(WAIT_S):
            while counters.read().connections_open or pool.queued_tasks or sessions_alive():
                sessions.sweep()
                await asyncio.sleep(0.01)
    finally:
        io_thread.stop()
        await asyncio.to_thread(io_thread.join)
        listener.close()
        pool.close()


@pytest.fixture(scope="module", params=["energy", "network"])
def vad(request: pytest.FixtureRequest) -> VadModel:
    if request.param == "energy":
        return EnergyVad()
    return FsmnVad.load(resolve_model("tiny") / VAD, RuntimeSettings())


async def test_what_belongs_to_a_connection_is_freed_without_the_cycle_collector(
    vad: VadModel, clips: list[bytes]
) -> None:
    folder = resolve_model("tiny")
    online = OnlineRecogniser.load(folder / ONLINE, RuntimeSettings())
    offline = OfflineRecogniser.load(folder / OFFLINE, RuntimeSettings())
    gc.collect()
    gc.disable()
    try:
        with watched(*STATE, *HANDLERS) as made:
            async with served(Models(online, offline, vad)) as url:
                for number in range(8):
                    await transcribe(url, clips[0], leave_early=number % 2 == 1)
                await asyncio.gather(*(transcribe(url, clips[number % 4]) for number in range(AT_ONCE)))
            assert (
                len(made[Session])
                == len(made[OnlineStream])
                == len(made[ConnectionRecogniser])
                == 8 + AT_ONCE
            )
            assert alive(made, STATE) == {}
        gc.collect()
        assert alive(made, HANDLERS) == {}
    finally:
        gc.enable()
