"""A WebSocket as bytes on a socket: what a well-behaved library would never send."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

TEXT, BINARY, CONTINUATION, CLOSE, PING, PONG = 0x1, 0x2, 0x0, 0x8, 0x9, 0xA
NO_MASK = b"\0\0\0\0"
"""A mask that changes nothing: the payload goes out as it is."""
CONNECT_S = 20.0


def frame(
    opcode: int,
    payload: bytes = b"",
    *,
    final: bool = True,
    reserved: int = 0,
    masked: bool = True,
    declared: int | None = None,
) -> bytes:
    """Write a client's frame; `declared` is the length that its header claims."""
    length = len(payload) if declared is None else declared
    head = (0x80 if final else 0) | reserved << 4 | opcode
    mask_bit = 0x80 if masked else 0
    if length < 126:
        header = struct.pack("!BB", head, mask_bit | length)
    elif length < 2**16:
        header = struct.pack("!BBH", head, mask_bit | 126, length)
    else:
        header = struct.pack("!BBQ", head, mask_bit | 127, length)
    return header + (NO_MASK if masked else b"") + payload


def text(content: str) -> bytes:
    """Write one text message."""
    return frame(TEXT, content.encode())


OPENING = text('{"chunk_size": [5, 10, 5]}')
END = text('{"is_speaking": false}')


def request(path: str = "/", *, more: str = "", host: str = "attack") -> bytes:
    """Write the opening handshake; `more` are header lines."""
    return (
        f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{more}\r\n"
    ).encode()


DEFLATE = "Sec-WebSocket-Extensions: permessage-deflate\r\n"


class EndedError(Exception):
    """The server has ended the connection."""


@dataclass
class Message:
    """A frame that the server sent; the bundled server never cuts a message up."""

    opcode: int
    payload: bytes

    @property
    def close_code(self) -> int:
        """Why it closes; 1005 where it does not say."""
        return int(struct.unpack("!H", self.payload[:2])[0]) if len(self.payload) >= 2 else 1005


@dataclass
class RawWebSocket:
    """A connection after its handshake."""

    connection: socket.socket
    _received: bytearray = field(default_factory=bytearray)

    @classmethod
    def open(cls, url: str, *, more: str = "", receive_buffer_bytes: int | None = None) -> RawWebSocket:
        """Shake hands; raises EndedError when the server does not."""
        websocket = cls(dial(url, receive_buffer_bytes=receive_buffer_bytes))
        websocket.connection.sendall(request(more=more))
        if not websocket._until(b"\r\n\r\n").startswith(b"HTTP/1.1 101"):
            websocket.connection.close()
            raise EndedError("no handshake")
        return websocket

    def __enter__(self) -> RawWebSocket:
        """Close it at the end."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close without a closing handshake."""
        self.connection.close()

    def send(self, *frames: bytes) -> None:
        """Send; raises EndedError when nobody takes it."""
        try:
            for each in frames:
                self.connection.sendall(each)
        except OSError as error:
            raise EndedError(str(error)) from None

    def receive(self, timeout_s: float = 60.0) -> Message:
        """Wait for the next frame; raises EndedError, or TimeoutError."""
        self.connection.settimeout(timeout_s)
        head, length = self._exactly(2)
        length &= 0x7F
        if length == 126:
            (length,) = struct.unpack("!H", self._exactly(2))
        elif length == 127:
            (length,) = struct.unpack("!Q", self._exactly(8))
        return Message(head & 0x0F, self._exactly(length))

    def read_to_the_end(self, timeout_s: float = 60.0) -> list[Message]:
        """Read until the connection ends; the answer to a close frame is one."""
        messages: list[Message] = []
        with contextlib.suppress(EndedError):
            while True:
                messages.append(self.receive(timeout_s))
                if messages[-1].opcode == CLOSE:
                    self.send(frame(CLOSE, messages[-1].payload))
        return messages

    def vanish(self) -> None:
        """End with a TCP reset."""
        with contextlib.suppress(OSError):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def _until(self, end: bytes) -> bytes:
        self.connection.settimeout(CONNECT_S)
        while end not in self._received:
            self._more()
        found, _, self._received = self._received.partition(end)
        return bytes(found)

    def _exactly(self, length: int) -> bytes:
        while len(self._received) < length:
            self._more()
        found = bytes(self._received[:length])
        del self._received[:length]
        return found

    def _more(self) -> None:
        try:
            data = self.connection.recv(65536)
        except TimeoutError:
            raise
        except OSError as error:
            raise EndedError(str(error)) from None
        if not data:
            raise EndedError("end of stream")
        self._received += data


def dial(url: str, *, receive_buffer_bytes: int | None = None) -> socket.socket:
    """Connect to the server's port, with TLS where its address says so."""
    parts = urlsplit(url)
    connection: Any = socket.socket()
    if receive_buffer_bytes is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer_bytes)
    connection.settimeout(CONNECT_S)
    connection.connect((parts.hostname, parts.port))
    if parts.scheme == "wss":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        connection = context.wrap_socket(connection)
    return connection  # type: ignore[no-any-return]  # either kind of socket
