"""A gRPC connection that makes unary calls; needs the package `grpcio`."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import grpc
import grpc.aio

from benchmarks.verdict.real.programs.exchanges import HOST, ExchangeError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from benchmarks.verdict.real.programs.exchanges import Ask

METHOD = "/test.Echo/Say"


@contextlib.asynccontextmanager
async def unary(port: int) -> AsyncIterator[Ask]:
    """Open a channel of its own, whose connection no other one shares."""
    alone = [("grpc.use_local_subchannel_pool", 1)]
    async with grpc.aio.insecure_channel(f"{HOST}:{port}", options=alone) as channel:
        say = channel.unary_unary(METHOD)

        async def ask(_key: str, body: bytes) -> None:
            try:
                await say(body)
            except grpc.aio.AioRpcError as error:
                raise ExchangeError(str(error.details())) from None

        yield ask
