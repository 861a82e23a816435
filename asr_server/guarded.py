"""A WebSocket connection that takes no more from its client than it can work off, and in turns with others.

`websockets` reads whatever comes, as long as no more than some frames wait; a frame may be of any size, and
pings are answered whether or not the pongs are read. Here each connection has small turns, what waits is
bounded in bytes, and while it is held back it is not read, so that the client has to wait.
"""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING, Any, Final, Protocol

from websockets.asyncio.server import ServerConnection
from websockets.frames import DATA_OPCODES, Frame

from asr_server.frame_cutter import FrameCutter, TextTooLong

if TYPE_CHECKING:
    import asyncio

    from websockets.protocol import Event

    from asr_server.admission import Admission
    from asr_server.counters import Counters, ErrorKind
    from asr_server.hangups import HangUps

STEPS_PER_TURN: Final = 16
"""Frames, or fragments of long ones, that a connection has read before the others have their turn."""
BYTES_PER_TURN: Final = 128_000
MAX_WAITING_BYTES: Final = 128_000
"""With more in its inbox a connection is not read; a fragment that is compressed may add 1 MiB to it."""
MAX_WAITING_FRAMES: Final = 32
MAX_UNREAD_BYTES: Final = 2**18
"""With more that the client has not read, pongs among it, nothing more is read from it."""
_END_OF_HEAD: Final = b"\r\n\r\n"


class Listener(Protocol):
    """Who serves a connection."""

    def on_gone(self, *, audio_waits: bool) -> None:
        """Nothing more will come from the client; `audio_waits` if it left before its audio was read."""

    def cut(self, kind: ErrorKind, reason: str) -> None:
        """End the connection, for this reason."""


class Shared(Protocol):
    """What the connections of one io thread share."""

    handshakes: dict[GuardedConnection, None]
    """Those that have not shaken hands, oldest first."""
    served: set[GuardedConnection]
    """Those that have."""
    admission: Admission
    counters: Counters
    max_handshakes: int
    max_message_bytes: int
    max_text_bytes: int


