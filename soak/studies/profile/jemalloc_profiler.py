"""Native servers: jemalloc in place of malloc, which samples allocations with their stacks."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from soak.errors import SoakError
from soak.studies.profile.extra import require_symbols
from soak.studies.profile.heap_course import HeapCourse
from soak.studies.profile.jemalloc import (
    LG_INTERVAL,
    LG_SAMPLE,
    profile_files,
    profiling_environment,
    read_profile,
)
from soak.targets import Attachment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from soak.config import ServerConfig
    from soak.studies.profile.frames import Frame
    from soak.studies.profile.jemalloc import Addresses, HeapProfile
    from soak.studies.profile.windows import RunClock, Window
    from soak.targets import Target

NAMED_STACKS = 1000
"""Stacks that are named, those that changed most: a server has thousands that never change."""


@dataclass(frozen=True)
class JemallocProfiler:
    """Preloads jemalloc with its profiling on."""

    lg_sample: int = LG_SAMPLE
    """One byte in 2 to this power is sampled."""
    lg_interval: int = LG_INTERVAL
    """A profile is written whenever 2 to this power bytes were allocated."""
    name = "jemalloc"

    def under(self, target: Target, server: ServerConfig, folder: Path) -> tuple[Target, ServerConfig]:
        """Return the target and settings with which it starts on jemalloc; profiles go to `folder`.

        Raises `SoakError`, in one line, for a server that cannot be started so, or without jemalloc.
        """
        require_symbols()
        if isinstance(target, Attachment):
            raise SoakError("jemalloc must be there when the server starts: give --command, not its address")
        if server.preload not in {"", "jemalloc"}:
            raise SoakError(
                f"server.preload is {server.preload}, and a profile is taken on jemalloc: leave it out"
            )
        profiling = profiling_environment(
            folder.absolute(), lg_sample=self.lg_sample, lg_interval=self.lg_interval
        )
        return target, replace(server, preload="", environment={**server.environment, **profiling})

    def verify(self, folder: Path, pid: int) -> None:
        """Raise `SoakError` where jemalloc is not in the process."""
        del folder
        try:
            is_there = "/libjemalloc" in Path(f"/proc/{pid}/maps").read_text(
                encoding="utf-8", errors="replace"
            )
        except OSError:
            return  # what is gone, or may not be read, is told by who samples it
        if not is_there:
            raise SoakError(
                f"jemalloc is not in process {pid}: a static program, or one started without LD_PRELOAD by a "
                "script, cannot be profiled so"
            )

    def tidy(self, folder: Path, pid: int, ends_unix_s: Sequence[float]) -> None:
        """Delete the profiles that no quiet window will need; those after the last end may be."""
        written = _stamped(profile_files(folder, pid))
        for path in unneeded(written, ends_unix_s):
            path.unlink(missing_ok=True)

    def read(self, folder: Path, pid: int, windows: Sequence[Window], clock: RunClock) -> HeapCourse:
        """Return what was in use at the profile nearest before the end of every window.

        Raises `SoakError` where the server has left none.
        """
        require_symbols()
        files = nearest_before(_stamped(profile_files(folder, pid)), [each.unix_s for each in windows])
        if not files:
            raise SoakError(
                f"process {pid} has left no heap profile in {folder}: it allocated less than "
                f"{2**self.lg_interval >> 10} KiB before the last quiet window; try --profile-every 1MiB"
            )
        profiles = [read_profile(path) for _, path in files]
        t_s = np.array([clock.seconds_into_the_run(unix_s) for unix_s, _ in files])
        connections = np.array([clock.connections_at(each) for each in t_s])
        by_address = _by_address(profiles)
        total = np.array([sum(each.bytes_by_stack.values()) for each in profiles])
        named, unnamed = _named(_most_changed(by_address), profiles[-1])
        return HeapCourse(t_s, connections, named, total, unnamed)


def nearest_before(
    files: Sequence[tuple[float, Path]], ends_unix_s: Sequence[float]
) -> list[tuple[float, Path]]:
    """Return for every window the newest file at or before its end; one that serves two is returned once.

    `files` are Unix times with paths, oldest first.
    """
    times = [unix_s for unix_s, _ in files]
    places = np.searchsorted(times, ends_unix_s, side="right") - 1
    return [files[place] for place in sorted(set(places.tolist())) if place >= 0]


def unneeded(files: Sequence[tuple[float, Path]], ends_unix_s: Sequence[float]) -> list[Path]:
    """Return the files that are no window's nearest, and older than the last end."""
    if not ends_unix_s:
        return []
    kept = set(nearest_before(files, ends_unix_s))
    return [path for unix_s, path in files if unix_s <= ends_unix_s[-1] and (unix_s, path) not in kept]


def _stamped(paths: Sequence[Path]) -> list[tuple[float, Path]]:
    return [(os.stat(path).st_mtime, path) for path in paths]


def _by_address(profiles: Sequence[HeapProfile]) -> dict[Addresses, NDArray[np.float64]]:
    found: dict[Addresses, NDArray[np.float64]] = {}
    for place, profile in enumerate(profiles):
        for addresses, in_use_bytes in profile.bytes_by_stack.items():
            if addresses not in found:
                found[addresses] = np.zeros(len(profiles))
            found[addresses][place] += in_use_bytes
    return found


def _most_changed(
    found: Mapping[Addresses, NDArray[np.float64]],
) -> list[tuple[Addresses, NDArray[np.float64]]]:
    ordered = sorted(found.items(), key=lambda item: abs(float(item[1][-1] - item[1][0])), reverse=True)
    return ordered[:NAMED_STACKS]


def _named(
    stacks: Sequence[tuple[Addresses, NDArray[np.float64]]], profile: HeapProfile
) -> tuple[dict[tuple[Frame, ...], NDArray[np.float64]], tuple[str, ...]]:
    """Name the stacks; also return the files that have no symbols."""
    from soak.studies.profile.symbols import Symbolizer  # noqa: PLC0415 - an optional extra

    symbolizer = Symbolizer(profile.files)
    named: dict[tuple[Frame, ...], NDArray[np.float64]] = {}
    for addresses, in_use_bytes in stacks:
        stack = symbolizer.stack(addresses)
        named[stack] = named.get(stack, np.zeros(in_use_bytes.size)) + in_use_bytes
    return named, tuple(sorted(symbolizer.unnamed))
