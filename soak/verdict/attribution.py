"""Where growth sits: by class of mapping, inside the server, and by what falls back when it is probed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from soak.columns import declared

SMALLEST_TOLD_BYTES = 64 * 1024
SMALLEST_TOLD_SHARE = 0.01
"""What grew by less than these bytes, or by less than this share of all growth, is not told."""


class MemoryClass(StrEnum):
    """Classes of mappings in `/proc/P/smaps`, by what is usually in them; the value is for people."""

    HEAP = "main heap"
    ARENAS = "glibc arenas"
    STACKS = "stacks"
    ANONYMOUS = "large anonymous blocks"
    LIBRARIES = "programs and libraries"
    FILES = "mapped files"
    SHARED = "shared memory"
    DELETED = "deleted files"
    OTHER = "other"


CLASS_COLUMNS = {each: declared(f"map_{each.name.lower()}_bytes").name for each in MemoryClass}
"""The columns of `samples.csv` with the resident bytes of each class."""


class Culprit(StrEnum):
    """What growth is made of, as far as can be told; the value is for people."""

    PYTHON = "Python objects"
    NATIVE = "native memory"
    HEAP = "malloc's heap"
    RETAINED = "memory that the allocator keeps"
    ANONYMOUS = "anonymous blocks outside malloc's heap"
    TENSORS = "ONNX Runtime's arenas"
    STACKS = "thread stacks"
    SHARED = "shared memory"
    DELETED = "deleted files"
    FILES = "mapped files"
    SESSIONS = "sessions"
    SOCKETS = "sockets"
    DESCRIPTORS = "file descriptors"
    THREADS = "threads"


@dataclass(frozen=True)
class ClassGrowth:
    """One class at the start and at the end of the time that is attributed, in resident bytes."""

    memory_class: MemoryClass
    start_bytes: float
    end_bytes: float
    start_count: int | None = None
    """Mappings of it (glibc arenas, thread stacks), where they are counted."""
    end_count: int | None = None

    @property
    def growth_bytes(self) -> float:
        """How much it grew; negative where it shrank."""
        return self.end_bytes - self.start_bytes


@dataclass(frozen=True)
class ObjectGrowth:
    """Python objects of one type, as counted at the start and at the end."""

    type_name: str
    growth_count: int
    growth_bytes: float


@dataclass(frozen=True)
class ArenaHold:
    """What the arena of one of ONNX Runtime's sessions held; in bytes that malloc counts as in use."""

    graph: str
    loaded_bytes: float
    """When the graph had been loaded: its weights, and the region that an arena begins with."""
    held_bytes: float
    """After the load, in use or free."""
    shrunk_bytes: float
    """After it was asked to shrink: at most so much is in use."""


@dataclass(frozen=True)
class InsideGrowth:
    """What the server says of its own memory over the same time; None for what it does not say."""

    heap_in_use_bytes: float | None = None
    """Growth of what malloc has handed out."""
    heap_free_bytes: float | None = None
    """Growth of what malloc keeps although it is free."""
    arenas: int | None = None
    """Sessions of ONNX Runtime that have an arena; 0 where all their tensors are malloc's."""
    arena_bytes: float | None = None
    """Growth of what these arenas hold. malloc counts it as handed out."""
    arena_end_bytes: float | None = None
    """What they hold at the end."""
    python_bytes: float | None = None
    """Growth of all Python objects that can be counted."""
    python_types: tuple[ObjectGrowth, ...] = ()
    """The types that grew most, most first."""


@dataclass(frozen=True)
class ProbeResult:
    """What one probe at the end of the run gave back."""

    probe: str
    """`gc`, `arena_shrink` or `trim`."""
    returned_bytes: float
    """By how much RSS fell; negative where it rose."""
    by: str
    """`server` (its own page); older recordings may have `gdb`, which is no more."""


@dataclass(frozen=True)
class Attribution:
    """What the growth between two readings is made of."""

    from_s: float
    to_s: float
    start_rss_bytes: float
    """The kernel's RSS at the first reading (`/proc/P/status`)."""
    end_rss_bytes: float
    """The same at the last reading, in a quiet window where there was one."""
    classes: tuple[ClassGrowth, ...]
    """In the order of `MemoryClass`; classes that were empty all the time are left out."""
    inside: InsideGrowth | None
    probes: tuple[ProbeResult, ...]
    arena_holds: tuple[ArenaHold, ...]
    """By graph, from the probe that shrinks ONNX Runtime's arenas; empty where there are none."""
    established_at_rest: int | None
    """TCP sockets still established at the last quiet reading, when the driver had none open."""
    close_wait_at_rest: int | None
    """TCP sockets whose client has closed and that the server has not, at the same reading."""
    culprits: tuple[Culprit, ...]
    """What grows, as far as it can be told, most telling first; empty unless something climbs."""
    accounted_share: float | None
    """Share of RSS growth that the named classes (all but OTHER) explain; None where RSS hardly grew."""
    sum_over_rss: float
    """Sum of all classes at the end over the kernel's RSS: 1 when nothing was overlooked."""
    kept_by_allocator: bool | None = None
    """Whether what RSS gained in the judged part is free memory that the allocator keeps; None where too
    little was read to tell."""
    lazy_free_bytes: float | None = None
    """Growth of pages that were freed by MADV_FREE: resident until the kernel needs them. None: not read."""
    huge_bytes: float | None = None
    """Growth of anonymous memory in transparent huge pages, which are resident also where nobody wrote."""
    swapped_bytes: float | None = None
    """Growth of what was swapped out, which is not in RSS."""

    @property
    def growth_bytes(self) -> float:
        """How much RSS grew between the two readings."""
        return self.end_rss_bytes - self.start_rss_bytes

    @property
    def returned_bytes(self) -> float:
        """What all probes together gave back."""
        return sum(probe.returned_bytes for probe in self.probes)
