"""Attacks on the reference server, each by name; `python -m tests.attack.server.attacks NAME URL SECONDS`.

They run in a process of their own, so that what they cost is not taken for what the server does. An attack
goes on until its time is over, however often the server ends its connections.
"""

from __future__ import annotations

import contextlib
import json
import random
import socket
import sys
import threading
import time
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tests.attack.server.raw_websocket import (
    BINARY,
    CONTINUATION,
    DEFLATE,
    END,
    OPENING,
    PING,
    PONG,
    TEXT,
    EndedError,
    RawWebSocket,
    dial,
    frame,
    request,
    text,
)

if TYPE_CHECKING:
    from collections.abc import Callable

LARGE: Final = 31_900_000
"""A little less than the largest message that the server takes."""
SPEECH: Final = random.Random(0).randbytes(64_000)
"""Two seconds of noise, which the VAD takes for speech."""
COMPRESSED: Final = 0x4
"""The reserved bit of permessage-deflate."""
TINY_BUFFER: Final = 4096


@dataclass(frozen=True)
class Attack:
    """One way to take a server's memory or time."""

    name: str
    strike: Callable[[str], None]
    """Strikes once, or until it is cut off; repeated until the time is over."""
    connections: int = 1
    """How many at once."""
    quick: bool = False
    """Whether it is tried for every change, not every night only."""
    flags: tuple[str, ...] = ()
    """How the server runs."""


ATTACKS: Final[dict[str, Attack]] = {}


def attack(
    connections: int = 1, *, quick: bool = False, flags: tuple[str, ...] = (), also: tuple[int, ...] = ()
) -> Callable[[Callable[[str], None]], Callable[[str], None]]:
    """Register an attack under its function's name, with `also` so many connections."""

    def register(strike: Callable[[str], None]) -> Callable[[str], None]:
        name = strike.__name__
        ATTACKS[name] = Attack(name, strike, connections, quick, flags)
        for number in also:
            ATTACKS[f"{name}_x{number}"] = Attack(f"{name}_x{number}", strike, number, flags=flags)
        return strike

    return register


def _pour(websocket: RawWebSocket, data: bytes) -> None:
    """Send the same again and again until the server ends it."""
    while True:
        websocket.send(data)


def _swallow(websocket: RawWebSocket) -> threading.Thread:
    """Read what comes, on a thread."""

    def read() -> None:
        with contextlib.suppress(EndedError, OSError, ValueError):
            while True:
                websocket.receive()

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    return thread


def _linger(websocket: RawWebSocket, seconds: float = 1.0) -> None:
    """Stay for a while, without reading."""
    time.sleep(seconds)
    websocket.send(b"")


# text frames


@attack(quick=True, also=(4,))
def large_text_of_brackets(url: str) -> None:
    with RawWebSocket.open(url) as websocket:
        websocket.send(frame(TEXT, b"[" * LARGE))
        websocket.read_to_the_end()


