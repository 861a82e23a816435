"""Bytes from a grammar of what must not be sent: each ends in order, and nobody else notices."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.attack.server.canary import Canary
from tests.attack.server.measure import canary_pcm
from tests.attack.server.raw_websocket import (
    BINARY,
    CLOSE,
    CONTINUATION,
    END,
    OPENING,
    PING,
    TEXT,
    EndedError,
    RawWebSocket,
    dial,
    frame,
    request,
)
from tests.integration.asr_server.conftest import running_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.asr_server.conftest import RunningServer

WAIT_S = 60.0
EXAMPLES = max(300, settings().max_examples)
"""Of frames; the nightly profile asks for more."""
GOOD_CODES = {1000, 1001, 1002, 1003, 1005, 1007, 1008, 1009}
"""How a connection may end; 1011 would be a fault of the server's."""


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """One server for all, which must have seen no fault of its own at the end."""
    log = tmp_path_factory.mktemp("attacked") / "server.log"
    with running_server(log, "--compression", "--introspection", "--sweep-interval-s", "0") as running:
        yield running
        assert running.process.poll() is None
        idle = ("asr_connections_open", "asr_sessions_alive", "asr_decode_queue_tasks")
        metrics = asyncio.run(running.wait_until(lambda found: not any(found[name] for name in idle)))
        assert metrics["asr_errors_total{decoding_failed}"] == 0
    text = log.read_text(encoding="utf-8")
    assert "Traceback" not in text
    assert " ERROR " not in text


@pytest.fixture
def bystander(attacked: RunningServer) -> Iterator[None]:
    """An honest client that speaks all the while, and hears the same before and after."""
    canary = Canary(attacked.url, canary_pcm())
    try:
        yield
        for _ in range(2):
            canary.begin_anew()
            while not canary.waits().finals_s:
                pass
        assert len(canary.waits().transcripts) == 1
    finally:
        canary.close()


numbers = st.one_of(st.integers(), st.floats(), st.sampled_from([0, -1, 2**31, 2**63, 2**64, 1e308, 10**400]))
texts = st.one_of(
    st.text(max_size=20), st.sampled_from(["2pass", "pcm", "\ud800", "\0", "\x1b[2J", "名" * 2000, '"' * 200])
)
values: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), numbers, texts),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(texts, inner, max_size=3)),
    max_leaves=8,
)
KEYS = (
    "mode", "wav_name", "wav_format", "is_speaking", "is_finished", "audio_fs", "itn", "chunk_size",
    "hotwords", "svs_lang", "svs_itn", "chunk_interval", "encoder_chunk_look_back",
    "decoder_chunk_look_back", "is_end",
)  # fmt: skip
configurations = st.dictionaries(st.one_of(st.sampled_from(KEYS), texts), values, max_size=6)


@st.composite
def json_texts(draw: st.DrawFn) -> bytes:
    """JSON that is right, nested, cut short or spoiled."""
    written = json.dumps(draw(st.one_of(configurations, values)), ensure_ascii=draw(st.booleans()))
    data = written.encode("utf-8", errors="surrogatepass")
    damage = draw(st.sampled_from(["none", "none", "cut", "nested", "spoiled", "twice", "bom"]))
    if damage == "cut":
        return data[: draw(st.integers(0, len(data)))]
    if damage == "nested":
        depth = draw(st.sampled_from([31, 33, 1000, 10_000]))
        opened, closed = draw(st.sampled_from([(b"[", b"]"), (b'{"a":', b"}")]))
        return opened * depth + data + closed * draw(st.sampled_from([0, depth]))
    if damage == "spoiled":
        place = draw(st.integers(0, len(data)))
        return data[:place] + draw(st.binary(min_size=1, max_size=4)) + data[place + 1 :]
    return {"twice": data * 2, "bom": b"\xef\xbb\xbf" + data}.get(damage, data)


payloads = st.one_of(
    json_texts(),
    st.binary(max_size=200),
    st.builds(bytes, st.sampled_from([0, 1, 2, 125, 126, 127, 1920, 65_535, 65_536, 65_537, 70_001])),
)
closes = st.one_of(
    st.just(b""),
    st.binary(min_size=1, max_size=1),
    st.builds(
        lambda code, reason: code.to_bytes(2, "big") + reason,
        st.one_of(st.integers(0, 65_535), st.sampled_from([1000, 1001, 1005, 1006, 1015, 3000, 4999])),
        st.binary(max_size=130),
    ),
)


