"""The io threads: event loops that share one listening socket and do all network work."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import threading
import time
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, cast

from websockets.asyncio.server import Server, ServerConnection, serve

from asr_server.admission import Admission
from asr_server.connection import SEND_TIMEOUT_S, Connection, Service
from asr_server.errors import StartupError
from asr_server.guarded import GuardedConnection
from asr_server.hangups import HangUps

if TYPE_CHECKING:
    import ssl

    from websockets.http11 import Request, Response

    from asr_server.counters import Counters
    from asr_server.metrics import HttpEndpoints

logger = logging.getLogger(__name__)

HANDSHAKE_TIMEOUT_S: Final = 5.0
"""websocketpp's limit for the opening and for the closing handshake."""
MAX_HANDSHAKES: Final = 512
"""Handshakes that an io thread has under way at a time; with more the oldest is cut."""
CHECK_INTERVAL_S: Final = 1.0
"""How often connections are looked at that may be idle, or do not read."""
SHUTDOWN_TIMEOUT_S: Final = 6.0
"""How long clients may take to close when the server stops; then their connections are cut."""
RECEIVE_BUFFER_BYTES: Final = 2**18
"""What the kernel keeps of a connection that is not read: eight seconds of audio. Left alone it keeps some
MB, and the news that a client has left is behind them."""
BACKLOG: Final = 1024
ACCEPTS_PER_WAKE_UP: Final = 1
"""asyncio accepts one connection more than this at a time, and leaves the rest to the other io threads."""
_KEEPALIVE: Final = {
    "TCP_KEEPIDLE": 60,
    "TCP_KEEPINTVL": 15,
    "TCP_KEEPCNT": 4,
    "TCP_USER_TIMEOUT": 120_000,  # ms; the others are seconds and a count
}
"""The kernel finds clients that vanished without a word in two minutes; that needs no WebSocket pings, which
the original does not send either, and costs nothing per connection."""


@dataclass(frozen=True)
class Transport:
    """How bytes travel: limits, compression and TLS."""

    endpoints: HttpEndpoints
    max_message_bytes: int
    compression: bool
    tls: ssl.SSLContext | None
    admission: Admission = field(default_factory=lambda: Admission(10_000))
    handshake_timeout_s: float = HANDSHAKE_TIMEOUT_S
    idle_timeout_s: float = 0.0
    """How long a connection may say nothing; 0 for as long as it likes."""


@dataclass(eq=False)
class Gathering:
    """The connections of one io thread, and what they need of it."""

    counters: Counters
    admission: Admission
    max_message_bytes: int
    max_text_bytes: int
    max_handshakes: int = MAX_HANDSHAKES
    handshakes: dict[GuardedConnection, None] = field(default_factory=dict)
    """Those that have not shaken hands, oldest first."""
    served: set[GuardedConnection] = field(default_factory=set)
    """Those that have."""


def bind_socket(listen_ip: str, port: int) -> socket.socket:
    """Bind, but do not listen yet; every io thread will serve a duplicate. Raises StartupError, one line."""
    listener = socket.socket(socket.AF_INET6 if ":" in listen_ip else socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((listen_ip, port))
    except OSError as error:
        listener.close()
        raise _cannot_listen(listen_ip, port, error) from None
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)  # accepted sockets
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)  # inherit these
    for name, value in _KEEPALIVE.items():
        if hasattr(socket, name):
            listener.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
    return listener


def start_listening(listener: socket.socket) -> None:
    """Let clients connect. Raises StartupError, one line, if another server was faster."""
    try:
        listener.listen(BACKLOG)
    except OSError as error:
        listen_ip, port = listener.getsockname()[:2]
        raise _cannot_listen(listen_ip, port, error) from None


def _cannot_listen(listen_ip: str, port: int, error: OSError) -> StartupError:
    return StartupError(
        f"cannot listen on {listen_ip} port {port}: {error.strerror or error}; "
        "choose another with --port (0 takes any free one) or --listen-ip"
    )


