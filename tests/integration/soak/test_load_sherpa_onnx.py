"""A whole load in sherpa-onnx's dialect, against a small server written from its public protocol."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
from websockets.asyncio.server import serve

from soak.load.clips import Clip
from soak.load.driver import Driver
from soak.load.messages import Done, DriverEvent
from soak.load.plan import LoadPlan

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from websockets.asyncio.server import ServerConnection

    from soak.load.messages import Message

CLIPS = tuple(Clip(f"clip-{n}", "en", None, "", bytes([n, 7]) * 1600 * (n + 1)) for n in range(3))
SEGMENT_SAMPLES = 2000


@pytest.mark.parametrize("end_is_told", [True, False], ids=["a result says eof", "nothing but Done!"])
async def test_a_whole_load_gets_its_transcripts(*, end_is_told: bool) -> None:
    heard: list[bytes] = []

    async def recognise(connection: ServerConnection) -> None:
        samples = np.empty(0, "<f4")
        async for message in connection:
            if message == "Done":
                break
            assert isinstance(message, bytes)
            samples = np.concatenate([samples, np.frombuffer(message, "<f4")])
            await connection.send(answer(samples, is_eof=False))
        heard.append((samples * 32768).astype("<i2").tobytes())
        if end_is_told:
            await connection.send(answer(samples, is_eof=True))
        await connection.send("Done!")
        await connection.wait_closed()

    messages: list[Message] = []
    async with serve(recognise, "127.0.0.1", 0, compression=None) as server:
        url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        plan = LoadPlan.from_json_object(
            {"url": url, "dialect": "sherpa-onnx", "connections": 9, "rate_per_s": 100, "max_open": 4}
            | {"settle_s": 0.02, "rest_s": 0.01, "block_s": 60, "ready_timeout_s": 30}
        )
        await Driver(plan, CLIPS, messages.append).run()
    done = messages[-1]
    assert isinstance(done, Done)
    assert (done.counters.connections_completed, done.counters.failures) == (9, {})
    assert done.counters.transcripts_changed == 0
    assert sorted(heard[1:]) == sorted([clip.pcm for clip in CLIPS] * 3)
    assert {
        message.details["clip"]: message.details["transcript"]
        for message in messages
        if isinstance(message, DriverEvent) and message.event == "first_transcript"
    } == {"clip-0": "word-1600", "clip-1": "word-1920 word-3200", "clip-2": "word-1920 word-3840 word-4800"}


def answer(samples: NDArray[np.float32], *, is_eof: bool) -> str:
    """The whole text of the present segment; a segment is over every 125 ms."""
    segment = (len(samples) - 1) // SEGMENT_SAMPLES
    text = f"word-{len(samples)}"
    return json.dumps({"text": text, "segment": segment, "is_final": is_eof, "is_eof": is_eof})
