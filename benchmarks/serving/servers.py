"""Starts servers on one core and reads the CPU time they take."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psutil

from asr_server.paraformer.catalog import OFFLINE, ONLINE
from benchmarks.serving.script import ContenderError
from soak.targets import BundledServer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

START_S = 120.0


@dataclass(frozen=True)
class Server:
    """A server that listens."""

    url: str
    process: psutil.Process

    def cpu_s(self) -> float:
        """CPU time it has taken so far."""
        times = self.process.cpu_times()
        return float(times.user + times.system)


@contextlib.contextmanager
def on_core(core: int) -> Iterator[None]:
    """What is started here runs on this core alone."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextlib.contextmanager
def this_server(model: Path, core: int, log: Path, *, more_flags: Sequence[str] = ()) -> Iterator[Server]:
    """Start the server of this repository with a model folder that holds `online/` and `offline/`."""
    flags = ["--port", "0", "--online-model-dir", str(model / ONLINE), "--model-dir", str(model / OFFLINE)]
    flags += ["--io-thread-num", "1", "--decoder-thread-num", "1", "--model-thread-num", "1"]
    flags += more_flags
    with on_core(core):
        server = BundledServer.start(flags, log=log, model={}, environment=os.environ)
    try:
        yield Server(server.url, psutil.Process(server.pid))
    finally:
        server.stop()


@contextlib.contextmanager
def sherpa_server(program: Path, model: Path, core: int, log: Path) -> Iterator[Server]:
    """Start sherpa-onnx's online WebSocket server with a folder that `sherpa_model.export` made."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [
        str(program),
        f"--port={port}",
        f"--tokens={model / 'tokens.txt'}",
        f"--paraformer-encoder={model / 'encoder.onnx'}",
        f"--paraformer-decoder={model / 'decoder.onnx'}",
        f"--log-file={log.with_suffix('.sherpa')}",
        "--num-io-threads=1",
        "--num-work-threads=1",
        "--num-threads=1",
        "--high-freq=0",  # up to the Nyquist frequency, as these models are trained
        "--enable-endpoint=false",  # the streams are one sentence
    ]
    with on_core(core), log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        _await_port(process, port, log)
        yield Server(f"ws://127.0.0.1:{port}", psutil.Process(process.pid))
    finally:
        process.terminate()
        process.wait()


def _await_port(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """Wait until something listens; the server says nothing of its own accord when it does."""
    until_s = time.monotonic() + START_S
    while time.monotonic() < until_s and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1.0):
            return
        time.sleep(0.1)
    last = log.read_text(errors="replace").strip().splitlines()[-1:]
    raise ContenderError(f"sherpa-onnx did not start: {' '.join(last) or 'it said nothing'}")
