"""How to talk to a server: for each protocol, a connection that is opened, asked something, and closed.

Each is a context manager over a port of this machine. It gives a function that sends one request, with a key
and a body where the protocol has any, and waits for the answer; a refusal raises `ExchangeError`.
"""

from __future__ import annotations

import asyncio
import contextlib
import struct
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING

from websockets.asyncio.client import connect

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

END = b"\r\n"
HOST = "127.0.0.1"
Ask = Callable[[str, bytes], Awaitable[None]]
Exchange = Callable[[int], AbstractAsyncContextManager[Ask]]


class ExchangeError(OSError):
    """The server answered, and refused."""


@contextlib.asynccontextmanager
async def opened(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Open a TCP connection, and close it in the end."""
    reader, writer = await asyncio.open_connection(HOST, port)
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


def in_lines(request: Callable[[str, bytes], bytes]) -> Exchange:
    """Return the exchange of a protocol whose every answer is one line."""

    @contextlib.asynccontextmanager
    async def exchange(port: int) -> AsyncIterator[Ask]:
        async with opened(port) as (reader, writer):

            async def ask(key: str, body: bytes) -> None:
                writer.write(request(key, body))
                answer = await reader.readuntil(END)
                if answer.startswith((b"-", b"ERROR", b"CLIENT_ERROR", b"SERVER_ERROR")):
                    raise ExchangeError(answer.decode(errors="replace").strip())

            yield ask

    return exchange


def over_http(request: Callable[[str, bytes], bytes]) -> Exchange:
    """Return the exchange of HTTP with these requests; answers have a length."""

    @contextlib.asynccontextmanager
    async def exchange(port: int) -> AsyncIterator[Ask]:
        async with opened(port) as (reader, writer):

            async def ask(key: str, body: bytes) -> None:
                writer.write(request(key, body))
                head = (await reader.readuntil(END + END)).lower()
                await reader.readexactly(int(head.partition(b"content-length:")[2].partition(END)[0]))
                if b" 200 " not in head.partition(END)[0]:
                    raise ExchangeError(head.partition(END)[0].decode())

            yield ask

    return exchange


def post(key: str, body: bytes) -> bytes:
    """Return a POST on a connection that stays open."""
    return f"POST /{key} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def get(_key: str, _body: bytes) -> bytes:
    """Return a GET of the start page, for servers of files."""
    return b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


def resp(*words: bytes) -> bytes:
    """Return a command in redis's protocol."""
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in words)


@contextlib.asynccontextmanager
async def websocket(port: int) -> AsyncIterator[Ask]:
    """Send a message and wait for one, over WebSocket."""
    async with connect(f"ws://{HOST}:{port}", max_size=None) as socket:

        async def ask(_key: str, body: bytes) -> None:
            await socket.send(body)
            await socket.recv()

        yield ask


