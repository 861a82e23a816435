"""The server under test, started under a profiler: the load and the record know nothing of it."""

from __future__ import annotations

import contextlib
import json
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from soak.errors import SoakError
from soak.private_file import explained, make_folder, replace_text
from soak.record.reader import read_events
from soak.sources import ServerPages
from soak.studies.profile.holders import HOLDERS_NAME, Look
from soak.studies.profile.windows import quiet_windows
from soak.targets import Capability

if TYPE_CHECKING:
    from collections.abc import Sequence

    from soak.capabilities import Capabilities
    from soak.config import ServerConfig
    from soak.studies.profile.heap_course import HeapCourse
    from soak.studies.profile.windows import RunClock, Window
    from soak.targets import ServerExit, Target, TargetServer

FOLDER_NAME = "profile"
"""In the run directory: what the profiler has written."""
EVENTS_NAME = "events.jsonl"
TIDY_EVERY_S = 2.0


class Profiler(Protocol):
    """Has a server write down what it allocates, and reads it."""

    @property
    def name(self) -> str:
        """As `--allocator` calls it."""
        ...

    def under(self, target: Target, server: ServerConfig, folder: Path) -> tuple[Target, ServerConfig]:
        """Return target and settings with which the server starts under it; it writes to `folder`.

        Raises `SoakError`, in one line, where that cannot be or something is not installed.
        """
        ...

    def verify(self, folder: Path, pid: int) -> None:
        """Raise `SoakError`, in one line, where process `pid` runs without it after all."""
        ...

    def tidy(self, folder: Path, pid: int, ends_unix_s: Sequence[float]) -> None:
        """Delete what is not needed of quiet windows with these ends."""
        ...

    def read(self, folder: Path, pid: int, windows: Sequence[Window], clock: RunClock) -> HeapCourse:
        """Return the bytes in use over the windows; raises `SoakError` where there is nothing to read."""
        ...


@dataclass(frozen=True)
class Profiled:
    """A target that is brought up under a profiler."""

    target: Target
    profiler: Profiler

    @property
    def default_config(self) -> str:
        """That of the server itself."""
        return self.target.default_config

    @property
    def is_reference(self) -> bool:
        """As the server itself."""
        return self.target.is_reference

    def check(self, server: ServerConfig) -> None:
        """Raise `SoakError` now for what would keep the server from being started so."""
        self.profiler.under(self.target, server, Path())

    def bring_up(self, server: ServerConfig, log: Path, cgroup: Path | None = None) -> TargetServer:
        """Start it; the profiler's files go to a folder beside the log. Raises as the server itself."""
        folder = log.parent / FOLDER_NAME
        with explained(folder):
            make_folder(folder)
        target, settings = self.profiler.under(self.target, server, folder)
        started = target.bring_up(settings, log, cgroup)
        try:
            if started.pid is not None:
                self.profiler.verify(folder, started.pid)
        except BaseException:
            started.stop()
            raise
        return ProfiledServer(started, self.profiler, folder)


class ProfiledServer:
    """A server that runs under a profiler."""

    def __init__(self, server: TargetServer, profiler: Profiler, folder: Path) -> None:
        """Wrap a running server; look at what holds its objects, and from then on keep `folder` tidy."""
        self.url, self.pid = server.url, server.pid
        self.capabilities: Capabilities = server.capabilities
        self._server, self._profiler, self._folder = server, profiler, folder
        self._looks: list[Look] = []
        self._stopping = threading.Event()
        self._look()
        self._tidying = threading.Thread(target=self._keep_tidy, name="profile-tidy", daemon=True)
        self._tidying.start()

    def identity(self) -> dict[str, Any]:
        """Return that of the server itself, and by what it was profiled."""
        return {**self._server.identity(), "profiler": self._profiler.name}

    def poll(self) -> ServerExit | None:
        """Return how it ended, or None while it runs."""
        return self._server.poll()

    def stop(self) -> None:
        """Look once more at what holds its objects, and end it."""
        self._stopping.set()
        self._tidying.join()
        if self._server.poll() is None:
            self._look()
        self._server.stop()
        if len(self._looks) == 2:
            text = json.dumps([each.to_json_object() for each in self._looks])
            replace_text(self._folder / HOLDERS_NAME, text)

    def _look(self) -> None:
        if Capability.DEBUG_PAGES in self.capabilities:
            found = ServerPages(self.url, verify_tls=False).introspect("holders")
            if found is not None:
                with contextlib.suppress(TypeError, KeyError, ValueError):  # it is no such page
                    self._looks.append(Look.of_page(found))

    def _keep_tidy(self) -> None:
        while self.pid is not None and not self._stopping.wait(TIDY_EVERY_S):
            with contextlib.suppress(OSError, SoakError):  # who writes the record tells
                events, _, _ = read_events(self._folder.parent / EVENTS_NAME)
                ends = [window.unix_s for window in quiet_windows(events)]
                self._profiler.tidy(self._folder, self.pid, ends)