@attack(quick=True)
def large_text_of_empty_lists(url: str) -> None:
    with RawWebSocket.open(url) as websocket:
        websocket.send(frame(TEXT, b"[" + b"[]," * (LARGE // 3 - 2) + b"[]]"))
        websocket.read_to_the_end()


@attack()
def large_text_of_one_string(url: str) -> None:
    with RawWebSocket.open(url) as websocket:
        websocket.send(frame(TEXT, b'{"wav_name": "' + b"\\u4e00" * (LARGE // 6 - 5) + b'"}'))
        websocket.read_to_the_end()


@attack(8)
def text_nested_as_deep_as_fits(url: str) -> None:
    with RawWebSocket.open(url) as websocket:
        websocket.send(frame(TEXT, b'{"a":' * 10_000 + b"1" + b"}" * 10_000))
        websocket.read_to_the_end()


@attack(8)
def text_of_many_keys(url: str) -> None:
    keys = json.dumps({f"k{number}": [] for number in range(4_500)}, separators=(",", ":"))
    with RawWebSocket.open(url) as websocket:
        _swallow(websocket)
        _pour(websocket, text(keys[:-1] + ',"mode":"2pass"}'))


@attack(4, quick=True)
def text_in_endless_fragments(url: str) -> None:
    with RawWebSocket.open(url) as websocket:
        websocket.send(frame(TEXT, b" ", final=False))
        _pour(websocket, frame(CONTINUATION, b" " * 1000, final=False))


@attack(4)
def text_in_endless_empty_fragments(url: str) -> None:
    with RawWebSocket.open(url) as websocket:
        websocket.send(frame(TEXT, b" ", final=False))
        _pour(websocket, frame(CONTINUATION, b"", final=False) * 1000)


@attack(8)
def hotwords_as_many_as_fit(url: str) -> None:
    words = {f"词{number}": 20 for number in range(1000)}
    opening = json.dumps({"chunk_size": [5, 10, 5], "hotwords": json.dumps(words)})
    with RawWebSocket.open(url) as websocket:
        websocket.send(text(opening), frame(BINARY, SPEECH), END)
        websocket.receive()


@attack(8)
def mistakes_one_after_another(url: str) -> None:
    with RawWebSocket.open(url) as websocket:
        websocket.send(text("{"))
        websocket.read_to_the_end()


# audio


@attack(quick=True, also=(4,))
def eighteen_frames_of_32_mb(url: str) -> None:
    with RawWebSocket.open(url) as websocket:
        websocket.send(OPENING)
        for _ in range(18):
            websocket.send(frame(BINARY, bytes(LARGE)))
        _linger(websocket)


@attack()
def one_large_frame_of_speech(url: str) -> None:
    with RawWebSocket.open(url) as websocket:
        _swallow(websocket)
        websocket.send(OPENING, frame(BINARY, SPEECH * (LARGE // len(SPEECH))))
        _linger(websocket, 60)


@attack(1, also=(8, 32))
def speech_as_fast_as_it_is_taken(url: str) -> None:
    with RawWebSocket.open(url) as websocket:
        _swallow(websocket)
        websocket.send(OPENING)
        _pour(websocket, frame(BINARY, SPEECH))


@attack(8)
def speech_without_reading_results(url: str) -> None:
    with RawWebSocket.open(url, receive_buffer_bytes=TINY_BUFFER) as websocket:
        websocket.send(OPENING)
        _pour(websocket, frame(BINARY, SPEECH))


@attack(4)
def audio_said_to_be_slower_than_it_is(url: str) -> None:
    slow, fast = (text(json.dumps({"chunk_size": [5, 10, 5], "audio_fs": hz})) for hz in (8000, 48000))
    with RawWebSocket.open(url) as websocket:
        _swallow(websocket)
        websocket.send(slow, frame(BINARY, SPEECH[:960]), fast)
        _pour(websocket, frame(BINARY, SPEECH * 6))


@attack(8, quick=True)
def audio_in_frames_of_two_bytes(url: str) -> None:
    with RawWebSocket.open(url) as websocket:
        _swallow(websocket)
        websocket.send(OPENING)
        _pour(websocket, frame(BINARY, b"\1\1") * 4000)


@attack(8)
def audio_in_empty_frames(url: str) -> None:
    with RawWebSocket.open(url) as websocket:
        websocket.send(OPENING)
        _pour(websocket, frame(BINARY) * 4000)


@attack(4)
def audio_in_fragments_of_one_byte(url: str) -> None:
    with RawWebSocket.open(url) as websocket:
        websocket.send(OPENING, frame(BINARY, b"", final=False))
        _pour(websocket, frame(CONTINUATION, b"\1", final=False) * 4000)


@attack(16)
def large_frames_that_never_end(url: str) -> None:
    with RawWebSocket.open(url) as websocket:
        websocket.send(OPENING, frame(BINARY, bytes(LARGE - 10), declared=LARGE))
        _linger(websocket, 60)


@attack(8)
def largest_windows(url: str) -> None:
    with RawWebSocket.open(url) as websocket:
        _swallow(websocket)
        websocket.send(text('{"chunk_size": [100, 100, 100], "audio_fs": 44100}'))
        _pour(websocket, frame(BINARY, SPEECH))


def _bomb(size: int) -> bytes:
    squeezed = zlib.compressobj(wbits=-15, level=9)
    packed = squeezed.compress(bytes(size)) + squeezed.flush(zlib.Z_SYNC_FLUSH)
    return packed.removesuffix(b"\0\0\xff\xff")


@attack(quick=True, flags=("--compression",), also=(4,))
def compressed_silence(url: str) -> None:
    bomb = frame(BINARY, _bomb(LARGE), reserved=COMPRESSED)
    with RawWebSocket.open(url, more=DEFLATE) as websocket:
        websocket.send(OPENING)
        for _ in range(40):
            websocket.send(bomb)
        _linger(websocket)


@attack(flags=("--compression",))
def compressed_brackets(url: str) -> None:
    squeezed = zlib.compressobj(wbits=-15, level=9)
    packed = squeezed.compress(b"[" * LARGE) + squeezed.flush(zlib.Z_SYNC_FLUSH)
    with RawWebSocket.open(url, more=DEFLATE) as websocket:
        websocket.send(frame(TEXT, packed.removesuffix(b"\0\0\xff\xff"), reserved=COMPRESSED))
        websocket.read_to_the_end()


@attack(4, flags=("--compression",))
def compressed_silence_in_endless_fragments(url: str) -> None:
    squeezed = zlib.compressobj(wbits=-15, level=9)
    with RawWebSocket.open(url, more=DEFLATE) as websocket:
        websocket.send(OPENING, frame(BINARY, b"", final=False, reserved=COMPRESSED))
        while True:
            part = squeezed.compress(bytes(4_000_000)) + squeezed.flush(zlib.Z_SYNC_FLUSH)
            websocket.send(frame(CONTINUATION, part, final=False))


# clients that are gone


@attack(4, quick=True, also=(16,))
def gone_with_audio_waiting(url: str) -> None:
    websocket = RawWebSocket.open(url)
    with contextlib.suppress(OSError):
        websocket.connection.settimeout(1.0)
        websocket.send(OPENING)
        for _ in range(20):
            websocket.send(frame(BINARY, SPEECH * 8))
    websocket.vanish()


@attack(16)
def gone_politely_with_audio_waiting(url: str) -> None:
    with RawWebSocket.open(url) as websocket:
        websocket.connection.settimeout(1.0)
        websocket.send(OPENING)
        for _ in range(20):
            websocket.send(frame(BINARY, SPEECH * 8))


@attack(16)
def gone_in_the_middle_of_a_frame(url: str) -> None:
    websocket = RawWebSocket.open(url)
    websocket.send(OPENING, frame(BINARY, SPEECH, declared=len(SPEECH) + 1))
    websocket.vanish()


@attack(16)
def connect_and_reset(url: str) -> None:
    RawWebSocket.open(url).vanish()


# control frames


@attack(1, quick=True, also=(8,))
def pings_with_pongs_unread(url: str) -> None:
    with RawWebSocket.open(url, receive_buffer_bytes=TINY_BUFFER) as websocket:
        _pour(websocket, frame(PING, b"p" * 125) * 500)


@attack(8, quick=True)
def pings_with_pongs_read(url: str) -> None:
    with RawWebSocket.open(url) as websocket:
        _swallow(websocket)
        _pour(websocket, frame(PING) * 1000)


@attack(8)
def pongs_nobody_asked_for(url: str) -> None:
    with RawWebSocket.open(url) as websocket:
        _pour(websocket, frame(PONG, b"p" * 125) * 500)


@attack(4)
def pings_between_fragments(url: str) -> None:
    with RawWebSocket.open(url, receive_buffer_bytes=TINY_BUFFER) as websocket:
        websocket.send(OPENING, frame(BINARY, b"\0\0", final=False))
        _pour(websocket, (frame(PING, b"p" * 100) + frame(CONTINUATION, b"\0\0", final=False)) * 500)


@attack(32)
def mistakes_without_a_closing_handshake(url: str) -> None:
    with RawWebSocket.open(url) as websocket:
        websocket.send(text("{"))
        _pour(websocket, frame(BINARY, SPEECH))


# ends of speech


@attack(8, quick=True, also=(32,))
def ends_of_speech(url: str) -> None:
    with RawWebSocket.open(url) as websocket:
        _swallow(websocket)
        websocket.send(OPENING)
        _pour(websocket, END * 1000)


@attack(1, quick=True, also=(16,))
def ends_of_speech_with_finals_unread(url: str) -> None:
    with RawWebSocket.open(url, receive_buffer_bytes=TINY_BUFFER) as websocket:
        websocket.send(text(json.dumps({"chunk_size": [5, 10, 5], "wav_name": "名" * 1000})))
        _pour(websocket, END * 1000)


@attack(8)
def short_utterances_with_finals_unread(url: str) -> None:
    with RawWebSocket.open(url, receive_buffer_bytes=TINY_BUFFER) as websocket:
        websocket.send(OPENING)
        _pour(websocket, (frame(BINARY, SPEECH[:3200]) + END) * 20)


@attack(8)
def configurations(url: str) -> None:
    with RawWebSocket.open(url) as websocket:
        websocket.send(OPENING)
        _pour(websocket, text('{"mode": "online", "audio_fs": 8000, "itn": false}') * 1000)


@attack(4)
def results_read_a_byte_at_a_time(url: str) -> None:
    with RawWebSocket.open(url, receive_buffer_bytes=TINY_BUFFER) as websocket:
        websocket.send(text(json.dumps({"chunk_size": [5, 10, 5], "wav_name": "n" * 1000})))
        websocket.connection.settimeout(0.05)
        while True:
            with contextlib.suppress(TimeoutError):
                websocket.connection.sendall(END)
            websocket.connection.recv(1)


# connections and HTTP


@attack(64, quick=True)
def handshakes_that_never_come(url: str) -> None:
    with dial(url) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\n")
        connection.settimeout(60)
        connection.recv(1)


@attack(64)
def handshakes_a_byte_at_a_time(url: str) -> None:
    with dial(url) as connection:
        for byte in request(more="X-Slow: " + "s" * 5000 + "\r\n"):
            connection.sendall(bytes([byte]))
            time.sleep(0.1)


@attack(200)
def connections_that_say_nothing(url: str) -> None:
    with RawWebSocket.open(url) as websocket:
        websocket.read_to_the_end()


@attack(200)
def connections_that_only_configure(url: str) -> None:
    with RawWebSocket.open(url) as websocket:
        websocket.send(OPENING)
        websocket.read_to_the_end()


@attack(8)
def endless_headers(url: str) -> None:
    with dial(url) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\n")
        while True:
            connection.sendall(b"X: " + b"h" * 8000 + b"\r\n")


@attack(8)
def endless_request_line(url: str) -> None:
    with dial(url) as connection:
        connection.sendall(b"GET /")
        while True:
            connection.sendall(b"a" * 100_000)


@attack(8)
def frames_in_one_packet_with_the_handshake(url: str) -> None:
    with dial(url) as connection:
        connection.sendall(request() + OPENING + END * 5000)
        connection.settimeout(0.5)
        while connection.recv(65536):
            pass


@attack(8)
def bytes_that_are_no_http(url: str) -> None:
    with dial(url) as connection:
        connection.sendall(SPEECH)
        connection.recv(100)


@attack(8)
def metrics_as_often_as_possible(url: str) -> None:
    with dial(url) as connection:
        connection.sendall(request("/metrics"))
        while connection.recv(65536):
            pass


@attack(4, flags=("--introspection",))
def debug_pages_of_another_site(url: str) -> None:
    with dial(url) as connection:
        connection.sendall(request("/debug/objects", more="Origin: http://elsewhere.example\r\n"))
        while connection.recv(65536):
            pass


def strike(name: str, url: str, duration_s: float) -> None:
    """Let as many connections as the attack has strike again and again until the time is over."""
    chosen = ATTACKS[name]
    deadline_s = time.monotonic() + duration_s

    def again() -> None:
        while time.monotonic() < deadline_s:
            try:
                chosen.strike(url)
            except (EndedError, OSError):
                time.sleep(0.01)

    for _ in range(chosen.connections):
        threading.Thread(target=again, daemon=True).start()
    time.sleep(duration_s)


if __name__ == "__main__":
    socket.setdefaulttimeout(60)
    strike(sys.argv[1], sys.argv[2], float(sys.argv[3]))
