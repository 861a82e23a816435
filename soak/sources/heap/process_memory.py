"""The memory of another process as bytes and words: `/proc/P/mem` and `/proc/P/maps`, read only.

Nothing is attached, called, stopped or loaded: the kernel copies bytes, and the process does not notice. The
right that is needed is the one for `/proc/P/smaps`: the same user with ptrace access, or root.
"""

from __future__ import annotations

import bisect
import os
import re
import struct
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from numpy.typing import NDArray

from soak.sources.heap.layouts import WORD_BYTES

MOST_CPU_S = 3.0
"""What one reading may cost at most."""
READS_BETWEEN_LOOKS = 4_096
"""Reads between two looks at the clock."""
_MAPPING = re.compile(rb"^([0-9a-f]+)-([0-9a-f]+) (\S{4}) [0-9a-f]+ \S+ (\d+) *(.*)$", re.MULTILINE)


class MemoryUnreadableError(Exception):
    """Memory that cannot be read; the message is a reason for people, in one line."""


class TornError(Exception):
    """What was read does not fit together: the process was changing it meanwhile, or it is no such thing."""


@dataclass(frozen=True)
class Mapping:
    """One line of `/proc/P/maps`."""

    start: int
    end: int
    permissions: str
    """Such as `rw-p`."""
    inode: int
    path: str
    """Empty for anonymous memory."""

    @property
    def size_bytes(self) -> int:
        """Its length."""
        return self.end - self.start


class ProcessMemory:
    """Reads one process's memory; use it as a context."""

    def __init__(self, folder: Path) -> None:
        """Open the memory of the process whose `/proc` folder is `folder`.

        Raises `MemoryUnreadableError` when it is gone, or may not be read.
        """
        try:
            self._fd = os.open(folder / "mem", os.O_RDONLY | os.O_CLOEXEC)
        except PermissionError:
            raise MemoryUnreadableError(
                "its memory may not be read: run soak as the same user or as root; in a container add "
                "--cap-add SYS_PTRACE, and where kernel.yama.ptrace_scope is above 0 set it to 0"
            ) from None
        except OSError:
            raise MemoryUnreadableError("the process is gone") from None
        self._reads, self._began_s = 0, time.thread_time()
        try:
            self.mappings = _mappings(folder)
        except MemoryUnreadableError:
            os.close(self._fd)
            raise
        writable = [each for each in self.mappings if each.permissions.startswith("rw")]
        self._starts = [each.start for each in writable]
        self._ends = [each.end for each in writable]

    def are_writable(self, addresses: NDArray[np.uint64], size_bytes: int) -> NDArray[np.bool_]:
        """Tell of many addresses at once what `is_writable` tells of one."""
        places = np.searchsorted(np.array(self._starts, dtype=np.uint64), addresses, side="right") - 1
        ends = np.array(self._ends, dtype=np.uint64)[np.maximum(places, 0)]
        return (places >= 0) & (addresses <= ends - np.uint64(size_bytes))

    def __enter__(self) -> Self:
        """Return self; the memory is closed at the end of the block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        os.close(self._fd)

    def read(self, address: int, size_bytes: int) -> bytes:
        """Return exactly so many bytes.

        Raises `TornError` when they are not all mapped (any more), `MemoryUnreadableError` when this reading
        has taken too long.
        """
        self._reads += 1
        if self._reads % READS_BETWEEN_LOOKS == 0 and time.thread_time() - self._began_s > MOST_CPU_S:
            raise MemoryUnreadableError(
                f"its heap is in so many pieces that a reading takes more than {MOST_CPU_S:g} s"
            )
        try:
            data = os.pread(self._fd, size_bytes, address)
        except (OSError, OverflowError):
            raise TornError(f"nothing can be read at {address:#x}") from None
        if len(data) != size_bytes:
            raise TornError(f"only {len(data)} of {size_bytes} bytes can be read at {address:#x}")
        return data

    def words(self, address: int, count: int) -> tuple[int, ...]:
        """Return `count` words of 8 bytes; raises `TornError` as `read` does."""
        return struct.unpack(f"<{count}Q", self.read(address, count * WORD_BYTES))

    def is_writable(self, address: int, size_bytes: int = 1) -> bool:
        """Tell whether the range lies in one mapping that the process may write to, as `maps` had it."""
        place = self._place(address)
        return place >= 0 and address + size_bytes <= self._ends[place]

    def writable_from(self, address: int) -> int:
        """Return where the writable mapping that holds an address begins; raises `TornError` without one."""
        if not self.is_writable(address):
            raise TornError(f"{address:#x} is not writable any more")
        return self._starts[self._place(address)]

    def _place(self, address: int) -> int:
        return bisect.bisect_right(self._starts, address) - 1


def _mappings(folder: Path) -> tuple[Mapping, ...]:
    try:
        text = (folder / "maps").read_bytes()
    except OSError:
        raise MemoryUnreadableError("the process is gone, or its mappings may not be read") from None
    found = tuple(
        Mapping(int(start, 16), int(end, 16), kind.decode(), int(inode), path.decode(errors="replace"))
        for start, end, kind, inode, path in _MAPPING.findall(text)
    )
    if not found:
        raise MemoryUnreadableError("the process has no memory any more")
    return found
