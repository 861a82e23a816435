"""One connection to the server, in the steps of which scenarios are made, each with its limit of time."""

from __future__ import annotations

import asyncio
import contextlib
import math
import ssl
import struct
from socket import SO_LINGER, SOL_SOCKET
from typing import TYPE_CHECKING

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI
from websockets.typing import Subprotocol

from soak.dialects import Fault, Final, MessageError, Partial, Ready, Send
from soak.load.scenarios import Answer

if TYPE_CHECKING:
    from asyncio.trsock import TransportSocket
    from collections.abc import Callable, Sequence

    from websockets.asyncio.client import ClientConnection

    from soak.dialects import Conversation, Event, Message
    from soak.load.clips import Clip
    from soak.load.endpoint import Endpoint
    from soak.load.messages import FailureKind
    from soak.load.scenarios import Pace, Scenario

WITHOUT_VERIFYING = "--no-verify-tls (load.verify_tls=false) does without"
_OUR_COMPLAINTS = frozenset({1002, 1003, 1007, 1009})
"""Close codes with which `websockets` itself gives up on what the server sent."""
_DETAIL_CHARS = 300


class SessionError(Exception):
    """A connection failed, in a way that has a name."""

    def __init__(self, kind: FailureKind, detail: str) -> None:
        """Keep the kind, and the detail as one short line."""
        self.kind = kind
        self.detail = _writable(" ".join(detail.split())[:_DETAIL_CHARS])
        super().__init__(f"{kind}: {self.detail}")


