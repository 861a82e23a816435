"""A speech server that means harm: `python hostile_server.py MODE PORT`. Its protocol is nearly FunASR's."""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
from typing import TYPE_CHECKING

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

if TYPE_CHECKING:
    from websockets.http11 import Request, Response

EVIL = "\x1b]0;owned\x07\x1b[2J\n::error::owned\n##[x]y ![a](http://evil.example/a.png) <script> \u202e"
PAGES = {
    "metrics without measure": "asr_connections_open 1e308\nasr_heap_in_use_bytes 1e999\nasr_arenas -5\n",
    "metrics that are none": "asr_connections_open{a=\x00 \x1b[2J NaN\n" * 100,
    "metrics of megabytes": "asr_connections_open 1\n" * 400_000,
    "debug pages nested": '{"a":' * 50_000,
    "debug pages of wrong types": json.dumps(
        {
            "total_bytes": "x",
            "total_count": -1,
            "types": {"a": 1},
            "shrunk": "x",
            "arenas": {"shrunk_bytes": "x"},
        }
    ),
}
MODES = (
    *PAGES,
    *("drips metrics", "says nothing", "hangs up", "is no HTTP", "drips its handshake", "evil error"),
    *("evil transcript", "huge transcript", "partials without end", "nested messages", "binary"),
)


async def speak(mode: str, connection: ServerConnection) -> None:
    """Answer one client."""
    if mode == "hangs up":
        await connection.close(1011, "\x1b[2J ::error::go away")
        return
    async for message in connection:
        if mode == "evil error":
            await connection.close(1008, EVIL[:60])
            return
        if mode == "nested messages":
            await connection.send("[" * 100_000)
        elif mode == "binary":
            await connection.send(b"\xff" * 1000)
        elif mode == "partials without end":
            for _ in itertools.count():
                await connection.send(json.dumps({"mode": "2pass-online", "text": EVIL, "is_final": False}))
                await asyncio.sleep(0.001)
        elif isinstance(message, str) and json.loads(message).get("is_speaking") is False:
            text = {"evil transcript": EVIL, "huge transcript": "长" * 300_000}.get(mode, "")
            await connection.send(json.dumps({"mode": "2pass-offline", "text": text, "is_final": True}))


async def raw(mode: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer one client that speaks no WebSocket yet."""
    try:
        await reader.read(100)
        if mode == "is no HTTP":
            writer.write(b"SSH-2.0-\x1b[2J\r\n" * 10)
            writer.close()
            return
        while mode == "drips its handshake":
            writer.write(b"H")
            await asyncio.sleep(0.05)
        await asyncio.Event().wait()
    except ConnectionError:
        writer.close()


async def main(mode: str, port: int) -> None:
    """Serve until killed."""
    if mode in {"says nothing", "is no HTTP", "drips its handshake"}:
        async with await asyncio.start_server(lambda r, w: raw(mode, r, w), "127.0.0.1", port) as server:
            await server.serve_forever()

    async def pages(connection: ServerConnection, request: Request) -> Response | None:
        if request.path.startswith(("/metrics", "/debug")):
            if mode == "drips metrics" and request.path == "/metrics":
                while True:
                    connection.transport.write(b"H")
                    await asyncio.sleep(0.05)
            found = PAGES.get(mode)
            return connection.respond(404 if found is None else 200, found or "")
        return None

    async def handle(connection: ServerConnection) -> None:
        try:
            await speak(mode, connection)
        except ConnectionClosed:
            return

    async with serve(handle, "127.0.0.1", port, process_request=pages, ping_interval=None):
        await asyncio.get_running_loop().create_future()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
