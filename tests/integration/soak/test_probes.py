"""Probing real processes: the bundled server by its pages, a foreign one by gdb."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from rich.console import Console

from asr_server.paraformer.catalog import resolve_model
from soak.config import SoakConfig, load_config
from soak.errors import SoakError
from soak.record import RunDirectory
from soak.run.probes import Probes, check_probe
from soak.run.view import view_for
from soak.sources import ProcessTree
from soak.targets import AttachedServer, BundledServer
from soak.targets.flags import server_flags

MIB = 2**20
RETAINER = """
import ctypes, sys
libc = ctypes.CDLL(None)
libc.malloc.argtypes, libc.malloc.restype = (ctypes.c_size_t,), ctypes.c_void_p
libc.memset.argtypes = (ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t)
libc.free.argtypes = (ctypes.c_void_p,)
blocks = [libc.malloc(65536) for _ in range(400)]
for block in blocks: libc.memset(block, 1, 65536)
last = libc.malloc(65536)   # above them: what lies below is not given back by itself
for block in blocks: libc.free(block)
print("ready", flush=True)
sys.stdin.read()
"""


def events(directory: RunDirectory) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (directory.path / "events.jsonl").read_text().splitlines()]


def probes(config: SoakConfig, directory: RunDirectory, target: Any) -> Probes:
    view = view_for(Console(stderr=True), "test")
    return Probes(config, directory, target, ProcessTree(target.pid), view)


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[RunDirectory]:
    with RunDirectory.create(tmp_path, "probed") as made:
        yield made


@pytest.fixture
def retainer() -> Iterator[psutil.Process]:
    """A process whose malloc keeps 25 MiB that nobody uses."""
    with subprocess.Popen(
        [sys.executable, "-c", RETAINER], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        yield psutil.Process(process.pid)
        process.communicate()


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


@pytest.mark.skipif(shutil.which("gdb") is None, reason="gdb is not installed")
def test_gdb_trims_a_process_that_knows_nothing_of_it(
    directory: RunDirectory, retainer: psutil.Process
) -> None:
    config = load_config("attached", ["sample.probe=gdb"])
    target = AttachedServer("ws://127.0.0.1:1", retainer.pid)
    asyncio.run(probes(config, directory, target).after_the_load())
    recorded = events(directory)
    if recorded[-1]["event"] == "probe_failed":
        pytest.skip(f"this machine does not let gdb trace: {recorded[-1]['why']}")
    assert recorded[-1]["by"] == "gdb"
    assert recorded[-1]["before"]["rss_bytes"] - recorded[-1]["after"]["rss_bytes"] > 15 * MIB
    assert retainer.is_running()


def test_somebody_elses_server_is_left_alone_unless_asked(
    directory: RunDirectory, retainer: psutil.Process
) -> None:
    target = AttachedServer("ws://127.0.0.1:1", retainer.pid)
    before = len(events(directory))
    asyncio.run(probes(load_config("attached"), directory, target).after_the_load())
    assert len(events(directory)) == before


def test_without_gdb_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    with pytest.raises(SoakError, match="apt-get install gdb"):
        check_probe("gdb")
    check_probe("auto")