class Session:
    """One connection, step by step, as a `Connection` of a scenario. Use once, with `hold`."""

    def __init__(
        self,
        endpoint: Endpoint,
        clip: Clip,
        number: int | None = None,
        on_open: Callable[[], None] = lambda: None,
    ) -> None:
        """`number` is the connection's; `on_open` is called when the WebSocket handshake is complete."""
        self.clip = clip
        self.audio_s = 0.0
        """Seconds of audio sent so far."""
        self._endpoint = endpoint
        self._number = number
        self._on_open = on_open
        self._loop = asyncio.get_running_loop()
        self._conversation: Conversation
        self._connection: ClientConnection | None = None
        self._audio_begins_s = self._loop.time()
        self._audio_ended_s = 0.0

    async def hold(self, scenario: Scenario) -> Answer | None:
        """Play the scenario; whatever it leaves open, however it ends, is closed.

        Raises `SessionError`. Cancelled, it still closes the connection properly, within the close timeout.
        """
        try:
            self._conversation = self._endpoint.dialect.conversation(self._number)
            return await scenario.play(self)
        except SessionError:
            raise
        except Exception as error:
            raise SessionError("protocol", f"unexpected {error!r}") from error
        finally:
            if self._connection is not None:
                await self._shut(self._take())

    async def open(self) -> None:
        """See `Connection`."""
        self._connection = await self._connect()
        self._on_open()

    async def converse(self, pace: Pace) -> Answer:
        """See `Connection`."""
        limit_s = self._endpoint.result_timeout_s
        slack_s = limit_s + pace.due_s(self.clip.duration_s)
        sender: asyncio.Task[None] | None = None
        try:
            async with asyncio.timeout(slack_s) as deadline:
                await self.begin()
                # results are read while audio is sent, or a server that waits for its reader would stall
                sender = asyncio.create_task(self._say_all(pace, deadline))
                return await self._read_until_final()
        except TimeoutError:
            if self._audio_ended_s:
                detail = f"no final result within {limit_s:g} s of the end of the audio"
            else:
                detail = f"the server took only {self.audio_s:.1f} s of the audio in {slack_s:g} s"
            raise SessionError("result_timeout", detail) from None
        finally:
            if sender is not None:
                sender.cancel()
                with contextlib.suppress(asyncio.CancelledError, SessionError):
                    await sender

    async def begin(self) -> None:
        """See `Connection`."""
        for message in self._conversation.opening():
            await self._send(message)
        ready = not self._conversation.awaits_ready
        while not ready:
            _, events = await self._receive()
            if any(isinstance(event, Final) for event in events):
                raise SessionError("protocol", "a final result came before the server was ready for audio")
            ready = any(isinstance(event, Ready) for event in events)
        self._audio_begins_s = self._loop.time()

    async def speak(self, pace: Pace, seconds: float = math.inf) -> None:
        """See `Connection`."""
        due_s, now = 0.0, self._loop.time
        for frame in self._conversation.audio(self.clip.pcm):
            if due_s >= seconds:
                break
            if (wait_s := self._audio_begins_s + pace.due_s(due_s) - now()) > 0:
                await asyncio.sleep(wait_s)
            await self._send(frame.message)
            self.audio_s += frame.duration_s
            due_s += frame.duration_s

    async def close(self) -> None:
        """See `Connection`."""
        if not await self._shut(self._take()):
            limit = f"{self._endpoint.close_timeout_s:g} s"
            raise SessionError("close_timeout", f"the server did not finish closing within {limit}")

    async def cut(self) -> None:
        """See `Connection`."""
        connection = self._take()
        socket: TransportSocket = connection.transport.get_extra_info("socket")
        socket.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
        connection.transport.abort()

    def _take(self) -> ClientConnection:
        """Give the open connection away, to be ended."""
        connection = self._open_connection
        self._connection = None
        return connection

    @property
    def _open_connection(self) -> ClientConnection:
        if self._connection is None:
            raise RuntimeError("the scenario uses a connection that is not open")
        return self._connection

    async def _connect(self) -> ClientConnection:
        endpoint = self._endpoint
        try:
            return await connect(
                endpoint.url,
                ssl=endpoint.tls,
                proxy=None,  # memory is measured on the server, not on whatever the environment points to
                compression="deflate" if endpoint.compression else None,
                subprotocols=[Subprotocol(each) for each in endpoint.dialect.subprotocols] or None,
                additional_headers=endpoint.dialect.headers,
                open_timeout=endpoint.connect_timeout_s,
                close_timeout=endpoint.close_timeout_s,
                ping_interval=None,  # FunASR's own clients send none
            )
        except TimeoutError:
            raise SessionError(
                "connect_timeout", f"no WebSocket handshake within {endpoint.connect_timeout_s:g} s"
            ) from None
        except ssl.SSLCertVerificationError as error:
            raise SessionError("handshake", f"{_describe(error)}; {WITHOUT_VERIFYING}") from None
        except (InvalidHandshake, InvalidURI, ssl.SSLError, ConnectionResetError) as error:
            raise SessionError("handshake", _describe(error)) from None
        except OSError as error:
            raise SessionError("connect_refused", _describe(error)) from None

    async def _say_all(self, pace: Pace, deadline: asyncio.Timeout) -> None:
        await self.speak(pace)
        for message in self._conversation.closing():
            await self._send(message)
        self._audio_ended_s = self._loop.time()
        if not deadline.expired():
            deadline.reschedule(self._audio_ended_s + self._endpoint.result_timeout_s)

    async def _read_until_final(self) -> Answer:
        first_result_s: float | None = None
        while True:
            now_s, events = await self._receive()
            for event in events:
                if not isinstance(event, Partial | Final):
                    continue
                if first_result_s is None:
                    first_result_s = now_s - self._audio_begins_s
                if isinstance(event, Final):
                    transcript = _writable(event.transcript)
                    return Answer(transcript, first_result_s, max(0.0, now_s - self._audio_ended_s))

    async def _send(self, message: Message) -> None:
        try:
            await self._open_connection.send(message)
        except ConnectionClosed as error:
            raise _closed_error(error) from None

    async def _receive(self) -> tuple[float, Sequence[Event]]:
        """Return when the next message came and what it means; what it wants sent has been sent."""
        try:
            message = await self._open_connection.recv()
        except ConnectionClosed as error:
            now_s, events = self._loop.time(), self._conversation.hung_up()
            if not any(isinstance(event, Final | Fault) for event in events):
                raise _closed_error(error) from None
        else:
            now_s = self._loop.time()
            try:
                events = self._conversation.receive(message)
            except MessageError as error:
                raise SessionError("protocol", str(error)) from None
            except RecursionError:
                raise SessionError("protocol", "the server sent a message that is nested too deep") from None
        for event in events:
            if isinstance(event, Fault):
                raise SessionError("server_error", event.message)
            if isinstance(event, Send):
                await self._send(event.message)
        return now_s, events

    async def _shut(self, connection: ClientConnection) -> bool:
        """Close with code 1000; False when the server did not finish closing in time."""
        timeout_s = self._endpoint.close_timeout_s
        started_s = self._loop.time()
        try:
            # `websockets` limits the handshake but not the wait for room to send the close frame: the second
            # limit is for a server that has stopped reading
            async with asyncio.timeout(timeout_s * 1.2):
                await connection.close()
        except TimeoutError:
            connection.transport.abort()
        except asyncio.CancelledError:
            # told to stop in the middle of closing: the close frame is on its way, the rest of the handshake
            # still gets its time
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(timeout_s):
                    await connection.wait_closed()
            connection.transport.abort()
            raise
        return self._loop.time() - started_s < timeout_s


def _closed_error(error: ConnectionClosed) -> SessionError:
    """Tell what the server closed from what we refused to read."""
    if error.sent is not None and error.sent.code in _OUR_COMPLAINTS and not error.rcvd_then_sent:
        return SessionError("protocol", _describe(error))
    return SessionError("closed_by_server", _describe(error))


def _writable(text: str) -> str:
    """Replace halves of surrogate pairs, which JSON can bring but no file can hold."""
    return text.encode("utf-8", "replace").decode()


def _describe(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
