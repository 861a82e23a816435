"""The command line: help that teaches, verdicts on recorded runs, one line for every mistake."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.conftest import Soak


def _csv(path: Path, bytes_per_second: int) -> Path:
    """An hour at one sample every 5 s: 200 MiB with page-sized noise, and a steady growth."""
    rows = [
        f"{second},{200 * 2**20 + bytes_per_second * second + 4096 * (second * 7919 % 13)}"
        for second in range(0, 3600, 5)
    ]
    path.write_text("\n".join(("t_s,rss_bytes", *rows)) + "\n")
    return path


def test_help_is_the_map_of_the_product(soak: Soak) -> None:
    done = soak("--help")
    assert done.status == 0
    for verb in ("run", "analyze", "report", "model"):
        assert f" {verb} " in done.out
    assert "130 interrupted" in " ".join(done.out.replace("│", " ").split())


def test_a_csv_is_judged_and_the_exit_code_says_how(soak: Soak, tmp_path: Path) -> None:
    flat, leak = _csv(tmp_path / "flat.csv", 0), _csv(tmp_path / "leak.csv", 20_000)
    assert soak("analyze", str(flat)).status == 0
    done = soak("analyze", str(flat), str(leak), "--json")
    assert done.status == 1
    first, second = map(json.loads, done.out.splitlines())
    assert (first["verdict"], first["source"]) == ("plateau", str(flat))
    assert (second["verdict"], second["source"]) == ("climbing", str(leak))
    per_hour = second["growth_bytes_per_hour"]
    assert per_hour["low"] < 20_000 * 3600 < per_hour["high"]


def test_a_budget_given_on_the_command_line_holds(soak: Soak, tmp_path: Path) -> None:
    leak = _csv(tmp_path / "leak.csv", 20_000)
    assert soak("analyze", str(leak), "--max-growth", "1GiB").status == 0


def test_a_mistake_that_the_server_finds_ends_in_one_line(soak: Soak, tmp_path: Path) -> None:
    done = soak("run", "--set", "server.certfile=none.pem")
    assert done.status == 2
    (line,) = done.err.strip().splitlines()
    assert line.startswith("soak: ")
    assert "the server refused to start" in line
    assert not list(tmp_path.glob("reports/*"))


def test_an_occupied_port_is_named(soak: Soak) -> None:
    with socket.socket() as occupied:
        occupied.bind(("127.0.0.1", 0))
        occupied.listen()
        port = occupied.getsockname()[1]
        done = soak("run", "--set", f"server.port={port}")
    assert done.status == 2
    assert str(port) in done.err
    assert "Traceback" not in done.err
