"""A server started by a command: found by its port, known behind its shell, stopped with what it started."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import psutil
import pytest

from soak.config import load_config
from soak.errors import SoakError, TargetError
from soak.targets import Command, CommandServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Start = Callable[..., CommandServer]

LISTENER = """
import os, socket, subprocess, sys, time
print("ready to serve", os.environ.get("GREETING", ""), flush=True)
child = subprocess.Popen(["sleep", "600"])
with socket.create_server(("127.0.0.1", int(sys.argv[1]))) as listener:
    print("child", child.pid, flush=True)
    while True: listener.accept()
"""


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a command and stop it in the end; its log is `tmp_path / server.log`."""
    started: list[CommandServer] = []

    def start(
        *words: str, url: str = "ws://127.0.0.1:{port}", settings: tuple[str, ...] = ()
    ) -> CommandServer:
        config = load_config("attached", settings)
        server = Command(words, url).bring_up(config.server, tmp_path / "server.log")
        started.append(server)
        return server

    yield start
    for server in started:
        server.stop()


@pytest.fixture
def script(tmp_path: Path) -> str:
    path = tmp_path / "listener.py"
    path.write_text(LISTENER)
    return str(path)


def test_it_is_there_when_it_listens_and_ends_with_what_it_has_started(
    start: Start, script: str, tmp_path: Path
) -> None:
    server = start(sys.executable, script, "{port}", settings=('server.environment={GREETING="hello"}',))
    port = int(server.url.rpartition(":")[2])
    socket.create_connection(("127.0.0.1", port)).close()
    assert server.poll() is None
    identity = server.identity()
    assert identity["kind"] == "command"
    assert identity["command_line"] == [sys.executable, script, str(port)]
    assert "process" in identity["capabilities"]
    assert psutil.Process(server.pid).cmdline()[1] == script
    tree = [psutil.Process(server.pid), *psutil.Process(server.pid).children()]
    assert len(tree) == 2
    server.stop()
    assert not psutil.wait_procs(tree, timeout=20)[1]
    assert (tmp_path / "server.log").read_text().startswith("ready to serve hello\n")


def test_behind_a_shell_the_program_is_the_server(start: Start, script: str) -> None:
    server = start("sh", "-c", f"{sys.executable} {script} {{port}}; sleep 600")
    program = psutil.Process(server.pid)
    assert script in program.cmdline()
    assert "sh" not in program.name()
    program.kill()
    psutil.wait_procs([program], timeout=20)
    ended = server.poll()  # although the shell goes on
    assert ended is not None
    assert ended.describe() == "its process is gone"


def test_how_it_ends_is_known(start: Start, script: str) -> None:
    server = start(sys.executable, script, "{port}")
    os.kill(server.pid, signal.SIGSEGV)
    while (ended := server.poll()) is None:
        time.sleep(0.01)
    assert ended.describe() == "ended by SIGSEGV"
    assert any(line.startswith("child") for line in ended.log_tail)


def test_the_port_may_be_its_own(start: Start, script: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    server = start(sys.executable, script, str(port), url=f"ws://127.0.0.1:{port}/asr")
    assert server.url == f"ws://127.0.0.1:{port}/asr"


@pytest.mark.parametrize(
    ("words", "url", "said"),
    [
        (
            ("no-such-server",),
            "ws://127.0.0.1:{port}",
            "cannot start no-such-server: there is no such program",
        ),
        (("true",), "http://127.0.0.1:{port}", "--url http://127.0.0.1:.*: write it as ws://"),
    ],
)
def test_what_cannot_be_started_is_said_in_one_line(
    start: Start, words: tuple[str, ...], url: str, said: str
) -> None:
    with pytest.raises(SoakError, match=said):
        start(*words, url=url)


def test_a_command_that_ends_at_once_is_told_with_its_last_words(start: Start) -> None:
    with pytest.raises(TargetError, match=r"ended at once \(status 3\): no licence"):
        start("sh", "-c", "echo no licence >&2; exit 3")


def test_it_dies_with_the_harness(script: str, tmp_path: Path) -> None:
    code = (
        "import os, pathlib, sys\n"
        "from soak.targets import CommandServer\n"
        "log = pathlib.Path(sys.argv[2])\n"
        "words = [sys.executable, sys.argv[1], '{port}']\n"
        "server = CommandServer.start(words, 'ws://127.0.0.1:{port}', log=log, environment=os.environ)\n"
        "print(server.pid, flush=True)\n"
        "input()\n"
    )
    harness = [sys.executable, "-c", code, script, str(tmp_path / "log")]
    with subprocess.Popen(harness, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        server = psutil.Process(int(process.stdout.readline()))
        bystanders = server.children()
        process.kill()
        process.wait()
        assert not psutil.wait_procs([server], timeout=20)[1]
        for each in bystanders:
            each.kill()
