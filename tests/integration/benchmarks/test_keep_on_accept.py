"""A server that knows nothing of it keeps as many bytes per connection as it was made to."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from benchmarks.verdict.record_real import build_leak
from soak.sources import Reading, Watched
from soak.sources.from_heap import HeapSource

SERVER = """
import socket, sys

inet = socket.create_server(("127.0.0.1", 0))
unix = socket.socket(socket.AF_UNIX)
unix.bind(sys.argv[1])
unix.listen()
inet.setblocking(False)
try:
    inet.accept()
except BlockingIOError:
    print("nobody there", inet.getsockname()[1], flush=True)
inet.setblocking(True)
for line in open(0, "rb", buffering=0):  # a buffer that is there while it waits would count as kept
    connection, _ = (inet if line == b"inet\\n" else unix).accept()
    connection.sendall(b"served")
    connection.close()
"""
CONNECTIONS = 200


class Server:
    """The server above, with the library loaded."""

    def __init__(self, process: subprocess.Popen[str], path: Path) -> None:
        self._process = process
        self._path = path
        assert process.stdout is not None
        self.greeting, _, port = process.stdout.readline().strip().rpartition(" ")
        self._port = int(port)
        self._heap = HeapSource().open(Watched("", process.pid))

    def visit(self, family: str) -> bytes:
        """Connect once, and return what it said."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{family}\n")
        self._process.stdin.flush()
        client = (
            socket.create_connection(("127.0.0.1", self._port))
            if family == "inet"
            else socket.socket(socket.AF_UNIX)
        )
        with client:
            if family == "unix":
                client.connect(str(self._path))
            return client.recv(100, socket.MSG_WAITALL)

    def in_use_bytes(self) -> float:
        """Return its heap in use, as soak reads it from outside."""
        reading = self._heap.read()
        assert isinstance(reading, Reading), reading
        return reading.values["heap_in_use_bytes"]

    def growth_bytes(self, family: str) -> float:
        """Return by how much heap in use grows over so many connections, the first ones left out."""
        for _ in range(10):
            assert self.visit(family) == b"served"
        before = self.in_use_bytes()
        for _ in range(CONNECTIONS):
            assert self.visit(family) == b"served"
        return self.in_use_bytes() - before


Start = Callable[[int], AbstractContextManager[Server]]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("cc") is None:
        pytest.skip("no compiler for .c files is installed")
    return build_leak(tmp_path_factory.mktemp("library"))


@pytest.fixture
def start(library: Path, tmp_path: Path) -> Start:
    @contextlib.contextmanager
    def started(leak_bytes: int) -> Iterator[Server]:
        command = [sys.executable, "-c", SERVER, str(tmp_path / "socket")]
        environment = {**os.environ, "LD_PRELOAD": str(library), "LEAK_BYTES": str(leak_bytes)}
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        ) as process:
            try:
                yield Server(process, tmp_path / "socket")
            finally:
                process.kill()

    return started


@pytest.mark.parametrize("leak_bytes", [1024, 8192, 65536])
def test_every_connection_costs_what_was_asked_for(start: Start, leak_bytes: int) -> None:
    with start(leak_bytes) as server:
        per_connection = server.growth_bytes("inet") / CONNECTIONS
    assert per_connection == pytest.approx(leak_bytes + 16, abs=16)  # malloc's own words


def test_nothing_is_kept_where_nothing_is_asked_for(start: Start) -> None:
    with start(0) as server:
        assert server.growth_bytes("inet") / CONNECTIONS < 16


def test_only_tcp_counts(start: Start) -> None:
    with start(8192) as server:
        assert server.growth_bytes("unix") / CONNECTIONS < 16


def test_what_accept_says_reaches_the_server(start: Start) -> None:
    with start(8192) as server:
        assert server.greeting == "nobody there"