class IoThread:
    """One thread with one event loop."""

    def __init__(self, number: int, listener: socket.socket, service: Service, transport: Transport) -> None:
        """Start serving; returns once the loop accepts connections."""
        self._listener = listener.dup()
        self._service = service
        self._transport = transport
        self.gathering = Gathering(
            service.counters, transport.admission, transport.max_message_bytes, service.max_text_bytes
        )
        """The connections of this thread; only for its own eyes while it runs."""
        self._serving = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._thread = threading.Thread(target=self._run, name=f"io-{number}", daemon=True)
        self._thread.start()
        self._serving.wait()

    def stop(self) -> None:
        """Ask the loop to close its connections; `join` waits for it."""
        if self._loop is not None and self._stop is not None:
            with contextlib.suppress(RuntimeError):  # it has stopped already
                self._loop.call_soon_threadsafe(self._stop.set)

    def join(self) -> None:
        """Wait until the thread has ended."""
        self._thread.join(2 * SHUTDOWN_TIMEOUT_S)

    def _run(self) -> None:
        try:
            asyncio.run(self._serve(), debug=False)
        except Exception:
            logger.exception("an io thread failed")
        finally:
            self._serving.set()

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        self._loop.set_exception_handler(_log_in_one_line)
        transport = self._transport
        hang_ups = HangUps(self._loop)

        def connection(*arguments: Any, **named: Any) -> GuardedConnection:
            return GuardedConnection(*arguments, shared=self.gathering, hang_ups=hang_ups, **named)

        server = await serve(
            self._handle,
            sock=self._listener,
            ssl=transport.tls,
            backlog=ACCEPTS_PER_WAKE_UP,
            compression="deflate" if transport.compression else None,
            process_request=self._answer,
            server_header=None,
            open_timeout=transport.handshake_timeout_s,
            close_timeout=HANDSHAKE_TIMEOUT_S,
            ping_interval=None,
            max_size=transport.max_message_bytes,
            create_connection=connection,  # type: ignore[arg-type]  # a factory serves as well as a class
            logger=_quiet_logger(),
        )
        self._listener.listen(BACKLOG)  # asyncio has just shortened the queue to ACCEPTS_PER_WAKE_UP
        self._serving.set()
        checking = asyncio.create_task(self._check_connections())
        await self._stop.wait()
        checking.cancel()
        await _shut_down(server)
        hang_ups.close()

    def _answer(self, websocket: ServerConnection, request: Request) -> Response | None:
        """Answer plain HTTP, refuse a WebSocket too many, or go on to the handshake."""
        response = self._transport.endpoints(websocket, request)
        if response is None and not cast("GuardedConnection", websocket).admit():
            self._service.counters.error("too_many_connections")
            most = self._transport.admission.max_connections
            response = websocket.respond(
                HTTPStatus.SERVICE_UNAVAILABLE,
                f"too many connections: {most} are open (--max-connections); try again later\n",
            )
        return response

    async def _check_connections(self) -> None:
        idle_s = self._transport.idle_timeout_s
        while True:
            await asyncio.sleep(min(CHECK_INTERVAL_S, idle_s / 4 or CHECK_INTERVAL_S))
            now_s = time.monotonic()
            for each in list(self.gathering.served):
                each.check(now_s, idle_s=idle_s, unread_s=SEND_TIMEOUT_S)

    async def _handle(self, websocket: ServerConnection) -> None:
        await Connection(self._service, cast("GuardedConnection", websocket)).serve()


async def _shut_down(server: Server) -> None:
    """Close every connection with 1001, and cut those that do not answer in time."""
    server.close()
    try:
        async with asyncio.timeout(SHUTDOWN_TIMEOUT_S):
            await server.wait_closed()
    except TimeoutError:
        for connection in server.connections:
            connection.transport.abort()


def _log_in_one_line(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    logger.warning("event loop: %s (%r)", context.get("message"), context.get("exception"))


def _quiet_logger() -> logging.Logger:
    """websockets logs a traceback for every failed handshake; a port scan must not fill the log."""
    quiet = logging.getLogger("asr_server.websockets")
    quiet.setLevel(logging.CRITICAL)
    return quiet
