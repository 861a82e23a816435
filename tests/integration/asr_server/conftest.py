"""A real server process with the bundled tiny model, and real clients."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import ssl
import subprocess
import sys
import urllib.request
import wave
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from asr_server.wire import ClientDialogue, Final, ServerFault, UtteranceConfig

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

REPOSITORY = Path(__file__).parents[3]
WAIT_S = 60.0
"""A limit for what should take a moment, so that a fault ends a test instead of hanging it."""


async def _read_to_the_end(websocket: ClientConnection) -> ConnectionClosed:
    try:
        async with asyncio.timeout(WAIT_S):
            while True:
                await websocket.recv()
    except ConnectionClosed as closed:
        return closed


@pytest.fixture
def read_to_the_end() -> Callable[[ClientConnection], Awaitable[ConnectionClosed]]:
    """Read until the connection is closed; gives how that was."""
    return _read_to_the_end


class Client:
    """A WebSocket, the dialogue over it and the messages that came, as they came."""

    def __init__(self, websocket: ClientConnection, config: UtteranceConfig) -> None:
        self.websocket = websocket
        self.dialogue = ClientDialogue(config)
        self.messages: list[dict[str, Any]] = []

    async def configure(self) -> None:
        await self.websocket.send(self.dialogue.opening())

    async def say(self, pcm: bytes) -> str:
        """Stream one utterance and wait for its transcript."""
        for frame in self.dialogue.audio_frames(pcm):
            await self.websocket.send(frame)
        await self.websocket.send(self.dialogue.closing())
        async with asyncio.timeout(WAIT_S):
            while True:
                text = str(await self.websocket.recv())
                self.messages.append(json.loads(text))
                for event in self.dialogue.receive(text):
                    assert not isinstance(event, ServerFault), event.message
                    if isinstance(event, Final):
                        return event.transcript


@dataclass
class RunningServer:
    """A server process that listens."""

    process: subprocess.Popen[str]
    url: str
    log: Path
    tls: ssl.SSLContext | None = None

    def connect(self) -> connect:
        """A bare WebSocket, without a dialogue."""
        return connect(self.url, ssl=self.tls, compression=None, ping_interval=None, proxy=None)

    @contextlib.asynccontextmanager
    async def client(self, **settings: Any) -> AsyncIterator[Client]:
        """A client that has sent its configuration."""
        async with self.connect() as websocket:
            client = Client(websocket, UtteranceConfig(**settings))
            await client.configure()
            yield client

    async def transcribe(self, pcm: bytes, **settings: Any) -> str:
        """One whole connection."""
        async with self.client(**settings) as client:
            return await client.say(pcm)

    def get(self, path: str) -> str:
        """The answer to a plain HTTP request."""
        url = self.url.replace("ws", "http", 1) + path
        with urllib.request.urlopen(url, timeout=WAIT_S, context=self.tls) as answer:  # noqa: S310
            return str(answer.read().decode())

    def metrics(self) -> dict[str, float]:
        """Every sample of /metrics, under its name, or `name{value of the label}`."""
        text = self.get("/metrics")
        return {
            f"{sample.name}{{{','.join(sample.labels.values())}}}"
            if sample.labels
            else sample.name: sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    async def wait_until(self, condition: Callable[[dict[str, float]], bool]) -> dict[str, float]:
        """Ask for the metrics until they meet the condition."""
        async with asyncio.timeout(WAIT_S):
            while not condition(metrics := await asyncio.to_thread(self.metrics)):
                await asyncio.sleep(0.02)
        return metrics


def start_process(log: Path, *arguments: str) -> subprocess.Popen[str]:
    with log.open("w") as stderr:
        return subprocess.Popen(
            [sys.executable, "-m", "asr_server", *arguments],
            cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=stderr, text=True,
        )  # fmt: skip


@contextlib.contextmanager
def running_server(log: Path, *arguments: str) -> Iterator[RunningServer]:
    with start_process(log, "--port", "0", *arguments) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line, f"the server did not start: {log.read_text()}"
            yield RunningServer(process, json.loads(line)["url"], log)
        finally:
            process.terminate()
            try:
                process.wait(WAIT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                raise


@pytest.fixture
def start_server(tmp_path: Path) -> Callable[..., contextlib.AbstractContextManager[RunningServer]]:
    """Start a server with arguments of one's own."""
    return lambda *arguments: running_server(tmp_path / "server.log", *arguments)


@pytest.fixture
def refused_start(tmp_path: Path) -> Callable[..., str]:
    """Start a server that must not start; gives the one line it says."""

    def run(*arguments: str) -> str:
        with start_process(tmp_path / "server.log", *arguments) as process:
            output, _ = process.communicate(timeout=WAIT_S)
        log = (tmp_path / "server.log").read_text()
        assert process.returncode == 2, log
        assert output == ""
        assert log.count("\n") == 1, log
        return log

    return run


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """One server for all tests that leave it as they found it."""
    log = tmp_path_factory.mktemp("server") / "server.log"
    threads = ("--io-thread-num", "2", "--decoder-thread-num", "4", "--sweep-interval-s", "0.2")
    with running_server(log, *threads, "--max-message-bytes", "1000000") as running:
        yield running


@dataclass(frozen=True)
class Certificate:
    """A self-signed certificate for 127.0.0.1, and what a client needs to trust it."""

    certfile: str
    keyfile: str
    client_context: ssl.SSLContext


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """Made by openssl for this session."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl here to make a certificate with")
    folder = tmp_path_factory.mktemp("certificate")
    certfile, keyfile = str(folder / "server.crt"), str(folder / "server.key")
    make = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    names = ["-addext", "subjectAltName=IP:127.0.0.1", "-out", certfile, "-keyout", keyfile]
    subprocess.run([openssl, *make, *names], check=True, capture_output=True)
    return Certificate(certfile, keyfile, ssl.create_default_context(cafile=certfile))


@pytest.fixture(scope="session")
def clips() -> list[bytes]:
    """PCM of the bundled clips, shortest first."""
    pcm = []
    for path in (REPOSITORY / "soak" / "load" / "clips").glob("*.wav"):
        with wave.open(str(path)) as clip:
            pcm.append(clip.readframes(clip.getnframes()))
    return sorted(pcm, key=len)
