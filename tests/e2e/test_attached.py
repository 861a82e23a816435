"""Servers of other people: `--url --pid` leaves them running, `--command` starts and stops them."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import psutil
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.e2e.conftest import Soak

QUICK = [
    *("--set", "load.settle_s=6", "--set", "load.rest_s=0.5", "--set", "load.block_s=1"),
    *("--set", "load.rate_per_s=10", "--set", "sample.interval_s=0.2"),
]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[str, int]]:
    command = [sys.executable, "-m", "asr_server", "--port", "0", "--decoder-thread-num", "1"]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
    with process:
        assert process.stdout is not None
        announced = json.loads(process.stdout.readline())
        yield announced["url"], process.pid
        process.terminate()


def test_it_is_sampled_judged_and_left_running(server: tuple[str, int], soak: Soak, tmp_path: Path) -> None:
    url, pid = server
    done = soak("run", "--url", url, "--pid", str(pid), "--connections", "20", "--json", *QUICK)
    assert done.status in (0, 3), done.err
    assert psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    (path,) = (tmp_path / "reports").iterdir()
    assert path.name.endswith("Z-attached")
    manifest = json.loads((path / "manifest.json").read_text())
    assert "server" not in manifest["configuration"]  # how it was started is not known
    target = manifest["target"]
    assert (target["kind"], target["pid"], target["url"]) == ("attached", pid, url)
    last = (path / "samples.csv").read_text().splitlines()[-1].split(",")
    assert last[2] == "20"
    assert int(last[1]) > 2**25


def test_an_address_nobody_serves_is_a_failed_target(server: tuple[str, int], soak: Soak) -> None:
    _, pid = server
    arguments = ["--url", "ws://127.0.0.1:9", "--pid", str(pid), "--set", "load.ready_timeout_s=1"]
    done = soak("run", *arguments, "--connections", "5")
    assert done.status == 4
    said = " ".join(done.out.split())
    assert said.count("INCONCLUSIVE: No answer from the server") == 1
    assert "Nothing was judged." in said


def test_a_command_is_started_sampled_judged_and_stopped(soak: Soak, tmp_path: Path) -> None:
    command = f"{sys.executable} -m asr_server --port {{port}} --decoder-thread-num 1"
    done = soak("run", "--command", command, "--connections", "20", "--json", *QUICK)
    assert done.status in (0, 3), done.err
    (path,) = (tmp_path / "reports").iterdir()
    assert path.name.endswith("Z-attached")
    manifest = json.loads((path / "manifest.json").read_text())
    assert "server" not in manifest["configuration"]
    target = manifest["target"]
    assert target["kind"] == "command"
    assert target["url"] == f"ws://127.0.0.1:{target['command_line'][4]}"
    assert "may_be_stopped" in target["capabilities"]
    assert not psutil.pid_exists(target["pid"])
    assert "listening" in (path / "server.log").read_text()
    rows = (path / "samples.csv").read_text().splitlines()
    assert rows[-1].split(",")[2] == "20"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--command", "server", "--pid", "1"], "--command starts a server and --pid names one that runs"),
        (["--command", "no-such-server {port}"], "cannot start no-such-server: there is no such program"),
        (["--command", "a 'b"], "No closing quotation"),
        (["--command", "true", "--url", "http://h:1"], "--url http://h:1: write it as ws://127.0.0.1:{port}"),
    ],
)
def test_a_command_that_cannot_be_meant_is_refused_in_one_line(
    soak: Soak, options: list[str], said: str, tmp_path: Path
) -> None:
    done = soak("run", *options)
    assert done.status == 2, done.err
    assert said in done.err
    assert done.err.count("\n") == 1
    assert not list((tmp_path / "reports").glob("*"))
