"""A memory cgroup of one's own to run a server in, version 2 or 1, removed when it is over."""

from __future__ import annotations

import contextlib
import os
import re
import time
from typing import TYPE_CHECKING, Self

import psutil

from soak.errors import SoakError
from soak.sources.cgroup import MemoryCgroup, cgroup_of

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

PREFIX = "soak"
REMOVAL_TRIES = 50
REMOVAL_PAUSE_S = 0.1
"""The kernel gives a cgroup free a moment after its last process has ended."""


class OwnCgroup:
    """A cgroup below that of this process; nothing in it may swap, because swapping would hide a limit."""

    def __init__(self, folder: Path) -> None:
        """Wrap a cgroup that has been made; use `create`."""
        self.folder = folder
        self._cgroup = MemoryCgroup(folder)

    @classmethod
    def create(cls, name: str, limit_bytes: int | None, *, parent: MemoryCgroup | None = None) -> Self:
        """Make a cgroup with the limit, below `parent` (that of this process).

        Left-overs of harnesses that were killed are removed first. Raises `SoakError` where none may be made.
        """
        parent = parent or cgroup_of(os.getpid())
        if parent is None:
            raise SoakError("there is no memory cgroup to be seen here: run on a host with cgroups mounted")
        remove_left_overs(parent.folder)
        folder = parent.folder / f"{PREFIX}-{os.getpid()}-{name}"
        try:
            folder.mkdir()
            made = cls(folder)
            made._limit(limit_bytes)
        except OSError as error:
            with contextlib.suppress(OSError):
                folder.rmdir()
            raise SoakError(
                f"no memory cgroup can be made below {parent.folder} ({error.strerror}): run as root, or in "
                "a delegated scope: systemd-run --user --scope -p Delegate=yes soak verify-limit …"
            ) from None
        return made

    def peak_bytes(self) -> int | None:
        """Return the most it was charged with, page cache and kernel memory included."""
        return self._cgroup.peak_bytes()

    def oom_kills(self) -> int:
        """Return how often the kernel killed in it."""
        reading = self._cgroup.read()
        return (reading.cgroup_oom_kills or 0) if reading is not None else 0

    def limit_hits(self) -> int | None:
        """Return how often memory had to be reclaimed because the limit was reached; None if not counted.

        Newer kernels keep version 1's counter at 0, which shows by a peak that is the limit itself.
        """
        if self._cgroup.is_v2:
            found = re.search(r"^max (\d+)$", self._text("memory.events"), re.MULTILINE)
            return int(found[1]) if found else None
        hits, limit, peak = (
            self._text(name).strip()
            for name in ("memory.failcnt", "memory.limit_in_bytes", "memory.max_usage_in_bytes")
        )
        if not hits.isdigit() or (hits == "0" and peak and peak == limit):
            return None
        return int(hits)

    def __enter__(self) -> Self:
        """Return self; the cgroup is removed at the end of the block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove it; its processes have ended."""
        for _ in range(REMOVAL_TRIES):
            with contextlib.suppress(OSError):
                self.folder.rmdir()
                return
            time.sleep(REMOVAL_PAUSE_S)

    def _limit(self, limit_bytes: int | None) -> None:
        if self._cgroup.is_v2:
            (self.folder / "memory.swap.max").write_text("0")
            (self.folder / "memory.max").write_text("max" if limit_bytes is None else str(limit_bytes))
        elif limit_bytes is not None:
            (self.folder / "memory.limit_in_bytes").write_text(str(limit_bytes))
            with contextlib.suppress(FileNotFoundError):  # kernels that do not account for swap
                (self.folder / "memory.memsw.limit_in_bytes").write_text(str(limit_bytes))
        if not MemoryCgroup(self.folder).read():
            raise OSError(0, "the memory controller is not enabled for it")

    def _text(self, name: str) -> str:
        try:
            return (self.folder / name).read_text(encoding="ascii")
        except OSError:
            return ""


def remove_left_overs(parent: Path) -> None:
    """Remove cgroups of harnesses that are no more."""
    for folder in parent.glob(f"{PREFIX}-*-*"):
        owner = folder.name.split("-")[1]
        if owner.isdigit() and not psutil.pid_exists(int(owner)):
            with contextlib.suppress(OSError):
                folder.rmdir()
