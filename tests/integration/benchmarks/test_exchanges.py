"""The load of the corpus speaks a server's protocol, and sees where it is refused."""

import asyncio
import contextlib
import struct
from collections.abc import AsyncIterator, Sequence

import pytest

from benchmarks.verdict.real.programs.exchanges import EXCHANGES, ExchangeError


class Scripted:
    """A server that reads so much, answers so, and so on, then reads to the end."""

    def __init__(self, turns: Sequence[tuple[int, bytes]]) -> None:
        self._turns = turns
        self.heard = asyncio.Queue[bytes]()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard = b""
        for size, answer in self._turns:
            heard += await reader.readexactly(size)
            writer.write(answer)
        heard += await reader.read()
        writer.close()
        await writer.wait_closed()
        await self.heard.put(heard)


@contextlib.asynccontextmanager
async def scripted(*turns: tuple[int, bytes]) -> AsyncIterator[tuple[int, Scripted]]:
    """Run such a server on a port of this machine."""
    script = Scripted(turns)
    server = await asyncio.start_server(script.serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], script


async def say(kind: str, *turns: tuple[int, bytes]) -> bytes:
    """Ask a scripted server once, and return all it heard."""
    async with scripted(*turns) as (port, script):
        async with EXCHANGES[kind](port) as ask:
            await ask("key", b"body")
        return await script.heard.get()


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n4"
BROKEN = b"HTTP/1.1 500 Broken\r\nContent-Length: 0\r\n\r\n"


async def test_http_posts_the_body_and_reads_the_answer() -> None:
    heard = await say("http", (1, OK))
    assert heard.startswith(b"POST /key HTTP/1.1\r\n")
    assert heard.endswith(b"\r\n\r\nbody")


async def test_mqtt_logs_in_publishes_and_takes_its_leave() -> None:
    heard = await say("mqtt", (14, b"\x20\x02\x00\x00"), (13, b"\x40\x02\x00\x01"))
    assert heard.endswith(b"\x32\x0b\x00\x03key\x00\x01body\xe0\x00")


async def test_dns_asks_for_a_name_under_test() -> None:
    answer = struct.pack("!HHHHHHH", 12, 7, 0x8180, 1, 0, 0, 0)
    assert b"\x03key\x04test\x00" in await say("dns", (2, answer))


READY = b"Z\x00\x00\x00\x05I"


async def test_postgres_reads_on_until_the_server_is_ready() -> None:
    rows = b"T\x00\x00\x00\x04D\x00\x00\x00\x06xx"
    heard = await say("postgres", (41, b"R\x00\x00\x00\x08\x00\x00\x00\x00" + READY), (1, rows + READY))
    assert b"select 'key', length('626f6479')" in heard
    assert heard.endswith(b"X\x00\x00\x00\x04")


async def test_mysql_reads_the_rows_to_their_end() -> None:
    def packet(content: bytes) -> bytes:
        return len(content).to_bytes(3, "little") + b"\x00" + content

    end = packet(b"\xfe\x00\x00\x00\x00")
    answer = packet(b"\x01") + packet(b"column") + end + packet(b"row") + end
    heard = await say("mysql", (0, packet(b"\x0a10.11")), (64, packet(b"\x00")), (5, answer))
    assert b"\x03select 'key', length('626f6479')" in heard


@pytest.mark.parametrize(
    ("kind", "turns"),
    [
        ("http", [(1, BROKEN)]),
        ("redis", [(1, b"-OOM command not allowed\r\n")]),
        ("memcached", [(1, b"SERVER_ERROR out of memory\r\n")]),
        ("mqtt", [(14, b"\x20\x02\x00\x05")]),
        ("postgres", [(41, b"E\x00\x00\x00\x09nope\x00")]),
        ("mysql", [(0, b"\x06\x00\x00\x00\xff\x10\x04nope"[:10])]),
        ("dns", [(2, struct.pack("!HHHHHHH", 12, 7, 0x8183, 1, 0, 0, 0))]),
    ],
)
async def test_a_refusal_is_no_exchange(kind: str, turns: Sequence[tuple[int, bytes]]) -> None:
    async with scripted(*turns) as (port, script):
        with pytest.raises(ExchangeError):
            async with EXCHANGES[kind](port) as ask:
                await ask("key", b"body")
        await script.heard.get()  # it has seen the end
