"""Probing real processes: the bundled server by its pages, and servers that do not survive it."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from rich.console import Console

from asr_server.paraformer.catalog import resolve_model
from soak.config import SoakConfig, load_config, with_url
from soak.errors import SoakError
from soak.record import RunDirectory
from soak.run import probes as run_probes
from soak.run.probes import Probes
from soak.run.view import view_for
from soak.sources import scrape
from soak.targets import AttachedServer, BundledServer
from soak.targets.flags import server_flags

FRAGILE = """
import http.server, os, sys, time
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/debug/trim":
            os.abort() if sys.argv[1] == "dies" else time.sleep(600)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"{}")
    def log_message(self, *words): pass
server = http.server.HTTPServer(("127.0.0.1", 0), Page)
print(server.server_port, flush=True)
server.serve_forever()
"""


def events(directory: RunDirectory) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (directory.path / "events.jsonl").read_text().splitlines()]


def probes(config: SoakConfig, directory: RunDirectory, target: Any) -> Probes:
    view = view_for(Console(stderr=True), "test")
    return Probes(config, directory, target, view)


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[RunDirectory]:
    with RunDirectory.create(tmp_path, "probed") as made:
        yield made


@pytest.fixture
def bystander() -> Iterator[psutil.Process]:
    """A process that serves nothing."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield psutil.Process(process.pid)
        process.communicate(b"\n")


def test_the_bundled_server_is_asked_step_by_step(directory: RunDirectory, tmp_path: Path) -> None:
    config = load_config("minimal", ["server.cpu_arena=true"])
    server = BundledServer.start(
        server_flags(config.server, resolve_model("tiny")),
        log=tmp_path / "server.log",
        model={},
        environment=os.environ,
    )
    try:

        async def probe() -> None:
            own = probes(config, directory, server)
            await own.before_the_load()
            await own.after_the_load()

        asyncio.run(probe())
        assert server.poll() is None
    finally:
        server.stop()
    recorded = events(directory)
    counted = [event for event in recorded if event["event"] == "python_objects"]
    assert [event["when"] for event in counted] == ["start", "end"]
    assert counted[0]["types"]["str"]["count"] > 1000
    steps = [event for event in recorded if event["event"] == "probe"]
    assert [event["probe"] for event in steps] == ["gc", "arena_shrink", "trim"]
    assert steps[1]["detail"]["shrunk"]
    assert [each["graph"] for each in steps[1]["detail"]["arenas"]] == [
        "offline/model_quant",
        "online/decoder_quant",
        "online/model_quant",
        "vad/model_quant",
    ]
    assert all(event["before"]["classes"]["map_heap_bytes"] > 0 for event in steps)


@pytest.fixture(params=["dies", "hangs"])
def fragile(request: pytest.FixtureRequest) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A server that does not survive being asked to trim, and its WebSocket address."""
    with subprocess.Popen(
        [sys.executable, "-c", FRAGILE, str(request.param)], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        yield f"ws://127.0.0.1:{int(process.stdout.readline())}", process
        process.kill()


def test_a_server_that_a_probe_ends_is_said_to_be_lost(
    directory: RunDirectory,
    fragile: tuple[str, subprocess.Popen[bytes]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(scrape, "TIMEOUT_S", 0.5)
    monkeypatch.setattr(scrape, "INTROSPECTION_TIMEOUT_S", 0.5)
    monkeypatch.setattr(run_probes, "ANSWERS_WITHIN_S", 1.0)
    url, process = fragile
    config = with_url(load_config("attached", ["sample.probe=server"]), url)
    target = AttachedServer(url, process.pid)
    lost = asyncio.run(probes(config, directory, target).after_the_load())
    assert lost is not None
    recorded = events(directory)
    assert [event["probe"] for event in recorded if event["event"] == "probe"] == ["gc", "arena_shrink"]
    assert recorded[-1]["event"] == "server_exited"
    assert "right after the probe trim" in recorded[-1]["how"]


def test_somebody_elses_server_is_left_alone_unless_asked(
    directory: RunDirectory, bystander: psutil.Process
) -> None:
    target = AttachedServer("ws://127.0.0.1:1", bystander.pid)
    before = len(events(directory))
    asyncio.run(probes(load_config("attached"), directory, target).after_the_load())
    assert len(events(directory)) == before


def test_probing_by_gdb_is_refused_with_what_to_use_instead() -> None:
    with pytest.raises(SoakError, match=r"gdb was removed, because .* could end it: take none"):
        load_config("attached", ["sample.probe=gdb"])
