"""A WebSocket server that echoes; `--keep` puts every message into a list as well."""

from __future__ import annotations

import argparse
import asyncio

from websockets.asyncio.server import ServerConnection, serve


async def main() -> None:
    """Serve until ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args()
    kept: list[str | bytes] = []

    async def echo(connection: ServerConnection) -> None:
        async for message in connection:
            if options.keep:
                kept.append(message)
            await connection.send(message)

    async with serve(echo, "127.0.0.1", options.port, max_size=None) as server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
