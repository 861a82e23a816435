"""A request ends when it is to end, whatever the server does, and reads no more than it may."""

from __future__ import annotations

import contextlib
import itertools
import socket
import ssl
import threading
from http.client import HTTPException
from typing import TYPE_CHECKING

import pytest

from soak.sources import ServerPages
from soak.sources.http_exchange import TooLongError, get

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Serve = Callable[[Iterator[bytes]], str]

WITHIN_S = 0.4
HEAD = b"HTTP/1.1 200 OK\r\n\r\n"


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serve pieces of an answer, one every 50 ms, to a single client; the address is returned."""
    over = threading.Event()
    with contextlib.ExitStack() as open_sockets:

        def begin(pieces: Iterator[bytes]) -> str:
            listener = open_sockets.enter_context(socket.create_server(("127.0.0.1", 0)))

            def answer() -> None:
                with contextlib.suppress(OSError), listener.accept()[0] as client:
                    for piece in pieces:
                        client.sendall(piece)
                        if over.wait(0.05):
                            return
                    over.wait()

            threading.Thread(target=answer, daemon=True).start()
            return f"127.0.0.1:{listener.getsockname()[1]}"

        yield begin
        over.set()


DRIPS = {
    "says nothing": lambda: iter([b""]),
    "drips its status": lambda: (bytes([byte]) for byte in itertools.cycle(b"HTTP/1.1 ")),
    "drips headers": lambda: itertools.chain([b"HTTP/1.1 200 OK\r\n"], itertools.repeat(b"a: b\r\n")),
    "drips its body": lambda: itertools.chain([HEAD], itertools.repeat(b"a")),
    "drips chunks": lambda: itertools.chain(
        [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"], itertools.repeat(b"1\r\na\r\n")
    ),
    "promises more": lambda: iter([b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\nabc"]),
}


@pytest.mark.parametrize("drip", DRIPS.values(), ids=DRIPS)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_server_that_drips_is_left_at_the_deadline(
    serve: Serve, drip: Callable[[], Iterator[bytes]], scheme: str
) -> None:
    address = f"{scheme}://{serve(drip())}"
    with pytest.raises(OSError, match=r"no whole answer within 0\.4 s|SSL"):
        get(address, "/metrics", ssl.create_default_context(), within_s=WITHIN_S, most_bytes=2**20)


def test_a_page_without_end_is_read_up_to_its_cap(serve: Serve) -> None:
    address = serve(itertools.chain([HEAD], itertools.repeat(b"a" * 65_536)))
    with pytest.raises(TooLongError, match="longer than 1000 bytes"):
        get(f"http://{address}", "/", ssl.create_default_context(), within_s=10.0, most_bytes=1000)


@pytest.mark.parametrize("said", [b"SSH-2.0-OpenSSH_9.2\r\n", b"\0" * 100 + b"\n", b"HTTP/1.1 \xff\r\n\r\n"])
def test_what_is_no_http_is_no_answer(serve: Serve, said: bytes) -> None:
    with pytest.raises((HTTPException, OSError)):
        get(f"http://{serve(iter([said]))}", "/", ssl.create_default_context(), within_s=2.0, most_bytes=100)


@pytest.mark.parametrize(
    "page",
    [
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"total_bytes": NaN}',
        b'["no object"]',
        b'{"types": "\xff\xfe',
        b"",
    ],
)
def test_a_debug_page_that_is_none_is_no_page(serve: Serve, page: bytes) -> None:
    length = f"HTTP/1.1 200 OK\r\nContent-Length: {len(page)}\r\n\r\n".encode()
    address = serve(iter([length + page]))
    assert ServerPages(f"ws://{address}", verify_tls=False).introspect("objects") is None


def test_a_redirection_leads_nowhere(serve: Serve) -> None:
    address = serve(
        iter([b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n"])
    )
    assert ServerPages(f"ws://{address}", verify_tls=False).scrape_metrics() is None
