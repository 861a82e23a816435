from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from soak.capabilities import STARTED
from soak.config.schema import ServerConfig
from soak.errors import SoakError
from soak.studies.profile import target as target_module
from soak.studies.profile.target import FOLDER_NAME, Profiled

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from soak.studies.profile.heap_course import HeapCourse
    from soak.studies.profile.windows import RunClock, Window
    from soak.targets import ServerExit, Target

EVENTS = """\
{"t_s": 0.0, "utc": "2026-11-26T20:00:00.000+00:00", "event": "run_started"}
{"t_s": 5.0, "utc": "2026-11-26T20:00:05.000+00:00", "event": "phase", "phase": "rest", "block": 1}
{"t_s": 8.5, "utc": "2026-11-26T20:00:08.500+00:00", "event": "phase", "phase": "load", "block": 2}
{"t_s": 9.0, "utc": "2026-11-26T20:00:09.000+00:00", "event": "pha"""


class Server:
    """A server that is only said to run."""

    url, pid, capabilities = "ws://127.0.0.1:1", 4711, STARTED

    def __init__(self) -> None:
        self.stopped = False

    def identity(self) -> dict[str, Any]:
        return {"kind": "command"}

    def poll(self) -> ServerExit | None:
        return None

    def stop(self) -> None:
        self.stopped = True


@dataclass
class Started:
    """A target that gives that server."""

    server: Server = field(default_factory=Server)
    default_config = "attached"
    is_reference = False

    def bring_up(self, server: ServerConfig, log: Path, cgroup: Path | None = None) -> Server:
        del server, log, cgroup
        return self.server


@dataclass
class Profiler:
    """A profiler that notes what it is asked for."""

    is_there: bool = True
    tidied: threading.Event = field(default_factory=threading.Event)
    ends: list[float] = field(default_factory=list)
    name = "noting"

    def under(self, target: Target, server: ServerConfig, folder: Path) -> tuple[Target, ServerConfig]:
        del folder
        return target, server

    def verify(self, folder: Path, pid: int) -> None:
        del folder, pid
        if not self.is_there:
            raise SoakError("it is not there")

    def tidy(self, folder: Path, pid: int, ends_unix_s: Sequence[float]) -> None:
        assert (folder.name, pid) == (FOLDER_NAME, 4711)
        self.ends = list(ends_unix_s)
        self.tidied.set()

    def read(self, folder: Path, pid: int, windows: Sequence[Window], clock: RunClock) -> HeapCourse:
        raise NotImplementedError


def test_a_profiled_server_is_kept_tidy_from_the_record_and_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(target_module, "TIDY_EVERY_S", 0.01)
    (tmp_path / "events.jsonl").write_text(EVENTS, encoding="utf-8")
    started, profiler = Started(), Profiler()
    server = Profiled(started, profiler).bring_up(ServerConfig(), tmp_path / "server.log")
    assert server.identity() == {"kind": "command", "profiler": "noting"}
    assert profiler.tidied.wait(60)
    server.stop()
    assert profiler.ends == [1795723208.5]
    assert started.server.stopped


def test_a_server_without_its_profiler_is_stopped_at_once(tmp_path: Path) -> None:
    started = Started()
    with pytest.raises(SoakError, match="it is not there"):
        Profiled(started, Profiler(is_there=False)).bring_up(ServerConfig(), tmp_path / "server.log")
    assert started.server.stopped