@st.composite
def frames(draw: st.DrawFn) -> bytes:
    """A frame, more often nearly right than not at all."""
    kind = draw(st.sampled_from(["text", "audio", "audio", "close", "ping", "fragments", "any"]))
    if kind == "text":
        return frame(TEXT, draw(json_texts()))
    if kind == "audio":
        return frame(BINARY, draw(payloads), reserved=draw(st.sampled_from([0, 0, 0, 4])))
    if kind == "close":
        return frame(CLOSE, draw(closes))
    if kind == "ping":
        return frame(PING, draw(st.binary(max_size=130)), final=draw(st.sampled_from([True, True, False])))
    if kind == "fragments":
        parts = draw(st.lists(payloads, min_size=1, max_size=4))
        first = draw(st.sampled_from([TEXT, BINARY, CONTINUATION]))
        ended = draw(st.booleans())
        between = draw(st.sampled_from([b"", frame(PING), frame(BINARY, b"\0\0")]))
        return between.join(
            frame(CONTINUATION if place else first, part, final=ended and place == len(parts) - 1)
            for place, part in enumerate(parts)
        )
    payload = draw(payloads)
    lengths = st.sampled_from([None, None, 0, len(payload) + 1, 2**16, 2**31, 2**63, 2**64 - 1])
    return frame(
        draw(st.integers(0, 15)),
        payload,
        final=draw(st.booleans()),
        reserved=draw(st.integers(0, 7)),
        masked=draw(st.booleans()),
        declared=draw(lengths),
    )


conversations = st.builds(
    lambda opening, middle, end: opening + b"".join(middle) + end,
    st.sampled_from([OPENING, OPENING, b"", END]),
    st.lists(frames(), min_size=1, max_size=5),
    st.sampled_from([b"", END, frame(CLOSE, b"\x03\xe8")]),
)


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(conversation=conversations)
@pytest.mark.usefixtures("bystander")
def test_frames_of_any_kind_end_in_order(attacked: RunningServer, conversation: bytes) -> None:
    with RawWebSocket.open(attacked.url) as websocket:
        with contextlib.suppress(EndedError, OSError):
            websocket.send(conversation)
            websocket.connection.shutdown(socket.SHUT_WR)
        for message in websocket.read_to_the_end(WAIT_S):
            if message.opcode == CLOSE:
                assert message.close_code in GOOD_CODES or 3000 <= message.close_code < 5000, message
            if message.opcode == TEXT:
                assert isinstance(json.loads(message.payload), dict)


lines = st.one_of(
    st.sampled_from(
        [
            b"Host: a", b"Upgrade: websocket", b"Connection: Upgrade", b"Sec-WebSocket-Version: 13",
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", b"Sec-WebSocket-Key: short",
            b"Sec-WebSocket-Version: 8", b"Content-Length: 10", b"Content-Length: -1",
            b"Transfer-Encoding: chunked", b"Origin: http://elsewhere.example", b"Expect: 100-continue",
            b"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=99", b" folded",
            b"Sec-WebSocket-Extensions: " + b"x-a, " * 500, b"X" * 9000, b": no name", b"No colon",
        ]
    ),
    st.binary(max_size=60),
)  # fmt: skip
requests = st.builds(
    lambda method, path, version, head, end: end.join([b" ".join([method, path, version]), *head]) + end * 2,
    st.sampled_from([b"GET", b"GET", b"GET", b"POST", b"HEAD", b"", b"G\0T"]),
    st.one_of(
        st.sampled_from(
            [
                b"/", b"/metrics", b"/healthz?x", b"/debug/objects", b"/debug/", b"*", b"http://a/", b"/%00",
                b"/" * 9000,
            ]
        ),
        st.binary(max_size=30),
    ),
    st.sampled_from([b"HTTP/1.1", b"HTTP/1.1", b"HTTP/1.0", b"HTTP/9.9", b"", b"ICY"]),
    st.lists(lines, max_size=140),
    st.sampled_from([b"\r\n", b"\r\n", b"\r\n", b"\n", b"\r"]),
)  # fmt: skip


@settings(
    max_examples=EXAMPLES // 3,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(head=requests)
@pytest.mark.usefixtures("bystander")
def test_requests_of_any_kind_end_in_order(attacked: RunningServer, head: bytes) -> None:
    with dial(attacked.url) as connection, contextlib.suppress(ConnectionError):
        connection.settimeout(WAIT_S)
        connection.sendall(head)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while data := connection.recv(65_536):
            answer += data
        assert not answer or answer.startswith(b"HTTP/1.1 ")
        # 505 is the right answer to a request of HTTP/1.0 (RFC 9110, 15.6.6), and to no other
        refused_version = answer.startswith(b"HTTP/1.1 505 ") and b" HTTP/1.0" in head
        assert refused_version or not answer.startswith(b"HTTP/1.1 5"), answer[:200]


@pytest.mark.parametrize(
    "more",
    [
        "Origin: http://elsewhere.example\r\n",
        "Origin: null\r\n",
        "Sec-Fetch-Site: cross-site\r\n",
        "Origin: http://127.0.0.1\r\nOrigin: http://elsewhere.example\r\n",
        "Host: 127.0.0.1\r\n",
    ],
)
@pytest.mark.parametrize("page", ["objects", "holders", "gc", "arena_shrink", "trim", "tracemalloc"])
def test_the_debug_pages_are_not_for_other_sites(attacked: RunningServer, page: str, more: str) -> None:
    with dial(attacked.url) as connection:
        connection.sendall(request(f"/debug/{page}", more=more, host="127.0.0.1"))
        assert connection.recv(100).startswith(b"HTTP/1.1 403")


def test_the_debug_pages_are_not_for_rebound_names(attacked: RunningServer) -> None:
    with dial(attacked.url) as connection:
        connection.sendall(request("/debug/gc", host="rebound.example"))
        assert connection.recv(100).startswith(b"HTTP/1.1 403")
