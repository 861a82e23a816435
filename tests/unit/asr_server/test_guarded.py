"""What one client sends is bounded, in bytes and in turns; who is gone is noticed while it is not read."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from typing import TYPE_CHECKING

import pytest

from asr_server.admission import Admission
from asr_server.guarded import MAX_UNREAD_BYTES
from asr_server.hangups import HangUps
from asr_server.io_threads import IoThread, Transport
from asr_server.metrics import HttpEndpoints, ServerCollector
from tests.attack.server.raw_websocket import (
    BINARY,
    END,
    OPENING,
    PING,
    TEXT,
    EndedError,
    RawWebSocket,
    dial,
    frame,
    request,
)
from tests.unit.asr_server.test_connection import LOUD, WAIT_S, ScriptedModels, Served, serving, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable


def url_of(served: Served) -> str:
    return f"ws://127.0.0.1:{served.listener.getsockname()[1]}"


class Gate:
    """Recognition that waits until it is let go."""

    def __init__(self) -> None:
        self.entered, self.opened, self.steps = threading.Event(), threading.Event(), list[int]()

    def recognise(self) -> list[str]:
        self.steps.append(1)
        self.entered.set()
        self.opened.wait(WAIT_S)
        return []


def sent_until_held_back(client: RawWebSocket, data: bytes, patience_s: float = 0.5) -> int:
    """Send until nobody takes it any more; gives how many bytes were taken, kernel included."""
    client.connection.settimeout(patience_s)
    taken = 0
    try:
        while taken < 100_000_000:
            taken += client.connection.send(data)
    except TimeoutError:
        return taken
    raise AssertionError("it was taken without end")


@pytest.mark.parametrize("end", ["reset", "end of stream"])
def test_a_client_that_leaves_while_it_is_held_back_is_noticed_and_its_audio_dropped(end: str) -> None:
    gate = Gate()
    models = ScriptedModels(gate.recognise)
    with serving(models, max_queued_audio_s=3.0) as served, RawWebSocket.open(url_of(served)) as client:
        client.send(OPENING)
        client.send(*[frame(BINARY, LOUD)] * 12)  # more than is taken in, less than the kernel holds
        assert gate.entered.wait(WAIT_S)
        if end == "reset":
            client.vanish()
        else:
            client.connection.shutdown(socket.SHUT_WR)
        wait_until(lambda: served.counters.read().connections_open == 0)
        assert served.counters.read().errors["client_gone"] == 1
        assert served.pool.queued_tasks <= 1  # that which frees the session
        gate.opened.set()
        assert models.streams_freed.acquire(timeout=WAIT_S)
    assert len(gate.steps) == 1


def test_pings_whose_pongs_are_not_read_are_not_taken_without_end() -> None:
    with serving(ScriptedModels()) as served:
        client = RawWebSocket.open(url_of(served), receive_buffer_bytes=4096)
        with client:
            sent_until_held_back(client, frame(PING, b"p" * 125) * 100)
            (connection,) = served.io_thread.gathering.served
            assert connection.transport.get_write_buffer_size() < MAX_UNREAD_BYTES + 5000


def test_a_large_frame_is_worked_off_as_it_comes() -> None:
    with serving(ScriptedModels()) as served, RawWebSocket.open(url_of(served)) as client:
        client.send(OPENING, frame(BINARY, LOUD * 3, declared=len(LOUD) * 100))
        wait_until(lambda: served.counters.read().audio_s >= 0.9)


def test_a_large_text_is_refused_by_its_header() -> None:
    with serving(ScriptedModels()) as served, RawWebSocket.open(url_of(served)) as client:
        client.send(frame(TEXT, b"[", declared=31_000_000))
        message = client.receive(WAIT_S)
        assert b"send at most 65536" in message.payload
        assert client.receive(WAIT_S).close_code == 1009
        assert served.counters.read().errors["oversized_message"] == 1


def test_a_text_in_fragments_is_refused_when_it_grows_too_large() -> None:
    with serving(ScriptedModels()) as served, RawWebSocket.open(url_of(served)) as client:
        client.send(frame(TEXT, b" " * 60_000, final=False), frame(0, b" " * 6_000, final=False))
        assert b"66000 bytes" in client.receive(WAIT_S).payload
        assert client.receive(WAIT_S).close_code == 1009


def test_what_comes_with_the_handshake_is_read_after_it() -> None:
    with serving(ScriptedModels()) as served, RawWebSocket(dial(url_of(served))) as client:
        client.connection.sendall(request() + OPENING + frame(BINARY, LOUD) + END)
        answers = client.connection.recv(4096)
        while b'is_final": true' not in answers:
            answers += client.connection.recv(4096)
        assert answers.startswith(b"HTTP/1.1 101")


class LimitedServed(Served):
    """As `Served`, with limits."""

    def limit(self, transport: Callable[[HttpEndpoints], Transport]) -> None:
        self.io_thread.stop()
        self.io_thread.join()
        endpoints = HttpEndpoints(ServerCollector(self.counters, self.pool, self.service.leaks))
        self.io_thread = IoThread(0, self.listener, self.service, transport(endpoints))


def test_an_idle_connection_is_closed_with_the_reason() -> None:
    served = LimitedServed(ScriptedModels(), 20.0)
    served.limit(lambda endpoints: Transport(endpoints, 10**8, False, None, idle_timeout_s=0.2))
    try:
        with RawWebSocket.open(url_of(served)) as client:
            closed = client.read_to_the_end()
        assert closed[-1].close_code == 1008
        assert b"nothing came for 0.2 s" in closed[-1].payload
        assert served.counters.read().errors["idle"] == 1
    finally:
        served.close()


def test_pings_keep_a_connection() -> None:
    served = LimitedServed(ScriptedModels(), 20.0)
    served.limit(lambda endpoints: Transport(endpoints, 10**8, False, None, idle_timeout_s=0.5))
    try:
        with RawWebSocket.open(url_of(served)) as client:
            began_s = time.monotonic()
            while time.monotonic() - began_s < 1.2:
                client.send(frame(PING))
                client.receive(WAIT_S)
        assert served.counters.read().errors["idle"] == 0
    finally:
        served.close()


def test_a_connection_too_many_is_told_so_and_has_its_turn_later() -> None:
    served = LimitedServed(ScriptedModels(), 20.0)
    served.limit(lambda endpoints: Transport(endpoints, 10**8, False, None, Admission(1)))
    try:
        with RawWebSocket.open(url_of(served)):
            with dial(url_of(served)) as connection:
                connection.sendall(request())
                answer = connection.recv(4096)
                while not answer.endswith(b"later\n"):
                    answer += connection.recv(4096)
            assert answer.startswith(b"HTTP/1.1 503")
            assert b"1 are open (--max-connections)" in answer
            with dial(url_of(served)) as connection:  # who watches the server is answered all the same
                connection.sendall(request("/metrics"))
                assert connection.recv(4096).startswith(b"HTTP/1.1 200")
        wait_until(lambda: served.counters.read().connections_open == 0)
        RawWebSocket.open(url_of(served)).vanish()
        assert served.counters.read().errors["too_many_connections"] == 1
    finally:
        served.close()


def test_handshakes_that_never_come_end_and_the_oldest_makes_room() -> None:
    served = LimitedServed(ScriptedModels(), 20.0)
    served.limit(lambda endpoints: Transport(endpoints, 10**8, False, None, handshake_timeout_s=0.3))
    try:
        served.io_thread.gathering.max_handshakes = 2
        waiting = [dial(url_of(served)) for _ in range(3)]
        assert waiting[0].recv(1) == b""  # cut at once
        with RawWebSocket.open(url_of(served)):
            pass
        assert served.counters.read().errors["handshake_cut"] >= 1
        for each in waiting:
            assert each.recv(1) == b""
            each.close()
    finally:
        served.close()


def test_a_client_that_fails_the_protocol_and_stays_is_cut() -> None:
    with serving(ScriptedModels()) as served, RawWebSocket.open(url_of(served)) as client:
        client.send(frame(3))
        assert client.receive(WAIT_S).close_code == 1002
        wait_until(lambda: served.counters.read().connections_open == 0)
        with pytest.raises(EndedError):
            client.receive(WAIT_S)


async def test_a_hang_up_is_told_once_and_only_while_it_is_watched() -> None:
    ours, theirs = socket.socketpair()
    told = asyncio.Event()
    hang_ups = HangUps(asyncio.get_running_loop())
    with ours, theirs:
        hang_ups.watch(ours.fileno(), told.set)
        hang_ups.ignore(ours.fileno())
        hang_ups.watch(ours.fileno(), told.set)
        theirs.send(b"this is not read")
        theirs.shutdown(socket.SHUT_WR)
        async with asyncio.timeout(WAIT_S):
            await told.wait()
        hang_ups.close()
