"""One connection: open, say what comes, send the audio, wait for the final result, close."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import struct
from dataclasses import dataclass, replace
from socket import SO_LINGER, SOL_SOCKET
from typing import TYPE_CHECKING

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI

from asr_server.wire import ClientDialogue, Final, ServerFault, UtteranceConfig, WireError
from soak.load.plan import CONNECTION_NUMBER

if TYPE_CHECKING:
    from asyncio.trsock import TransportSocket
    from collections.abc import Callable

    from websockets.asyncio.client import ClientConnection

    from soak.load.clips import Clip
    from soak.load.messages import FailureKind
    from soak.load.plan import Closing, LoadPlan, Pace

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


@dataclass(frozen=True)
class Endpoint:
    """Whom to talk to and how, the same for every connection."""

    url: str
    tls: ssl.SSLContext | None
    utterance: UtteranceConfig
    pace: Pace
    connect_timeout_s: float
    result_timeout_s: float
    close_timeout_s: float
    closing: Closing = "normal"
    compression: bool = False

    @classmethod
    def from_plan(cls, plan: LoadPlan) -> Endpoint:
        """Take the plan's part that concerns a single connection."""
        return cls(
            url=plan.url,
            tls=_tls_context(plan),
            utterance=UtteranceConfig(
                mode=plan.mode, chunk_size=plan.chunk_size, hotwords=plan.hotwords, wav_name="soak"
            ),
            pace=plan.pace,
            connect_timeout_s=plan.connect_timeout_s,
            result_timeout_s=plan.result_timeout_s,
            close_timeout_s=plan.close_timeout_s,
            closing=plan.closing,
            compression=plan.compression,
        )

    def for_connection(self, number: int) -> Endpoint:
        """Return it with the connection's number in the hotwords, where they ask for it."""
        hotwords = self.utterance.hotwords.replace(CONNECTION_NUMBER, str(number))
        if hotwords == self.utterance.hotwords:
            return self
        return replace(self, utterance=replace(self.utterance, hotwords=hotwords))


@dataclass(frozen=True)
class Answer:
    """What a completed connection got."""

    transcript: str
    first_result_s: float
    """From the first frame of audio to the first result of any kind."""
    final_s: float
    """From the end-of-audio message to the final result."""


class Session:
    """One connection and its dialogue about one clip. Use once."""

    def __init__(self, endpoint: Endpoint, clip: Clip, on_open: Callable[[], None] = lambda: None) -> None:
        """`on_open` is called when the WebSocket handshake is complete."""
        self._endpoint = endpoint
        self._clip = clip
        self._on_open = on_open
        self._loop = asyncio.get_running_loop()
        self._dialogue = ClientDialogue(endpoint.utterance)
        self._sent_bytes = 0
        self._audio_begins_s = self._loop.time()
        self._audio_ended_s = 0.0

    @property
    def audio_s(self) -> float:
        """Seconds of audio sent so far."""
        return self._clip.duration_s * self._sent_bytes / max(1, len(self._clip.pcm))

    async def run(self) -> Answer:
        """Hold the dialogue and close the connection.

        Raises `SessionError`. Cancelled, it still closes the connection properly, within the close timeout.
        """
        connection = await self._open()
        self._on_open()
        try:
            answer = await self._converse(connection)
        except BaseException:
            await self._close(connection)
            raise
        if self._endpoint.closing == "abrupt":
            _cut(connection)
        elif not await self._close(connection):
            limit = f"{self._endpoint.close_timeout_s:g} s"
            raise SessionError("close_timeout", f"the server did not finish closing within {limit}")
        return answer

    async def _open(self) -> ClientConnection:
        endpoint = self._endpoint
        try:
            return await connect(
                endpoint.url,
                ssl=endpoint.tls,
                proxy=None,  # memory is measured on the server, not on whatever the environment points to
                compression="deflate" if endpoint.compression else None,
                open_timeout=endpoint.connect_timeout_s,
                close_timeout=endpoint.close_timeout_s,
                ping_interval=None,  # FunASR's own clients send none
            )
        except TimeoutError:
            raise SessionError(
                "connect_timeout", f"no WebSocket handshake within {endpoint.connect_timeout_s:g} s"
            ) from None
        except (InvalidHandshake, InvalidURI, ssl.SSLError, ConnectionResetError) as error:
            raise SessionError("handshake", _describe(error)) from None
        except OSError as error:
            raise SessionError("connect_refused", _describe(error)) from None

    async def _converse(self, connection: ClientConnection) -> Answer:
        limit_s = self._endpoint.result_timeout_s
        slack_s = limit_s + (self._clip.duration_s if self._endpoint.pace == "realtime" else 0.0)
        sender: asyncio.Task[None] | None = None
        try:
            async with asyncio.timeout(slack_s) as deadline:
                await connection.send(self._dialogue.opening())
                self._audio_begins_s = self._loop.time()
                # results are read while audio is sent, or a server that waits for its reader would stall
                sender = asyncio.create_task(self._send_audio(connection, deadline))
                return await self._read_until_final(connection)
        except TimeoutError:
            if self._audio_ended_s:
                detail = f"no final result within {limit_s:g} s of the end of the audio"
            else:
                detail = f"the server took only {self.audio_s:.1f} s of the audio in {slack_s:g} s"
            raise SessionError("result_timeout", detail) from None
        except ConnectionClosed as error:
            raise _closed_error(error) from None
        finally:
            if sender is not None:
                sender.cancel()
                with contextlib.suppress(asyncio.CancelledError, ConnectionClosed):
                    await sender

    async def _send_audio(self, connection: ClientConnection, deadline: asyncio.Timeout) -> None:
        dialogue, realtime = self._dialogue, self._endpoint.pace == "realtime"
        step_s = dialogue.frame_duration_s
        now, due_s = self._loop.time, self._audio_begins_s
        for frame in dialogue.audio_frames(self._clip.pcm):
            if realtime and (wait_s := due_s - now()) > 0:
                await asyncio.sleep(wait_s)
            await connection.send(frame)
            self._sent_bytes += len(frame)
            due_s += step_s
        await connection.send(dialogue.closing())
        self._audio_ended_s = now()
        if not deadline.expired():
            deadline.reschedule(self._audio_ended_s + self._endpoint.result_timeout_s)

    async def _read_until_final(self, connection: ClientConnection) -> Answer:
        first_result_s: float | None = None
        while True:
            message = await connection.recv()
            now_s = self._loop.time()
            if isinstance(message, bytes):
                raise SessionError("protocol", f"the server sent a binary message of {len(message)} bytes")
            try:
                events = self._dialogue.receive(message)
            except WireError as error:
                raise SessionError("protocol", error.message) from None
            for event in events:
                if isinstance(event, ServerFault):
                    raise SessionError("server_error", event.message)
                if first_result_s is None:
                    first_result_s = now_s - self._audio_begins_s
                if isinstance(event, Final):
                    transcript = _writable(event.transcript)
                    return Answer(transcript, first_result_s, max(0.0, now_s - self._audio_ended_s))

    async def _close(self, connection: ClientConnection) -> bool:
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


def _cut(connection: ClientConnection) -> None:
    """End the TCP connection by a reset, without a word."""
    socket: TransportSocket = connection.transport.get_extra_info("socket")
    socket.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
    connection.transport.abort()


def _tls_context(plan: LoadPlan) -> ssl.SSLContext | None:
    if not plan.url.startswith("wss://"):
        return None
    context = ssl.create_default_context()
    if not plan.verify_tls:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


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