class GuardedConnection(ServerConnection):
    """See the module; `receive` takes the place of `recv`."""

    def __init__(self, *arguments: Any, shared: Shared, hang_ups: HangUps, **named: Any) -> None:
        """Begin before the handshake; `shared` and `hang_ups` are the io thread's."""
        super().__init__(*arguments, **named)
        self._shared, self._hang_ups = shared, hang_ups
        self._listener: Listener | None = None
        self._head_end = b""
        """The last bytes of an unfinished request."""
        self._early = b""
        """What came with the request, before the answer to it."""
        self._cutter: FrameCutter | None = None
        self._inbox: deque[Frame | TextTooLong] = deque()
        self._inbox_bytes = 0
        self._receiver: asyncio.Future[None] | None = None
        self._turn_is_due = False
        self._reads = True
        self._descriptor = -1
        self._discards = False
        self._ended = False
        self._admitted = False
        self.heard_s = time.monotonic()
        """When bytes came last."""
        self.blocked_since_s: float | None = None
        """Since when the client reads too little."""

    # What the server asks of it

    def admit(self) -> bool:
        """Count it among the connections; False when there are too many."""
        self._admitted = self._shared.admission.enter()
        return self._admitted

    def begin(self, listener: Listener) -> None:
        """Read frames, now that the handshake is done."""
        self._listener = listener
        self._cutter = FrameCutter(
            max_message_bytes=self._shared.max_message_bytes,
            max_text_bytes=self._shared.max_text_bytes,
            compressed=bool(self.protocol.extensions),
        )
        self._shared.handshakes.pop(self, None)
        self._shared.served.add(self)
        self._cutter.take_in(self._early)
        self._early = b""
        self._turn()

    def leave(self) -> None:
        """Tell the listener nothing more."""
        self._listener = None

    async def receive(self) -> Frame | TextTooLong:
        """Wait for the next data frame; raises ConnectionClosed, at once when the client is gone."""
        while not self._inbox or self._ended:
            if self._ended:
                await self.wait_closed()
                raise self.close_exc
            self._receiver = self.loop.create_future()
            try:
                await self._receiver
            finally:
                self._receiver = None
        frame = self._inbox.popleft()
        if isinstance(frame, Frame):
            self._inbox_bytes -= len(frame.data)
        if not self._reads and len(self._inbox) <= MAX_WAITING_FRAMES // 2:
            self._take_turn_later()
        return frame

    def discard_input(self) -> None:
        """Read on and keep nothing: the client's close frame may be behind what it sent before."""
        self._discards = True
        self._empty_inbox()
        self._take_turn_later()

    def check(self, now_s: float, *, idle_s: float, unread_s: float) -> None:
        """Cut it when it has been idle, has not read or does not end for too long; `idle_s` 0 is no limit."""
        if self.close_deadline is not None and self.loop.time() > self.close_deadline:
            self.transport.abort()
        elif self._listener is None:
            return
        elif self.blocked_since_s is not None and now_s - self.blocked_since_s > unread_s:
            self._listener.cut("client_not_reading", f"results were left unread for {unread_s:g} s")
        elif idle_s and self._reads and now_s - self.heard_s > idle_s:
            self._listener.cut("idle", f"nothing came for {idle_s:g} s (--idle-timeout-s)")

    @property
    def held_back(self) -> bool:
        """Whether the client has to wait, because what it sent has not been worked off or read."""
        return (
            self._inbox_bytes > MAX_WAITING_BYTES
            or len(self._inbox) >= MAX_WAITING_FRAMES
            or self.transport.get_write_buffer_size() > MAX_UNREAD_BYTES
        )

    # What the event loop tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count as one that has not shaken hands; the oldest of too many has to go."""
        super().connection_made(transport)
        connection = transport.get_extra_info("socket")
        self._descriptor = -1 if connection is None else connection.fileno()
        handshakes = self._shared.handshakes
        handshakes[self] = None
        if len(handshakes) > self._shared.max_handshakes:
            oldest = next(iter(handshakes))
            del handshakes[oldest]
            self._shared.counters.error("handshake_cut")
            oldest.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop counting it."""
        self._hang_ups.ignore(self._descriptor)
        self._shared.handshakes.pop(self, None)
        self._shared.served.discard(self)
        if self._admitted:
            self._admitted = False
            self._shared.admission.leave()
        super().connection_lost(exc)
        self._end(audio_waits=bool(self._inbox))

    def data_received(self, data: bytes) -> None:
        """Take what came; most of it waits for its turn."""
        self.heard_s = time.monotonic()
        if self._cutter is not None:
            self._cutter.take_in(data)
            if not self._turn_is_due:
                self._turn()
        elif self.request is None:
            self._receive_head(data)
        else:  # the handshake is not answered yet
            self._early += data
            self._pause()

    def pause_writing(self) -> None:
        """Remember since when the client does not read."""
        super().pause_writing()
        self.blocked_since_s = time.monotonic()

    def resume_writing(self) -> None:
        """Go on."""
        super().resume_writing()
        self.blocked_since_s = None
        if not self._reads:
            self._take_turn_later()

    def process_event(self, event: Event) -> None:
        """Keep a data frame for `receive`."""
        if not isinstance(event, Frame) or event.opcode not in DATA_OPCODES:
            super().process_event(event)
            return
        self._put(event)

    # Turns

    def _receive_head(self, data: bytes) -> None:
        """Give the request to its reader, and keep what comes after it for later."""
        seen = self._head_end + data
        end = seen.find(_END_OF_HEAD)
        if end < 0:
            self._head_end = seen[-(len(_END_OF_HEAD) - 1) :]
            super().data_received(data)
            return
        head_bytes = end + len(_END_OF_HEAD) - len(self._head_end)
        self._early = data[head_bytes:]
        super().data_received(data[:head_bytes])
        if self._early:
            self._pause()

    def _turn(self) -> None:
        """Read some frames, and leave the rest for the next turn."""
        self._turn_is_due = False
        cutter = self._cutter
        if cutter is None or self.transport.is_closing():
            return
        taken_bytes = 0
        for _ in range(STEPS_PER_TURN):
            if self.held_back:
                self._pause()
                self._hang_ups.watch(self._descriptor, self._hung_up)
                return
            step = cutter.next_step()
            if step is None:
                self._resume()
                return
            if isinstance(step, TextTooLong):
                self._put(step)
                continue
            super().data_received(step)
            if self.protocol.close_expected():
                self._end(audio_waits=False)
            taken_bytes += len(step)
            if taken_bytes > BYTES_PER_TURN:
                break
        self._pause()
        self._take_turn_later()

    def _take_turn_later(self) -> None:
        if not self._turn_is_due:
            self._turn_is_due = True
            self.loop.call_soon(self._turn)

    def _pause(self) -> None:
        if self._reads:
            self._reads = False
            self.transport.pause_reading()

    def _resume(self) -> None:
        if not self._reads:
            self._reads = True
            self._hang_ups.ignore(self._descriptor)
            self.transport.resume_reading()

    def _put(self, item: Frame | TextTooLong) -> None:
        if self._ended or self._discards:
            return
        if isinstance(item, Frame):
            self._inbox_bytes += len(item.data)
        self._inbox.append(item)
        if self._receiver is not None and not self._receiver.done():
            self._receiver.set_result(None)

    # Ends

    def _hung_up(self) -> None:
        """Drop a client that is gone, with what it has left behind."""
        self._end(audio_waits=True)
        self.transport.abort()

    def _end(self, *, audio_waits: bool) -> None:
        if self._ended:
            return
        self._ended = True
        self._empty_inbox()
        if self._receiver is not None and not self._receiver.done():
            self._receiver.set_result(None)
        if self._listener is not None:
            self._listener.on_gone(audio_waits=audio_waits)

    def _empty_inbox(self) -> None:
        self._inbox.clear()
        self._inbox_bytes = 0
