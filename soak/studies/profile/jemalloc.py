"""jemalloc's heap profiles: how to have a server write them, and how to read them.

A profile samples allocations: each byte with a probability of one in `sample_bytes`, as a Poisson process
(jemalloc's manual, `opt.lg_prof_sample`). A stack's sampled bytes are therefore made up for as jemalloc's own
`jeprof` does: divided by `1 - exp(-mean size / sample_bytes)`.
"""

from __future__ import annotations

import ctypes.util
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from soak.errors import SoakError

if TYPE_CHECKING:
    from pathlib import Path

LG_SAMPLE = 15
"""One sample in 32 KiB: leaks of a few KiB a connection are seen after some tens of connections."""
LG_INTERVAL = 25
"""A profile whenever the server has allocated another 32 MiB."""
DEBIAN_PACKAGE = "libjemalloc2"

_FILE = re.compile(r"\.(?P<pid>\d+)\.(?P<number>\d+)\.(?P<kind>[a-z])\d*\.heap$")
_HEAD = re.compile(r"heap_v2/(\d+)\n")
_STACK = re.compile(r"^@ ([0-9a-fx ]+)\n\s*t\*: (\d+): (\d+) \[", re.MULTILINE)
_MAPPING = re.compile(
    r"^([0-9a-f]+)-([0-9a-f]+) \S{4} ([0-9a-f]+) \S+ \d+ +(/.*)$",
    re.MULTILINE,
)

Addresses = tuple[int, ...]
"""Return addresses of one stack, the innermost first."""


@dataclass(frozen=True)
class LoadedFile:
    """A part of a file that was mapped, as the profile lists it."""

    start: int
    end: int
    offset: int
    path: str


@dataclass(frozen=True)
class HeapProfile:
    """What was in use when one profile was written."""

    bytes_by_stack: dict[Addresses, float]
    """Bytes in use, the sampling made up for."""
    files: tuple[LoadedFile, ...]


def profiling_environment(
    folder: Path, *, lg_sample: int = LG_SAMPLE, lg_interval: int = LG_INTERVAL
) -> dict[str, str]:
    """Return what a server's environment must hold to write its profiles into `folder`.

    One byte in 2 to the power `lg_sample` is sampled; a profile is written for every 2 to the power
    `lg_interval` bytes that are allocated.

    Raises `SoakError` in one line that says what to install where jemalloc is not there.
    """
    library = ctypes.util.find_library("jemalloc")
    if library is None:
        raise SoakError(
            f"profiling a native server needs jemalloc: apt-get install {DEBIAN_PACKAGE} (Debian, Ubuntu)"
        )
    settings = {
        "prof": "true",
        "lg_prof_sample": str(lg_sample),
        "lg_prof_interval": str(lg_interval),
        "prof_final": "true",
        "prof_prefix": str(folder / "heap"),
    }
    return {
        "LD_PRELOAD": library,
        "MALLOC_CONF": ",".join(f"{name}:{value}" for name, value in settings.items()),
    }


def profile_files(folder: Path, pid: int) -> list[Path]:
    """Return the profiles that process `pid` has written, oldest first.

    Programs that the server starts leave some of their own.
    """
    found = []
    for path in folder.glob("*.heap"):
        name = _FILE.search(path.name)
        if name is not None and int(name["pid"]) == pid:
            found.append((int(name["number"]), path))
    return [path for _, path in sorted(found)]


def read_profile(path: Path) -> HeapProfile:
    """Read one profile; raises `SoakError`, in one line, for a file that is none or was cut off."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise SoakError(f"cannot read {path}: {error.strerror}") from None
    head = _HEAD.match(text)
    stacks, separator, mapped = text.partition("MAPPED_LIBRARIES:\n")
    if head is None or not separator:
        raise SoakError(f"{path} is no whole heap profile of jemalloc's: delete it, or profile again")
    sample_bytes = int(head[1])
    found: dict[Addresses, float] = {}
    for addresses, count, size in _STACK.findall(stacks):
        stack = tuple(int(address, 16) for address in addresses.split())
        if int(count):
            found[stack] = found.get(stack, 0.0) + unsampled_bytes(int(count), int(size), sample_bytes)
    files = tuple(
        LoadedFile(int(start, 16), int(end, 16), int(offset, 16), path)
        for start, end, offset, path in _MAPPING.findall(mapped)
    )
    return HeapProfile(found, files)


def unsampled_bytes(count: int, size_bytes: int, sample_bytes: int) -> float:
    """Return how many bytes `count` sampled allocations of `size_bytes` together stand for."""
    mean_bytes = size_bytes / count
    return size_bytes / -math.expm1(-mean_bytes / sample_bytes)
