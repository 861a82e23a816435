"""The memory cgroup of a process, version 2 or 1: what a container is charged, and its limit.

RSS leaves out what the kernel also charges: page cache, kernel memory, shared memory somebody else maps.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
UNLIMITED_BYTES = 1 << 60
"""cgroup v1 writes 'no limit' as a number near 2^63."""


@dataclass(frozen=True)
class CgroupReading:
    """What a memory cgroup is charged with; the fields are columns of `samples.csv`, None where not known.

    The working set that Kubernetes acts on is `cgroup_current_bytes` − `cgroup_inactive_file_bytes`.
    """

    cgroup_current_bytes: int | None
    cgroup_anon_bytes: int | None
    cgroup_file_bytes: int | None
    cgroup_inactive_file_bytes: int | None
    cgroup_swap_bytes: int | None
    cgroup_oom_kills: int | None


@dataclass(frozen=True)
class _Names:
    """How the files and keys are called in one version."""

    current: str
    peak: str
    limit: str
    anon: str
    file: str
    inactive_file: str
    events: str


_V2 = _Names("memory.current", "memory.peak", "memory.max", "anon", "file", "inactive_file", "memory.events")
_V1 = _Names(
    "memory.usage_in_bytes",
    "memory.max_usage_in_bytes",
    "memory.limit_in_bytes",
    "total_rss",
    "total_cache",
    "total_inactive_file",
    "memory.oom_control",
)


class MemoryCgroup:
    """One memory cgroup's files."""

    def __init__(self, folder: Path) -> None:
        """Read from `folder`; which version it is shows in the names of its files."""
        self.folder = folder
        self.is_v2 = (folder / _V2.current).is_file()
        self._names = _V2 if self.is_v2 else _V1

    def read(self) -> CgroupReading | None:
        """Read what is charged; None where there is nothing to read (the root of version 2, a container)."""
        current = self._number(self._names.current)
        if current is None:
            return None
        stat = self._table("memory.stat")
        return CgroupReading(
            cgroup_current_bytes=current,
            cgroup_anon_bytes=stat.get(self._names.anon),
            cgroup_file_bytes=stat.get(self._names.file),
            cgroup_inactive_file_bytes=stat.get(self._names.inactive_file),
            cgroup_swap_bytes=self._number("memory.swap.current") if self.is_v2 else stat.get("total_swap"),
            cgroup_oom_kills=self._table(self._names.events).get("oom_kill"),
        )

    def peak_bytes(self) -> int | None:
        """Return the most it was ever charged with (version 2 tells since Linux 5.19)."""
        return self._number(self._names.peak)

    def limit_bytes(self) -> int | None:
        """Return the lowest limit, its own or that of a cgroup it lies in; None without any."""
        limits = [_number(folder / self._names.limit) for folder in (self.folder, *self.folder.parents)]
        return min((limit for limit in limits if limit is not None and limit < UNLIMITED_BYTES), default=None)

    def _number(self, name: str) -> int | None:
        return _number(self.folder / name)

    def _table(self, name: str) -> dict[str, int]:
        """Read lines of a key and a number."""
        rows = [line.split() for line in (_text(self.folder / name) or "").splitlines()]
        return {row[0]: int(row[1]) for row in rows if len(row) == 2 and row[1].isdigit()}


def cgroup_of(pid: int, *, proc: Path = Path("/proc"), root: Path = ROOT) -> MemoryCgroup | None:
    """Find the memory cgroup of process `pid`.

    None where there is none that can be seen: in a container the path that the kernel names may lie outside;
    then the cgroup that is mounted as root stands for it, if it has the files.
    """
    text = _text(proc / str(pid) / "cgroup") or ""
    entries = [line.split(":", 2) for line in text.splitlines() if line.count(":") >= 2]
    v1 = [path for _, controllers, path in entries if "memory" in controllers.split(",")]
    v2 = [path for number, controllers, path in entries if number == "0" and not controllers]
    candidates = [root / "memory" / path.lstrip("/") for path in v1] + [root / "memory"]
    candidates += [root / path.lstrip("/") for path in v2] + [root]
    for folder in candidates:
        found = MemoryCgroup(folder)
        if found.read() is not None:
            return found
    return None


def _number(path: Path) -> int | None:
    text = (_text(path) or "").strip()
    return int(text) if text.isdigit() else None


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        return None
