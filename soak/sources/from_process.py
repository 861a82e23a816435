"""Memory of the target's process tree, from `/proc`: what is cheap at every sample, the rest now and then."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import psutil

from soak.capabilities import Capability
from soak.columns import Column, Owner, declarations, written_by
from soak.errors import TargetError
from soak.plugins import check_above_zero
from soak.sources.cadence import DEFAULT_SHARE, EverySample, InQuietWindows
from soak.sources.processes import ProcessTree
from soak.sources.source import Gap, Gone, MemorySource, Outcome, Reading, SourceReader, Watched

if TYPE_CHECKING:
    from soak.sources.cadence import Cadence

GONE = Gap("the process is gone", Gone.TARGET)
NOT_ALLOWED = Gap(
    "the mappings of the process may not be read: run soak as the same user, or as root; in a container, "
    "with --cap-add SYS_PTRACE"
)


@dataclass(frozen=True)
class ProcessSource(MemorySource):
    """RSS and its split, threads, descriptors and CPU time of the tree: about 40 µs a process."""

    name: ClassVar[str] = "process"
    needs: ClassVar[frozenset[Capability]] = frozenset({Capability.PROCESS})

    def columns(self) -> tuple[Column, ...]:
        """See `MemorySource`."""
        return _columns(Owner.PROCESS)

    def cadence(self) -> Cadence:
        """See `MemorySource`."""
        return EverySample()

    def cannot_tell(self) -> tuple[str, ...]:
        """See `MemorySource`."""
        return ("RSS does not tell what the program keeps from what its allocator keeps for reuse.",)

    def open(self, target: Watched) -> SourceReader:
        """Raises `TargetError` when the process is gone already."""
        return _TreeReader(_tree_of(target))


class _TreeReader(SourceReader):
    def __init__(self, tree: ProcessTree) -> None:
        self._tree = tree

    def read(self) -> Outcome:
        reading = self._tree.read(time.monotonic())
        if reading is None:
            return GONE
        return Reading(reading.columns())


@dataclass(frozen=True)
class ProcessDetailsSource(MemorySource):
    """Mappings by class, PSS and USS, socket states and cgroup: about 10 ms per GB of RSS.

    While its mappings are read the target cannot map memory.
    """

    at_least_every_s: float = 10.0
    """Shortest time between two readings."""
    share: float = DEFAULT_SHARE
    """Share of the time that they may take."""
    name: ClassVar[str] = "process-details"
    needs: ClassVar[frozenset[Capability]] = frozenset({Capability.PROCESS})

    def __post_init__(self) -> None:
        """Check the options; raises `OptionError`."""
        check_above_zero("at_least_every_s", self.at_least_every_s)
        check_above_zero("share", self.share)

    def columns(self) -> tuple[Column, ...]:
        """See `MemorySource`."""
        return (*_columns(Owner.MAPPINGS), *_columns(Owner.SOCKETS), *_columns(Owner.CGROUP))

    def cadence(self) -> Cadence:
        """See `MemorySource`."""
        return InQuietWindows(self.at_least_every_s, self.share)

    def open(self, target: Watched) -> SourceReader:
        """Raises `TargetError` when the process is gone already."""
        return _DetailsReader(_tree_of(target))


class _DetailsReader(SourceReader):
    def __init__(self, tree: ProcessTree) -> None:
        self._tree = tree

    def read(self) -> Outcome:
        if self._tree.read(time.monotonic()) is None:  # which finds the children, too
            return GONE
        reading = self._tree.read_details()
        if reading is None:
            return NOT_ALLOWED
        return Reading({name: value for name, value in reading.columns().items() if value is not None})


def _columns(owner: Owner) -> tuple[Column, ...]:
    return declarations(*written_by(owner))


def _tree_of(target: Watched) -> ProcessTree:
    if target.pid is None:
        raise TargetError("the server is no process of this host: its memory is to be had elsewhere")
    try:
        return ProcessTree(target.pid)
    except psutil.NoSuchProcess:
        raise TargetError(f"the server's process {target.pid} is gone before the run began") from None