@contextlib.asynccontextmanager
async def mqtt(port: int) -> AsyncIterator[Ask]:
    """Log in to an MQTT 3.1.1 broker and publish; at quality of service 1 it acknowledges each message."""
    async with opened(port) as (reader, writer):
        writer.write(b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00")  # the broker is to name the client
        if (await reader.readexactly(4))[3] != 0:
            raise ExchangeError("the broker refused the connection")

        async def ask(key: str, body: bytes) -> None:
            topic = key.encode()
            message = struct.pack("!H", len(topic)) + topic + b"\x00\x01" + body
            writer.write(b"\x32" + mqtt_length(len(message)) + message)
            await reader.readexactly(4)

        yield ask
        writer.write(b"\xe0\x00")


def mqtt_length(size: int) -> bytes:
    """Return a remaining length as MQTT writes it: seven bits a byte, the low ones first."""
    low, rest = size & 0x7F, size >> 7
    return bytes([low | 0x80]) + mqtt_length(rest) if rest else bytes([low])


@contextlib.asynccontextmanager
async def postgres(port: int) -> AsyncIterator[Ask]:
    """Log in to PostgreSQL as a user that is trusted, and ask in its simple query protocol."""

    async def until_ready(reader: asyncio.StreamReader) -> None:
        kind = b""
        while kind != b"Z":
            kind, size = struct.unpack("!cI", await reader.readexactly(5))
            text = await reader.readexactly(size - 4)
            if kind == b"E":
                raise ExchangeError(text.decode(errors="replace"))

    async with opened(port) as (reader, writer):
        names = b"user\0postgres\0database\0postgres\0\0"
        writer.write(struct.pack("!II", 8 + len(names), 3 << 16) + names)
        await until_ready(reader)

        async def ask(key: str, body: bytes) -> None:
            query = f"select '{key}', length('{body.hex()}')".encode() + b"\0"
            writer.write(b"Q" + struct.pack("!I", 4 + len(query)) + query)
            await until_ready(reader)

        yield ask
        writer.write(b"X" + struct.pack("!I", 4))


MYSQL_41, MYSQL_SECURE, MYSQL_PLUGIN = 0x200, 0x8000, 0x80000
"""What the client can: the protocol since 4.1, its passwords, and naming the plugin that checks them."""


@contextlib.asynccontextmanager
async def mysql(port: int) -> AsyncIterator[Ask]:
    """Log in to MySQL or MariaDB without a password, and ask in its text protocol."""

    async def packet(reader: asyncio.StreamReader) -> bytes:
        head = await reader.readexactly(4)
        content = await reader.readexactly(int.from_bytes(head[:3], "little"))
        if content[:1] == b"\xff":
            raise ExchangeError(content[3:].decode(errors="replace"))
        return content

    def framed(content: bytes, number: int) -> bytes:
        return len(content).to_bytes(3, "little") + bytes([number]) + content

    async with opened(port) as (reader, writer):
        await packet(reader)
        can = struct.pack("<IIB23x", MYSQL_41 | MYSQL_SECURE | MYSQL_PLUGIN, 1 << 24, 33)
        writer.write(framed(can + b"root\0" + b"\0" + b"mysql_native_password\0", 1))
        await packet(reader)

        async def ask(key: str, body: bytes) -> None:
            writer.write(framed(b"\x03" + f"select '{key}', length('{body.hex()}')".encode(), 0))
            ends = 0
            while ends < 2:  # one after the columns, one after the rows
                content = await packet(reader)
                ends += content[:1] == b"\xfe" and len(content) < 9

        yield ask
        writer.write(framed(b"\x01", 0))


@contextlib.asynccontextmanager
async def dns(port: int) -> AsyncIterator[Ask]:
    """Ask for an address over TCP, under ever new names."""
    async with opened(port) as (reader, writer):

        async def ask(key: str, _body: bytes) -> None:
            labels = b"".join(bytes([len(label)]) + label for label in (key.encode(), b"test"))
            query = struct.pack("!HHHHHH", 7, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!HH", 1, 1)
            writer.write(struct.pack("!H", len(query)) + query)
            (size,) = struct.unpack("!H", await reader.readexactly(2))
            if (await reader.readexactly(size))[3] & 0x0F:
                raise ExchangeError("the name server knows no address")

        yield ask


EXCHANGES: dict[str, Exchange] = {
    "http": over_http(post),
    "http-get": over_http(get),
    "ws": websocket,
    "redis": in_lines(lambda key, body: resp(b"SET", key.encode(), body)),
    "redis-expiring": in_lines(lambda key, body: resp(b"SET", key.encode(), body, b"EX", b"60")),
    "redis-list": in_lines(lambda _key, body: resp(b"RPUSH", b"queue", body)),
    "memcached": in_lines(lambda key, body: b"set %b 0 0 %d\r\n%b\r\n" % (key.encode(), len(body), body)),
    "mqtt": mqtt,
    "postgres": postgres,
    "mysql": mysql,
    "dns": dns,
}
"""Every protocol that needs no more than is at hand, by its name."""
