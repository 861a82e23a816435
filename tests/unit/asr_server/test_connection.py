"""One io thread and its connections, with models made for the occasion: slow, failing, or watched."""

import contextlib
import gc
import json
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from asr_server.connection import Service
from asr_server.counters import Counters
from asr_server.decoder_pool import DecoderPool
from asr_server.inject import LeakInjector
from asr_server.io_threads import IoThread, Transport, bind_socket, start_listening
from asr_server.metrics import HttpEndpoints, ServerCollector
from asr_server.recogniser import Models
from asr_server.session import SessionRegistry, sessions_alive

WAIT_S = 30.0
LOUD = np.random.default_rng(0).normal(0, 3000, 16000).astype("<i2").tobytes()
"""A second of what the VAD takes for speech."""


class Stream:
    def __init__(self, recognise: Callable[[], list[str]]) -> None:
        self._recognise = recognise

    def accept(self, samples: NDArray[np.float32], *, is_final: bool = False) -> list[str]:
        return self._recognise() if len(samples) or is_final else []


class ScriptedModels:
    """Both models; every step of recognition is `recognise`. `streams_freed` counts the ends of streams."""

    def __init__(self, recognise: Callable[[], list[str]] = lambda: ["字"]) -> None:
        self.recognise_step = recognise
        self.streams_freed = threading.Semaphore(0)

    def new_stream(self, chunk_size: tuple[int, int, int] = (5, 10, 5)) -> Stream:
        assert chunk_size
        stream = Stream(self.recognise_step)
        weakref.finalize(stream, self.streams_freed.release)
        return stream

    def recognise(self, samples: NDArray[np.float32]) -> list[str]:
        return ["句"] if len(samples) else []

    def with_hotwords(self, words: Sequence[str]) -> "ScriptedModels":
        assert words
        return self


class Served:
    def __init__(self, models: ScriptedModels, max_queued_audio_s: float) -> None:
        self.pool, self.counters = DecoderPool(1), Counters()
        self.sessions = SessionRegistry(self.pool, free_at_close=True)
        leaks = LeakInjector()
        self.service = service = Service(
            Models(models, models), self.sessions, self.counters, leaks, max_queued_audio_s
        )
        endpoints = HttpEndpoints(ServerCollector(self.counters, self.pool, leaks))
        self.listener = bind_socket("127.0.0.1", 0)
        start_listening(self.listener)
        self.io_thread = IoThread(0, self.listener, service, Transport(endpoints, 10**8, False, None))

    def connect(self) -> ClientConnection:
        port = self.listener.getsockname()[1]
        return connect(f"ws://127.0.0.1:{port}", compression=None, proxy=None, ping_interval=None)

    def close(self) -> None:
        self.io_thread.stop()
        self.io_thread.join()
        self.listener.close()
        self.pool.close()


@contextlib.contextmanager
def serving(models: ScriptedModels, max_queued_audio_s: float = 20.0) -> Iterator[Served]:
    served = Served(models, max_queued_audio_s)
    try:
        yield served
    finally:
        served.close()


def wait_until(condition: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline_s, "this should have happened long ago"
        time.sleep(0.005)


def converse(client: ClientConnection) -> list[dict[str, Any]]:
    client.send('{"chunk_size": [5, 10, 5]}')
    client.send(LOUD)
    client.send('{"is_speaking": false}')
    messages = [json.loads(client.recv(timeout=WAIT_S))]
    while not messages[-1]["is_final"]:
        messages.append(json.loads(client.recv(timeout=WAIT_S)))
    return messages


def test_a_connections_state_is_freed_after_its_close_without_the_cycle_collector() -> None:
    models = ScriptedModels()
    with serving(models) as served:
        gc.collect()
        gc.disable()
        try:
            with served.connect() as client:
                assert converse(client)[-1]["text"] == "句"
                assert not models.streams_freed.acquire(blocking=False)
            assert models.streams_freed.acquire(timeout=WAIT_S)
        finally:
            gc.enable()
    assert sessions_alive() == 0


def test_a_decoder_that_fails_tells_its_client_and_nobody_else(caplog: pytest.LogCaptureFixture) -> None:
    failing = threading.Event()

    def recognise() -> list[str]:
        if failing.is_set():
            raise MemoryError
        return ["字"]

    with serving(ScriptedModels(recognise)) as served, served.connect() as other, served.connect() as client:
        failing.set()
        assert converse(client)[-1]["error"] == "the server failed to decode this audio"
        with pytest.raises(ConnectionClosed) as closed:
            client.recv(timeout=WAIT_S)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1011
        failing.clear()
        assert converse(other)[-1]["text"] == "句"
        assert served.counters.read().errors["decoding_failed"] == 1
    assert "decoding failed" in caplog.text


def test_a_client_ahead_of_the_decoder_is_not_read() -> None:
    """Only so much audio is taken in before any of it is decoded; the rest stays with the client."""
    queue_lengths, served_soon = list[int](), list[Served]()

    def recognise() -> list[str]:
        if not queue_lengths:
            wait_until(lambda: served_soon[0].pool.queued_tasks >= 2)
        queue_lengths.append(served_soon[0].pool.queued_tasks)
        return []

    with serving(ScriptedModels(recognise), max_queued_audio_s=3.0) as served, served.connect() as client:
        served_soon.append(served)
        client.send('{"chunk_size": [5, 10, 5]}')
        for _ in range(30):
            client.send(LOUD)
        client.send('{"is_speaking": false}')
        assert json.loads(client.recv(timeout=WAIT_S))["is_final"]
        assert max(queue_lengths) <= 3
        assert served.counters.read().audio_s == pytest.approx(30)


def test_one_long_message_is_decoded_in_pieces() -> None:
    steps = list[int]()

    def recognise() -> list[str]:
        steps.append(1)
        return []

    with serving(ScriptedModels(recognise)) as served, served.connect() as client:
        client.send('{"chunk_size": [5, 10, 5]}')
        client.send(LOUD * 10)
        client.send('{"is_speaking": false}')
        assert json.loads(client.recv(timeout=WAIT_S))["is_final"]
    assert len(steps) >= 10


def test_what_waits_for_a_client_that_has_gone_is_not_decoded() -> None:
    started, gate, steps = threading.Event(), threading.Event(), list[int]()

    def recognise() -> list[str]:
        steps.append(1)
        started.set()
        gate.wait(WAIT_S)
        return []

    models = ScriptedModels(recognise)
    with serving(models) as served:
        with served.connect() as client:
            client.send('{"chunk_size": [5, 10, 5]}')
            for _ in range(10):
                client.send(LOUD)
            assert started.wait(WAIT_S)
        wait_until(lambda: not served.counters.read().connections_open)
        gate.set()
        assert models.streams_freed.acquire(timeout=WAIT_S)
    assert len(steps) == 1


def test_a_fault_of_the_server_itself_is_logged_and_told(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(ScriptedModels):
        def new_stream(self, chunk_size: tuple[int, int, int] = (5, 10, 5)) -> Stream:
            raise ValueError(f"no memory for {chunk_size}")

    with serving(Broken()) as served, served.connect() as client:
        client.send('{"chunk_size": [5, 10, 5]}')
        assert json.loads(client.recv(timeout=WAIT_S))["error"] == "the server failed"
    assert "no memory for" in caplog.text
