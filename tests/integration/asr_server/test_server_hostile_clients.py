"""What clients do wrong, and that nobody else notices."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import struct
from typing import TYPE_CHECKING, Any

import pytest
from websockets.exceptions import ConnectionClosed

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection

    from tests.integration.asr_server.conftest import RunningServer

OPENING = '{"chunk_size": [5, 10, 5]}'


@pytest.mark.parametrize(
    ("frames", "close_code", "words"),
    [
        (["{"], 1007, "not valid JSON"),
        (["[1, 2, 3]"], 1007, "JSON object"),
        (['{"hotwords": {"a": 1}}'], 1007, "hotwords must be a string"),
        (['{"chunk_size": "5,10,5"}'], 1007, "chunk_size must be a list"),
        (['{"chunk_size": [5, 0, 5]}'], 1007, "has no chunk"),
        (['{"audio_fs": "16000"}'], 1007, "audio_fs must be an integer"),
        (['{"mode": "4pass"}'], 1007, "mode must be"),
        (['{"wav_format": "mp3"}'], 1003, "wav_format must be"),
        ([b"\0" * 1920], 1008, "audio came before the configuration"),
        ([OPENING, b"\0" * 1920, "nonsense"], 1007, "not valid JSON"),
    ],
)
async def test_a_mistake_is_explained_and_the_connection_closed(
    server: RunningServer, frames: list[str | bytes], close_code: int, words: str
) -> None:
    async with server.connect() as websocket:
        for frame in frames:
            await websocket.send(frame)
        answer = json.loads(await websocket.recv())
        assert words in answer["error"]
        assert answer["is_final"] is True
        with pytest.raises(ConnectionClosed) as closed:
            await websocket.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == close_code
        assert closed.value.rcvd.reason
        assert answer["error"].startswith(closed.value.rcvd.reason)


async def send_to_the_end(websocket: ClientConnection) -> None:
    with contextlib.suppress(ConnectionClosed):
        while True:
            await websocket.send(b"\0" * 100_000)


async def test_a_client_that_goes_on_sending_still_reads_what_was_wrong(server: RunningServer) -> None:
    async with server.connect() as websocket:
        flooding = asyncio.create_task(send_to_the_end(websocket))
        assert "before the configuration" in json.loads(await websocket.recv())["error"]
        await websocket.wait_closed()
        assert websocket.close_code == 1008
        await flooding


async def test_an_oversized_message_is_refused_with_its_reason(
    server: RunningServer, read_to_the_end: Any
) -> None:
    before = server.metrics()["asr_errors_total{oversized_message}"]
    async with server.connect() as websocket:
        await websocket.send(OPENING)
        with contextlib.suppress(ConnectionClosed):
            await websocket.send(b"\0" * 2_000_000)
        closed = await read_to_the_end(websocket)
    assert closed.rcvd.code == 1009
    assert "1000000" in closed.rcvd.reason
    await server.wait_until(lambda m: m["asr_errors_total{oversized_message}"] == before + 1)


async def test_text_that_is_not_utf8_closes_with_1007(server: RunningServer) -> None:
    async with server.connect() as websocket:
        await websocket.send(b"\xff\xfe", text=True)
        with pytest.raises(ConnectionClosed) as closed:
            await websocket.recv()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1007


def vanish(server: RunningServer, audio: bytes) -> None:
    """Handshake, configure, send audio, and disappear with a TCP reset in the middle of a frame."""
    host, port = server.url.removeprefix("ws://").split(":")
    with socket.create_connection((host, int(port))) as raw:
        raw.sendall(
            b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        assert raw.recv(1000).startswith(b"HTTP/1.1 101")
        opening = OPENING.encode()
        raw.sendall(struct.pack("!BBI", 0x81, 0x80 | len(opening), 0) + opening)  # a mask of zeros
        raw.sendall(struct.pack("!BBHI", 0x82, 0x80 | 126, len(audio), 0) + audio[:-1])
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


async def test_others_hear_the_same_while_one_sends_garbage_and_one_vanishes(
    server: RunningServer, clips: list[bytes], read_to_the_end: Any
) -> None:
    expected = [await server.transcribe(clip) for clip in clips[:4]]

    async def garbage() -> None:
        async with server.connect() as websocket:
            await websocket.send(OPENING)
            await websocket.send(clips[0])
            await websocket.send('{"audio_fs": "x"}')
            await read_to_the_end(websocket)

    def not_even_http() -> None:
        host, port = server.url.removeprefix("ws://").split(":")
        with socket.create_connection((host, int(port))) as raw:
            raw.sendall(b"\x16\x03\x01" + bytes(range(256)) * 4)

    hostile = [asyncio.create_task(garbage()) for _ in range(5)]
    hostile += [asyncio.create_task(asyncio.to_thread(vanish, server, clips[0][:60_000])) for _ in range(5)]
    hostile += [asyncio.create_task(asyncio.to_thread(not_even_http)) for _ in range(5)]
    heard = await asyncio.gather(*(server.transcribe(clips[n % 4]) for n in range(12)))
    await asyncio.gather(*hostile)
    assert heard == [expected[n % 4] for n in range(12)]
    idle = await server.wait_until(lambda m: m["asr_connections_open"] == 0 and m["asr_sessions_alive"] == 0)
    assert idle["asr_decode_queue_tasks"] == 0


async def test_a_client_that_never_reads_is_dropped(server: RunningServer) -> None:
    """It asks for final results without end and takes none; the server must not keep them for it."""
    before = server.metrics()["asr_errors_total{client_not_reading}"]
    host, port = server.url.removeprefix("ws://").split(":")
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    raw.connect((host, int(port)))
    raw.settimeout(60)

    def send_until_dropped() -> None:
        with raw:
            raw.sendall(
                b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
            )
            name = json.dumps({"wav_name": "n" * 1000}).encode()
            raw.sendall(struct.pack("!BBHI", 0x81, 0x80 | 126, len(name), 0) + name)
            end = b'{"is_speaking":false}'
            frame = struct.pack("!BBI", 0x81, 0x80 | len(end), 0) + end
            with contextlib.suppress(ConnectionError):
                while True:
                    raw.sendall(frame * 100)

    await asyncio.to_thread(send_until_dropped)
    await server.wait_until(lambda m: m["asr_errors_total{client_not_reading}"] > before)
    idle = await server.wait_until(lambda m: m["asr_connections_open"] == 0 and m["asr_sessions_alive"] == 0)
    assert idle["asr_decode_queue_tasks"] == 0
