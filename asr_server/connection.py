"""One WebSocket connection: reads frames, has them decoded, sends results; never trusts the client.

A connection lives on one io thread. Decoding happens on the decoder threads; their results come back with
`call_soon_threadsafe`. What a client makes the server hold is bounded in both directions: audio by not
reading on, results by cutting the connection. What waits for a client that is gone is dropped at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from websockets.exceptions import ConnectionClosed
from websockets.frames import Opcode

from asr_server.backlog import Backlog, SharedBacklog
from asr_server.frame_cutter import TextTooLong
from asr_server.messages import MessageReader, text_too_long
from asr_server.recogniser import ConnectionRecogniser
from asr_server.wire import (
    CLOSE_INVALID_DATA,
    CLOSE_MESSAGE_TOO_BIG,
    CLOSE_POLICY_VIOLATION,
    AudioReceived,
    Configured,
    Result,
    ServerDialogue,
    UtteranceConfig,
    UtteranceEnded,
    WireError,
    encode_error,
    encode_result,
)

if TYPE_CHECKING:
    from websockets.frames import Frame

    from asr_server.counters import Counters, ErrorKind
    from asr_server.guarded import GuardedConnection
    from asr_server.inject import LeakInjector
    from asr_server.recogniser import Models
    from asr_server.session import Session, SessionRegistry

logger = logging.getLogger(__name__)

TASK_AUDIO_S: Final = 1.0
"""A longer frame is decoded in tasks of this length, so that no client holds a decoder thread for long."""
MIN_TASK_COST_S: Final = 0.01
"""What a task counts for at least when a connection's queue is measured, to bound empty ones too."""
MAX_UNSENT_RESULTS: Final = 1000
"""A client that has left this many results unread is given up."""
SEND_TIMEOUT_S: Final = 30.0
"""A client that leaves more unread for this long than its buffers take is cut."""
CUT_TIMEOUT_S: Final = 5.0
"""How long a client that is cut has to read why."""
CLOSE_INTERNAL_ERROR: Final = 1011
_MAX_REASON_BYTES: Final = 123  # RFC 6455, 5.5: a control frame carries at most 125 bytes

Work = Callable[[ConnectionRecogniser], Sequence[Result]]
"""What one decoding task does with the connection's state."""


@dataclass(frozen=True)
class Service:
    """What all connections share."""

    models: Models
    sessions: SessionRegistry
    counters: Counters
    leaks: LeakInjector
    max_queued_audio_s: float
    max_text_bytes: int = 65536
    backlog: SharedBacklog = field(default_factory=lambda: SharedBacklog(float("inf")))


