"""One HTTP request with an end: a deadline for the whole exchange, and a cap on what is read of it.

The timeouts of sockets are for single calls: a server that sends a byte a second never meets one. Here a
timer shuts the connection, whatever it is waiting for. Nothing is followed: a redirection is an answer, too.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

READ_BYTES = 65_536
PORTS = {"http": 80, "https": 443}


class TooLongError(OSError):
    """A page is longer than anybody asked for."""


@dataclass(frozen=True)
class Answer:
    """What a server answered."""

    status: int
    body: bytes


def get(address: str, path: str, tls: ssl.SSLContext, *, within_s: float, most_bytes: int) -> Answer:
    """Return the answer of `address` (``https://host:port``) to a GET of `path`.

    Raises OSError where it does not come within `within_s` seconds, from the name's look-up to the last byte,
    or is longer than `most_bytes`; HTTPException where it is no HTTP.
    """
    ends_s = time.monotonic() + within_s
    parts = urlsplit(address)
    try:
        host, port = parts.hostname or "", parts.port or PORTS[parts.scheme]
    except ValueError as error:
        raise OSError(str(error)) from None
    plain = socket.create_connection((host, port), timeout=within_s)
    secure = parts.scheme == "https"
    with (
        contextlib.closing(
            tls.wrap_socket(plain, server_hostname=host, do_handshake_on_connect=False) if secure else plain
        ) as connected,
        _shut_at(ends_s, connected) as was_shut,
    ):
        try:
            if isinstance(connected, ssl.SSLSocket):
                connected.do_handshake()
            answer = _exchange(connected, host, port, path, most_bytes)
        except (OSError, HTTPException, ValueError, AttributeError) as error:
            # the socket's own limit, which a handshake keeps as a whole, may strike before the timer does
            if was_shut.is_set() or isinstance(error, TimeoutError):
                raise TimeoutError(f"no whole answer within {within_s:g} s") from None
            if isinstance(error, OSError | HTTPException):
                raise
            raise HTTPException(str(error)) from None
        if was_shut.is_set():  # what was cut off may look like an end
            raise TimeoutError(f"no whole answer within {within_s:g} s")
        return answer


def _exchange(connected: socket.socket, host: str, port: int, path: str, most_bytes: int) -> Answer:
    connection = HTTPConnection(host, port)
    connection.sock = connected
    connection.request("GET", path, headers={"Connection": "close"})
    with connection.getresponse() as reply:
        body = b""
        while piece := reply.read(min(READ_BYTES, most_bytes + 1 - len(body))):
            body += piece
            if len(body) > most_bytes:
                raise TooLongError(f"the page is longer than {most_bytes} bytes")
        return Answer(reply.status, body)


@contextlib.contextmanager
def _shut_at(ends_s: float, connected: socket.socket) -> Iterator[threading.Event]:
    """Shut the connection at `ends_s`, so that whoever waits for it is woken; yield whether that was done."""
    was_shut = threading.Event()

    def shut() -> None:
        was_shut.set()
        with contextlib.suppress(OSError):  # it has ended by itself
            # the method of an SSL socket would take away what another thread is reading with
            socket.socket.shutdown(connected, socket.SHUT_RDWR)

    timer = threading.Timer(max(ends_s - time.monotonic(), 0.0), shut)
    timer.daemon = True
    timer.start()
    try:
        yield was_shut
    finally:
        timer.cancel()
