"""A server that is no process of this host, with its memory from a source of another package: a whole run."""

from __future__ import annotations

import os
import sys
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console

from soak.config import load_config
from soak.errors import ExitCode, SoakError, TargetError
from soak.record import read_run
from soak.run.session import run_soak
from soak.targets import CommandServer, ServerExit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from soak.capabilities import Capability
    from soak.config import ServerConfig

SETTINGS = (
    *("load.settle_s=0.2", "load.rest_s=0.5", "load.block_s=1", "load.baseline_s=0.5", "load.rate_per_s=12"),
    *("load.max_open=4", "load.connections=24", "sample.interval_s=0.2"),
    "sample.sources=['notes']",
)
MIB = 2**20
SOURCE = f"""
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from soak.columns import declared
from soak.sources import Every, Gap, Gone, MemorySource, Reading, SourceReader


@dataclass(frozen=True)
class Notes(MemorySource):
    name: ClassVar[str] = "notes"
    ends_after: int = 10_000

    def columns(self):
        return (declared("rss_bytes"),)

    def cadence(self):
        return Every(0.5)

    def open(self, target):
        assert target.pid is None
        return Reader(self.ends_after)


class Reader(SourceReader):
    def __init__(self, ends_after):
        self.left = ends_after

    def read(self):
        self.left -= 1
        if self.left < 0:
            return Gap("nobody writes notes any more", Gone.SOURCE)
        return Reading({{"rss_bytes": 300 * {MIB} + 4096 * (self.left % 3)}})
"""


@dataclass(frozen=True)
class Elsewhere:
    """A target that is only known by its address."""

    url: str
    default_config = "attached"
    is_reference = False
    pid = None
    capabilities: frozenset[Capability] = frozenset()

    def bring_up(self, _server: ServerConfig, _log: Path, _cgroup: Path | None = None) -> Elsewhere:
        return self

    def identity(self) -> dict[str, Any]:
        return {"kind": "elsewhere", "capabilities": [], "pid": None, "url": self.url}

    def poll(self) -> ServerExit | None:
        return None

    def stop(self) -> None:
        pass


@pytest.fixture
def target(tmp_path: Path) -> Iterator[Elsewhere]:
    """A real server, of which only the address is used."""
    words = [sys.executable, "-m", "asr_server", "--port", "{port}", "--sweep-interval-s", "0"]
    url = "ws://127.0.0.1:{port}"
    server = CommandServer.start(words, url, log=tmp_path / "log", environment=os.environ)
    yield Elsewhere(server.url)
    server.stop()


@pytest.fixture(autouse=True)
def notes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The source, as an installer leaves it."""
    information = tmp_path / "site" / "notes-1.dist-info"
    information.mkdir(parents=True)
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: notes\nVersion: 1\n")
    (information / "entry_points.txt").write_text("[soak.sources]\nnotes = notes_source:Notes\n")
    (tmp_path / "site" / "notes_source.py").write_text(textwrap.dedent(SOURCE))
    monkeypatch.syspath_prepend(tmp_path / "site")


def test_its_memory_is_judged_by_what_the_source_says(target: Elsewhere, tmp_path: Path) -> None:
    console = Console(stderr=True)
    result = run_soak(load_config("attached", SETTINGS), target, tmp_path / "reports", console)
    assert result.exit_code in (ExitCode.PLATEAU, ExitCode.INCONCLUSIVE)
    assert result.judgement.verdict.memory.restarts == 0
    run = read_run(result.run.path)
    known = run.samples["rss_bytes"].dropna()
    assert known.between(300 * MIB, 301 * MIB).all()
    assert len(known) >= 5
    assert len(known) < len(run.samples)  # it is read at an interval of its own
    assert known.index[0] == 0
    assert run.samples["connections_completed"].iloc[-1] == 24
    assert run.samples["threads"].isna().all()
    assert run.manifest.target.abilities == frozenset()
    assert (run.path / "report.html").is_file()


def test_a_source_that_goes_away_ends_the_run_and_keeps_the_record(target: Elsewhere, tmp_path: Path) -> None:
    settings = (*SETTINGS, "sample.source_options={notes={ends_after=4}}", "load.connections=100000")
    with pytest.raises(TargetError, match="by the source notes: nobody writes notes any more"):
        run_soak(load_config("attached", settings), target, tmp_path / "reports", Console(stderr=True))
    (path,) = (tmp_path / "reports").iterdir()
    assert read_run(path).samples["rss_bytes"].notna().sum() == 4


def test_what_cannot_be_read_of_it_is_said_and_leaves_nothing(target: Elsewhere, tmp_path: Path) -> None:
    config = load_config("attached", (*SETTINGS, "sample.sources=['process', 'notes']"))
    with pytest.raises(SoakError, match=r"process cannot be read of this server \(process\)"):
        run_soak(config, target, tmp_path / "reports", Console(stderr=True))
    with pytest.raises(SoakError, match=r"nothing tells the memory of this server"):
        run_soak(load_config("attached", SETTINGS[:-1]), target, tmp_path / "reports", Console(stderr=True))
    assert not list((tmp_path / "reports").iterdir())