class Connection:
    """The handler of one connection."""

    def __init__(self, service: Service, websocket: GuardedConnection) -> None:
        """Prepare to serve a client whose WebSocket handshake is done."""
        self._service = service
        self._websocket = websocket
        self._loop = asyncio.get_running_loop()
        self._dialogue = ServerDialogue()
        self._messages = MessageReader(service.max_text_bytes)
        self._session = service.sessions.open()
        self._backlog = Backlog(service.max_queued_audio_s, service.backlog)
        self._backlog_shrank = asyncio.Event()
        self._unsent: deque[str] = deque()
        self._something_to_send = asyncio.Event()
        self._decoding_failed = False
        self._is_gone = False
        self._cutting: asyncio.Task[None] | None = None

    async def serve(self) -> None:
        """Serve the client until it, or what it does, ends the connection."""
        session = self._session
        self._service.counters.connection_opened()
        logger.debug("connection %d opened by %s", session.number, self._websocket.remote_address)
        sender = asyncio.create_task(self._send_results())
        try:
            self._websocket.begin(self)
            while True:
                await self._receive(await self._websocket.receive())
        except WireError as error:
            too_long = error.close_code == CLOSE_MESSAGE_TOO_BIG
            await self._refuse(error, "oversized_message" if too_long else "client_mistake")
        except UnicodeDecodeError as error:
            self._service.counters.error("client_mistake")
            await self._close(CLOSE_INVALID_DATA, f"text that is not UTF-8: {error.reason}")
        except ConnectionClosed as closed:
            if closed.sent is not None and closed.sent.code == CLOSE_MESSAGE_TOO_BIG:
                self._service.counters.error("oversized_message")
        except Exception:
            logger.exception("connection %d failed", session.number)
            await self._refuse(WireError("the server failed", CLOSE_INTERNAL_ERROR), "decoding_failed")
        finally:
            protocol = self._websocket.protocol
            self._service.leaks.connection_closed(
                session, cut=protocol.close_rcvd is None, compressed=bool(protocol.extensions)
            )
            self._service.sessions.close(session)
            self._service.counters.connection_closed()
            self._websocket.leave()
            self._is_gone = True
            self._backlog.drop()
            del self._session  # this handler may wait for the cycle collector; what it worked on must not
            sender.cancel()
            await asyncio.wait([sender] if self._cutting is None else [sender, self._cutting])
            logger.debug("connection %d closed", session.number)

    def on_gone(self, *, audio_waits: bool) -> None:
        """Drop what waits to be decoded: nobody will read what is found in it."""
        if audio_waits:
            self._service.counters.error("client_gone")
        self._is_gone = True
        self._abandon()
        self._unsent.clear()
        self._backlog_shrank.set()

    def cut(self, kind: ErrorKind, reason: str) -> None:
        """End the connection of a client that is idle or does not read; it is told why if it reads on."""
        if self._cutting is None and not self._is_gone:
            self._service.counters.error(kind)
            logger.info("cut %s: %s", self._websocket.remote_address, reason)
            self._abandon()
            self._unsent.clear()
            self._cutting = self._loop.create_task(self._close(CLOSE_POLICY_VIOLATION, reason, CUT_TIMEOUT_S))

    def _abandon(self) -> None:
        """Drop what waits to be decoded."""
        self._session.abandon()
        self._backlog.drop()

    async def _receive(self, frame: Frame | TextTooLong) -> None:
        """Act on one frame. Raises WireError for a client's mistake."""
        if isinstance(frame, TextTooLong):
            raise text_too_long(frame.size_bytes, self._service.max_text_bytes)
        message = self._messages.read(frame.data, begins_text=frame.opcode is Opcode.TEXT, final=frame.fin)
        if message is None:
            return
        session, dialogue = self._session, self._dialogue
        for event in (
            dialogue.receive_text(message) if isinstance(message, str) else dialogue.receive_binary(message)
        ):
            match event:
                case Configured(config, True):
                    session.recogniser = ConnectionRecogniser(self._service.models, config)
                    if config.hotwords:
                        self._service.leaks.hotwords_sent(config.hotwords)
                        await self._post(ConnectionRecogniser.take_hotwords)
                case Configured(config):
                    await self._post(functools.partial(_configure, config))
                case AudioReceived(pcm):
                    await self._post_audio(pcm)
                case UtteranceEnded():
                    await self._post(ConnectionRecogniser.finish)
        if isinstance(message, str):
            await asyncio.sleep(0)  # parsing takes longest of all that is done here: now it is others' turn

    async def _post_audio(self, pcm: bytes) -> None:
        bytes_per_s = 2 * self._dialogue.audio_fs_hz
        task_bytes = int(TASK_AUDIO_S * bytes_per_s)
        for start in range(0, len(pcm), task_bytes):
            piece = pcm[start : start + task_bytes]
            await self._post(functools.partial(_accept, piece), len(piece) / bytes_per_s)

    async def _post(self, work: Work, audio_s: float = 0.0) -> None:
        """Queue `work` for a decoder thread once there is room; meanwhile the client is not read."""
        cost_s = max(audio_s, MIN_TASK_COST_S)
        while not self._is_gone and not self._backlog.take_in(cost_s):
            await self._backlog_shrank.wait()
            self._backlog_shrank.clear()
        if not self._is_gone:
            session = self._session
            session.strand.post(functools.partial(self._decode, session, work, audio_s, cost_s))

    def _decode(self, session: Session, work: Work, audio_s: float, cost_s: float) -> None:
        """Do `work`, on a decoder thread, and hand the results back to the connection's own thread."""
        frames: list[str] | None = []
        if session.recogniser is not None and not session.closed and not self._decoding_failed:
            started_s = time.perf_counter()
            try:
                results = work(session.recogniser)
                frames = [encode_result(result) for result in results]
                self._service.counters.decoded(audio_s, time.perf_counter() - started_s, results)
                self._service.leaks.decoded(audio_s, results)
            except Exception:
                logger.exception("connection %d: decoding failed", session.number)
                self._decoding_failed = True  # at once: what is queued behind it is not decoded any more
                frames = None
        # Most tasks find nothing to say, and waking the other thread costs more than they do.
        if self._backlog.take_out(cost_s) or frames is None or frames:
            with contextlib.suppress(RuntimeError):  # the loop is closed: the server is going down
                self._loop.call_soon_threadsafe(self._on_decoded, frames)

    def _on_decoded(self, frames: list[str] | None) -> None:
        self._backlog_shrank.set()
        if frames is not None:
            if self._is_gone or self._cutting is not None:
                return
            if len(self._unsent) + len(frames) > MAX_UNSENT_RESULTS:
                self.cut("client_not_reading", f"{len(self._unsent)} results were left unread")
            else:
                self._unsent.extend(frames)
        self._something_to_send.set()

    async def _send_results(self) -> None:
        """Send what decoding found until the connection ends."""
        with contextlib.suppress(ConnectionClosed):
            while True:
                await self._something_to_send.wait()
                self._something_to_send.clear()
                while self._unsent:
                    await self._websocket.send(self._unsent.popleft())
                if self._decoding_failed:
                    error = WireError("the server failed to decode this audio", CLOSE_INTERNAL_ERROR)
                    await self._refuse(error, "decoding_failed")
                    return

    async def _refuse(self, error: WireError, kind: ErrorKind) -> None:
        """Tell the client what was wrong, then close."""
        self._service.counters.error(kind)
        logger.info("refused %s: %s", self._websocket.remote_address, error.message)
        wav_name = (self._dialogue.config or UtteranceConfig()).wav_name
        await self._close(error.close_code, error.message, SEND_TIMEOUT_S, encode_error(error, wav_name))

    async def _close(
        self, code: int, reason: str, timeout_s: float = SEND_TIMEOUT_S, last_message: str | None = None
    ) -> None:
        """Close, with a last message; abort when the client does not take it in time."""
        self._websocket.discard_input()
        shortened = reason.encode()[:_MAX_REASON_BYTES].decode(errors="ignore")
        try:
            async with asyncio.timeout(timeout_s):
                if last_message is not None:
                    await self._websocket.send(last_message)
                await self._websocket.close(code, shortened)
        except TimeoutError:
            if self._cutting is None:
                self._service.counters.error("client_not_reading")
            self._websocket.transport.abort()
        except ConnectionClosed:
            pass


def _configure(config: UtteranceConfig, recogniser: ConnectionRecogniser) -> Sequence[Result]:
    recogniser.configure(config)
    return ()


def _accept(pcm: bytes, recogniser: ConnectionRecogniser) -> Sequence[Result]:
    return recogniser.accept(pcm)
