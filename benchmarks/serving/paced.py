"""A load of streams at the pace of speech, and how far behind its audio each answer comes.

Every place in the load has one stream after another, each of which sends a packet every 60 ms by the clock,
whatever the server does. The first stream of each place is cut to a length of its own, so that streams
begin and end spread over time as those of independent callers do. What is measured is the lag of the last
result: from the moment the last packet was due to the moment the final result is there. A server that
cannot keep up falls behind a little with each chunk, and the lag tells the sum.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

import numpy as np
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.uri import parse_uri

from benchmarks.serving.script import PACKET_S, ContenderError, Reader

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.serving.script import Script
    from soak.dialects import Dialect

CHUNK_S = 0.6
ON_TIME = 0.95
"""This share of final results must be in time for the server to keep up."""
MOST_LATENESS_S = 0.05
"""If 5 % of the packets leave later than this, the load itself was too slow and shows nothing."""


@dataclass
class Observed:
    """What one run of a load has seen so far."""

    lags_s: list[float] = field(default_factory=list)
    late_s: list[float] = field(default_factory=list)
    """How long after it was due each packet was sent, in the measured part."""
    transcripts: Counter[str] = field(default_factory=Counter)
    """Of streams that were heard in full."""


@dataclass(frozen=True)
class LoadFigures:
    """What one run of a load came to."""

    streams: int
    lag_p95_s: float
    lag_median_s: float
    on_time: float
    """Share of final results within the time allowed."""
    cpu_s_per_audio_s: float
    transcripts: Counter[str]

    @property
    def keeps_up(self) -> bool:
        """Whether the server kept up."""
        return self.on_time >= ON_TIME


class Stream(asyncio.Protocol):
    """One connection that plays a script by the clock."""

    def __init__(self, url: str, reader: Reader, sent: Callable[[float], None]) -> None:
        """Prepare a connection to `url`; `sent` is told by how much each packet was late."""
        self._protocol = ClientProtocol(parse_uri(url), max_size=None)
        self._reader = reader
        self._sent = sent
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.Handle | None = None
        self._transport: asyncio.Transport | None = None
        self.opened: asyncio.Future[None] = self._loop.create_future()
        self.answered: asyncio.Future[str] = self._loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the handshake."""
        self._transport = cast("asyncio.Transport", transport)
        self._protocol.send_request(self._protocol.connect())
        self._transport.write(b"".join(self._protocol.data_to_send()))

    def data_received(self, data: bytes) -> None:
        """Read messages."""
        self._protocol.receive_data(data)
        for event in self._protocol.events_received():
            if not isinstance(event, Frame):
                if not self.opened.done():
                    self.opened.set_result(None)
            elif event.opcode is Opcode.TEXT and not self.answered.done():
                self._read(bytes(event.data).decode())

    def _read(self, text: str) -> None:
        try:
            transcript = self._reader.receive(text)
        except ContenderError as error:
            self.answered.set_exception(error)
        else:
            if transcript is not None:
                self.answered.set_result(transcript)

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail what still waits."""
        self._cancel_timer()
        for waiting in (self.opened, self.answered):
            if not waiting.done():
                waiting.set_exception(ContenderError(f"the server closed a connection: {exc or 'no error'}"))
                waiting.exception()  # seen, also when nobody waits

    def play(self, script: Script, first: int) -> float:
        """Send the script from packet `first` on; give the time at which the last packet will be due."""
        self._write(script.opening)
        begin_s = self._loop.time() - first * PACKET_S
        self._timer = self._loop.call_soon(self._send, script, first, begin_s)
        return begin_s + len(script.packets) * PACKET_S

    def _send(self, script: Script, index: int, begin_s: float) -> None:
        # A packet is whole, and can be sent, when its last sample has been spoken.
        due_s = begin_s + (index + 1) * PACKET_S
        now_s = self._loop.time()
        if now_s < due_s:
            self._timer = self._loop.call_at(due_s, self._send, script, index, begin_s)
            return
        self._write(script.packets[index])
        self._sent(now_s - due_s)
        if index + 1 < len(script.packets):
            self._timer = self._loop.call_at(due_s + PACKET_S, self._send, script, index + 1, begin_s)
        else:
            self._write(script.closing)

    def close(self) -> None:
        """Say good-bye."""
        self._cancel_timer()
        if self._transport is not None and not self._transport.is_closing():
            self._protocol.send_close(1000)
            self._write(b"".join(self._protocol.data_to_send()))
            self._transport.close()

    def _write(self, data: bytes) -> None:
        if self._transport is not None and data:
            self._transport.write(data)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()


class Load:
    """So many streams at a time against one server."""

    def __init__(
        self, url: str, dialect: Dialect, script: Script, streams: int, *, allowed_s: float = math.inf
    ) -> None:
        """Prepare; see `run`. A final result is in time when its lag is at most `allowed_s`."""
        self._allowed_s = allowed_s
        self._url, self._dialect, self._script, self._streams = url, dialect, script, streams
        self._address = parse_uri(url)
        self._seen = Observed()
        self._measuring = False

    async def run(self, cpu_s: Callable[[], float]) -> LoadFigures:
        """Play for twice the length of a stream; the first quarter is not measured.

        Raises ContenderError when the server closes a connection, or when this process was the slow one.
        """
        length_s = len(self._script.packets) * PACKET_S
        places = [asyncio.create_task(self._place(number)) for number in range(self._streams)]
        await _unless_one_fails(places, length_s / 2)
        self._measuring, began_s = True, cpu_s()
        await _unless_one_fails(places, 1.5 * length_s)
        self._measuring, used_s = False, cpu_s() - began_s
        for place in places:
            place.cancel()
        await asyncio.gather(*places, return_exceptions=True)
        return self._figures(used_s)

    def _figures(self, used_s: float) -> LoadFigures:
        if not self._seen.late_s or np.quantile(self._seen.late_s, 0.95) > MOST_LATENESS_S:
            raise ContenderError(f"this process is too slow to send {self._streams} streams in time")
        lags_s = self._seen.lags_s or [math.inf]  # nothing came: nothing was in time
        return LoadFigures(
            self._streams,
            float(np.quantile(lags_s, 0.95)),
            float(np.median(lags_s)),
            sum(lag_s <= self._allowed_s for lag_s in lags_s) / len(lags_s),
            used_s / (len(self._seen.late_s) * PACKET_S),
            self._seen.transcripts,
        )

    def _sent(self, late_s: float) -> None:
        if self._measuring:
            self._seen.late_s.append(late_s)

    async def _place(self, number: int) -> None:
        """One stream after another."""
        await asyncio.sleep(CHUNK_S * number / self._streams)
        first = len(self._script.packets) * number // self._streams
        while True:
            transcript = await self._stream(first)
            if first == 0:
                self._seen.transcripts[transcript] += 1
            first = 0

    async def _stream(self, first: int) -> str:
        """Play the script from packet `first` on; give the transcript."""
        loop = asyncio.get_running_loop()
        _, stream = await loop.create_connection(
            lambda: Stream(self._url, Reader(self._dialect), self._sent),
            self._address.host,
            self._address.port,
        )
        due_s = math.inf
        try:
            await stream.opened
            due_s = stream.play(self._script, first)
            transcript = await stream.answered
        except asyncio.CancelledError:
            if loop.time() - due_s > self._allowed_s:  # cut off at the end of the load, and late already
                self._seen.lags_s.append(loop.time() - due_s)
            raise
        finally:
            stream.close()
        if self._measuring:
            self._seen.lags_s.append(loop.time() - due_s)
        return transcript


async def _unless_one_fails(tasks: Sequence[asyncio.Task[None]], seconds: float) -> None:
    """Wait so long; raises what ended a task before."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await asyncio.gather(*(asyncio.shield(task) for task in tasks))
