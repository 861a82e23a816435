"""Load for the recorded servers: connections at a fixed rate, each with a few requests of random content.

Prints a line of JSON a second: connections completed and open, and whether this is load or rest.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import json
import math
import random
import sys
import time
from typing import TYPE_CHECKING, cast

from websockets.exceptions import WebSocketException

from benchmarks.verdict.real.programs.exchanges import EXCHANGES

if TYPE_CHECKING:
    from benchmarks.verdict.real.programs.exchanges import Ask, Exchange

NEEDING_MORE = ("grpc", "funasr", "sherpa-onnx")
"""Protocols whose packages are imported only where they are spoken."""

LONGEST_S = 60.0
"""A connection that takes longer, beside what it is held for, is given up."""


def exchange_of(kind: str) -> Exchange:
    """Return how this protocol is spoken; raises ImportError where it needs a package that is missing."""
    if kind in EXCHANGES:
        return EXCHANGES[kind]
    if kind == "grpc":
        return cast("Exchange", importlib.import_module(f"{__package__}.grpc_exchange").unary)
    return cast("Exchange", importlib.import_module(f"{__package__}.speech_exchange").stream(kind))


class Traffic:
    """What is sent, and how much of it has been."""

    def __init__(self, options: argparse.Namespace) -> None:
        """Begin with nothing sent; `options` are those of the command line."""
        self.options = options
        self._exchange = exchange_of(options.kind)
        self.completed = 0
        self.open = 0
        self.phase = "load"
        self._random = random.Random(options.seed)  # noqa: S311 - content, not secrets
        self._requests = 0

    async def connection(self) -> None:
        """Open a connection, make its requests, hold it for a while and close it."""
        self.open += 1
        try:
            async with (
                asyncio.timeout(LONGEST_S + self.options.hold_s),
                self._exchange(self.options.port) as ask,
            ):
                await self._talk(ask)
            self.completed += 1
        except (OSError, EOFError, WebSocketException) as error:
            print(f"a connection failed: {error!r}", file=sys.stderr)
        finally:
            self.open -= 1

    async def _talk(self, ask: Ask) -> None:
        for _ in range(self.options.requests):
            self._requests += 1
            key = self._random.randrange(self.options.keys) if self.options.keys else self._requests
            size = min(20 * self.options.body, self._random.expovariate(1 / self.options.body)) + 1
            body = self._random.randbytes(int(size) if self.options.varied else self.options.body)
            await ask(f"key{key:010d}", body)
        await asyncio.sleep(self.options.hold_s)

    def rate_per_s(self, elapsed_s: float) -> float:
        """Return how many connections start per second now."""
        options = self.options
        swing = options.swing * math.sin(2 * math.pi * elapsed_s / options.swing_s)
        return float(options.rate * (1 + swing))

    async def run(self) -> None:
        """Start connections until the process is ended, in blocks with rests between them if so asked."""
        reporting = asyncio.create_task(self._report())
        started_s = time.monotonic()
        tasks = set[asyncio.Task[None]]()
        period_s = self.options.block_s + self.options.rest_s
        due_s = started_s
        while not reporting.done():
            elapsed_s = time.monotonic() - started_s
            self.phase = "load" if not period_s or elapsed_s % period_s < self.options.block_s else "rest"
            if self.phase == "rest":
                due_s = time.monotonic() + 0.2
            else:
                task = asyncio.create_task(self.connection())
                tasks.add(task)
                task.add_done_callback(tasks.discard)
                due_s = max(due_s + 1 / self.rate_per_s(elapsed_s), time.monotonic() - 1)
            await asyncio.sleep(max(0.0, due_s - time.monotonic()))

    async def _report(self) -> None:
        while True:
            phase = "drain" if self.phase == "rest" and self.open else self.phase
            state = {"connections_completed": self.completed, "open_connections": self.open, "phase": phase}
            print(json.dumps(state), flush=True)
            await asyncio.sleep(0.5)


def main() -> None:
    """Read the command line and load the server until ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=[*EXCHANGES, *NEEDING_MORE])
    parser.add_argument("port", type=int)
    parser.add_argument("--rate", type=float, default=10.0, help="connections per second")
    parser.add_argument("--requests", type=int, default=1, help="requests per connection")
    parser.add_argument("--body", type=int, default=4096, help="bytes of a request's body")
    parser.add_argument("--varied", action="store_true", help="bodies of varied size, mean --body")
    parser.add_argument("--keys", type=int, default=0, help="draw keys from so many; 0: never one twice")
    parser.add_argument("--hold-s", type=float, default=0.0, help="keep each connection open so long")
    parser.add_argument("--swing", type=float, default=0.0, help="share by which the rate swings")
    parser.add_argument("--swing-s", type=float, default=240.0, help="period of the swing")
    parser.add_argument("--block-s", type=float, default=0.0, help="length of a block of load")
    parser.add_argument("--rest-s", type=float, default=0.0, help="rest after each block")
    parser.add_argument("--seed", type=int, default=1)
    asyncio.run(Traffic(parser.parse_args()).run())


if __name__ == "__main__":
    main()
