"""A stream of speech to a recogniser, in a dialect of soak's; needs soak."""

from __future__ import annotations

import contextlib
import functools
from typing import TYPE_CHECKING

from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from benchmarks.serving.audio import sentences
from benchmarks.verdict.real.programs.exchanges import HOST, ExchangeError
from soak.dialects import Fault, Final
from soak.dialects.funasr import Funasr
from soak.dialects.sherpa_onnx import SherpaOnnx

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from benchmarks.verdict.real.programs.exchanges import Ask, Exchange
    from soak.dialects import Dialect

DIALECTS: dict[str, Dialect] = {"funasr": Funasr(), "sherpa-onnx": SherpaOnnx()}
LONGEST_S = 4.0
"""The length of a stream is drawn anew for each connection, as it is in life: so long at most."""


@functools.cache
def speech() -> bytes:
    """Return PCM of the longest stream."""
    return sentences(LONGEST_S).tobytes()


def stream(kind: str) -> Exchange:
    """Return the exchange of one of `DIALECTS`: audio as fast as it is taken, until the last result."""
    dialect = DIALECTS[kind]

    @contextlib.asynccontextmanager
    async def exchange(port: int) -> AsyncIterator[Ask]:
        offered = [Subprotocol(each) for each in dialect.subprotocols] or None
        async with connect(f"ws://{HOST}:{port}", max_size=None, subprotocols=offered) as socket:

            async def ask(_key: str, body: bytes) -> None:
                conversation = dialect.conversation()
                for message in conversation.opening():
                    await socket.send(message)
                share = (1 + body[0]) / 256
                pcm = speech()[: 2 * max(8000, int(share * LONGEST_S * 16000))]
                for frame in conversation.audio(pcm):
                    await socket.send(frame.message)
                for message in conversation.closing():
                    await socket.send(message)
                async for answer in socket:
                    for event in conversation.receive(answer):
                        if isinstance(event, Fault):
                            raise ExchangeError(event.message)
                        if isinstance(event, Final):
                            return

            yield ask

    return exchange
