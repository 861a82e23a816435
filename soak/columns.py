"""The columns of `samples.csv`: each declared once, with owner, unit, label and colour.

Counters are cumulative since the start of the load; latencies belong to the interval that ended with the
sample; an empty cell is a reading that failed or does not apply. `character_errors` of the
`transcripts_checked` divided by `reference_characters` is their character error rate; the difference of two
rows gives that of the time between them (see `soak.load.character_errors` for what is counted). What comes
from the mappings, socket states, cgroup and heap is read now and then (see `soak.sources`).

The order is that of the file: what is new comes last. A memory source of somebody else's may add foreign
columns to a run; they stand after these, and are described in the manifest (`Column.to_json_object`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

_NAME = re.compile(r"[a-z][a-z0-9_]*")


class Unit(StrEnum):
    """What a column's numbers are."""

    BYTES = "bytes"
    COUNT = "count"
    SECONDS = "s"
    MILLISECONDS = "ms"
    TEXT = "text"


class Owner(StrEnum):
    """Who writes a column of ours."""

    HARNESS = "harness"
    """soak itself: its clock, and what measuring costs."""
    DRIVER = "driver"
    """The load (`soak.load`)."""
    PROCESS = "process"
    """`/proc/P/status`, `fd` and `stat` of the tree (`soak.sources.processes`), at every sample."""
    MAPPINGS = "mappings"
    """`/proc/P/smaps` of the tree (`soak.sources.smaps`), now and then."""
    SOCKETS = "sockets"
    """`/proc/P/net/tcp` of the tree (`soak.sources.descriptors`), now and then."""
    CGROUP = "cgroup"
    """The server's memory cgroup (`soak.sources.cgroup`), now and then."""
    SERVER = "server"
    """The server's own `/metrics` (`soak.sources.scrape`)."""
    HEAP = "heap"
    """glibc's books on its heap, read from outside, now and then."""


@dataclass(frozen=True)
class Column:
    """One column of `samples.csv`. Raises ValueError for a name that could not stand in a CSV's header."""

    name: str
    """As in the header: lower case, its unit at the end where it has one."""
    owner: str
    """Which source writes it: an `Owner`, or the name of somebody else's memory source."""
    unit: Unit
    label: str
    """For people, as in the middle of a sentence."""
    judged: bool = False
    """Whether the judge, the attribution, the advice or the terminal reads it: needed of a file that is only
    judged."""
    drawn: str | None = None
    """Its colour where it is drawn: a key of `soak.report.palette`."""

    def __post_init__(self) -> None:
        """Check the name."""
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"{self.name!r} is no column: lower-case letters, digits and _ are")

    @property
    def title(self) -> str:
        """The label as at the start of a sentence."""
        return self.label[:1].upper() + self.label[1:]

    def to_json_object(self) -> dict[str, Any]:
        """Return what the manifest says of a column that is not one of `COLUMNS`."""
        return {"name": self.name, "owner": str(self.owner), "unit": str(self.unit), "label": self.label}

    @classmethod
    def from_json_object(cls, recorded: dict[str, Any]) -> Self:
        """Return the column a manifest describes; raises ValueError or KeyError for something else."""
        return cls(
            str(recorded["name"]), str(recorded["owner"]), Unit(recorded["unit"]), str(recorded["label"])
        )


DECLARED = (
    Column("t_s", Owner.HARNESS, Unit.SECONDS, "time since the start", judged=True),
    Column("rss_bytes", Owner.PROCESS, Unit.BYTES, "RSS", judged=True, drawn="rss"),
    Column(
        "connections_completed",
        Owner.DRIVER,
        Unit.COUNT,
        "connections completed",
        judged=True,
        drawn="completed",
    ),
    Column("open_connections", Owner.DRIVER, Unit.COUNT, "open connections", judged=True, drawn="open"),
    Column("phase", Owner.DRIVER, Unit.TEXT, "phase", judged=True),
    Column("block", Owner.DRIVER, Unit.COUNT, "block"),
    Column("rss_anon_bytes", Owner.PROCESS, Unit.BYTES, "anonymous", drawn="anon"),
    Column("rss_file_bytes", Owner.PROCESS, Unit.BYTES, "file-backed", drawn="file"),
    Column("rss_shmem_bytes", Owner.PROCESS, Unit.BYTES, "shared", drawn="shmem"),
    Column("swap_bytes", Owner.PROCESS, Unit.BYTES, "swap", judged=True, drawn="swap"),
    Column("pss_bytes", Owner.MAPPINGS, Unit.BYTES, "PSS"),
    Column("uss_bytes", Owner.MAPPINGS, Unit.BYTES, "USS"),
    Column("map_rss_bytes", Owner.MAPPINGS, Unit.BYTES, "all mappings"),
    Column("map_kernel_rss_bytes", Owner.MAPPINGS, Unit.BYTES, "RSS beside the mappings", judged=True),
    Column("map_heap_bytes", Owner.MAPPINGS, Unit.BYTES, "main heap", judged=True, drawn="class_heap"),
    Column("map_arenas_bytes", Owner.MAPPINGS, Unit.BYTES, "glibc arenas", judged=True, drawn="class_arenas"),
    Column("map_stacks_bytes", Owner.MAPPINGS, Unit.BYTES, "stacks", judged=True, drawn="class_stacks"),
    Column(
        "map_anonymous_bytes",
        Owner.MAPPINGS,
        Unit.BYTES,
        "large anonymous blocks",
        judged=True,
        drawn="class_anonymous",
    ),
    Column(
        "map_libraries_bytes",
        Owner.MAPPINGS,
        Unit.BYTES,
        "programs and libraries",
        judged=True,
        drawn="class_libraries",
    ),
    Column("map_files_bytes", Owner.MAPPINGS, Unit.BYTES, "mapped files", judged=True, drawn="class_files"),
    Column(
        "map_shared_bytes", Owner.MAPPINGS, Unit.BYTES, "shared memory", judged=True, drawn="class_shared"
    ),
    Column(
        "map_deleted_bytes", Owner.MAPPINGS, Unit.BYTES, "deleted files", judged=True, drawn="class_deleted"
    ),
    Column("map_other_bytes", Owner.MAPPINGS, Unit.BYTES, "other", judged=True, drawn="class_other"),
    Column("map_arenas", Owner.MAPPINGS, Unit.COUNT, "glibc arenas", judged=True),
    Column("map_stacks", Owner.MAPPINGS, Unit.COUNT, "thread stacks", judged=True),
    Column("lazy_free_bytes", Owner.MAPPINGS, Unit.BYTES, "lazily freed pages", judged=True),
    Column("anon_huge_bytes", Owner.MAPPINGS, Unit.BYTES, "in huge pages", judged=True),
    Column("cgroup_current_bytes", Owner.CGROUP, Unit.BYTES, "cgroup, charged"),
    Column("cgroup_anon_bytes", Owner.CGROUP, Unit.BYTES, "cgroup, anonymous"),
    Column("cgroup_file_bytes", Owner.CGROUP, Unit.BYTES, "cgroup, page cache"),
    Column("cgroup_inactive_file_bytes", Owner.CGROUP, Unit.BYTES, "cgroup, inactive page cache"),
    Column("cgroup_swap_bytes", Owner.CGROUP, Unit.BYTES, "cgroup, swap"),
    Column("cgroup_oom_kills", Owner.CGROUP, Unit.COUNT, "cgroup, OOM kills"),
    Column("threads", Owner.PROCESS, Unit.COUNT, "threads", judged=True, drawn="resource"),
    Column("fds", Owner.PROCESS, Unit.COUNT, "file descriptors", judged=True, drawn="resource"),
    Column("fd_files", Owner.PROCESS, Unit.COUNT, "descriptors of files"),
    Column("fd_deleted", Owner.PROCESS, Unit.COUNT, "descriptors of deleted files", judged=True),
    Column("fd_pipes", Owner.PROCESS, Unit.COUNT, "pipes"),
    Column("fd_other", Owner.PROCESS, Unit.COUNT, "other descriptors"),
    Column("sockets", Owner.PROCESS, Unit.COUNT, "sockets", judged=True, drawn="resource"),
    Column("sockets_established", Owner.SOCKETS, Unit.COUNT, "sockets established", judged=True),
    Column("sockets_close_wait", Owner.SOCKETS, Unit.COUNT, "sockets the peer has closed", judged=True),
    Column("sockets_listen", Owner.SOCKETS, Unit.COUNT, "sockets listening"),
    Column("sockets_other", Owner.SOCKETS, Unit.COUNT, "sockets in other states"),
    Column("processes", Owner.PROCESS, Unit.COUNT, "processes", drawn="resource"),
    Column("cpu_s", Owner.PROCESS, Unit.SECONDS, "CPU time", judged=True),
    Column("connections_opened", Owner.DRIVER, Unit.COUNT, "connections opened"),
    Column("connections_failed", Owner.DRIVER, Unit.COUNT, "failed connections", judged=True, drawn="failed"),
    Column("audio_s", Owner.DRIVER, Unit.SECONDS, "audio sent", judged=True),
    Column("first_partial_p50_ms", Owner.DRIVER, Unit.MILLISECONDS, "first partial, p50", drawn="p50"),
    Column("first_partial_p95_ms", Owner.DRIVER, Unit.MILLISECONDS, "first partial, p95", drawn="open"),
    Column("first_partial_p99_ms", Owner.DRIVER, Unit.MILLISECONDS, "first partial, p99"),
    Column("final_p50_ms", Owner.DRIVER, Unit.MILLISECONDS, "final, p50", drawn="p95"),
    Column("final_p95_ms", Owner.DRIVER, Unit.MILLISECONDS, "final, p95", drawn="trend"),
    Column("final_p99_ms", Owner.DRIVER, Unit.MILLISECONDS, "final, p99"),
    Column("arrivals_delayed", Owner.DRIVER, Unit.COUNT, "arrivals delayed"),
    Column("transcripts_changed", Owner.DRIVER, Unit.COUNT, "transcripts changed", judged=True),
    Column("transcripts_checked", Owner.DRIVER, Unit.COUNT, "transcripts checked", judged=True),
    Column("character_errors", Owner.DRIVER, Unit.COUNT, "character errors", judged=True),
    Column("reference_characters", Owner.DRIVER, Unit.COUNT, "reference characters", judged=True),
    Column("server_open_connections", Owner.SERVER, Unit.COUNT, "connections open in the server"),
    Column("server_sessions_alive", Owner.SERVER, Unit.COUNT, "live sessions", judged=True, drawn="resource"),
    Column(
        "server_decode_queue_tasks",
        Owner.SERVER,
        Unit.COUNT,
        "tasks waiting to be decoded",
        judged=True,
        drawn="resource",
    ),
    Column("server_audio_s", Owner.SERVER, Unit.SECONDS, "audio received by the server"),
    Column("server_decode_s", Owner.SERVER, Unit.SECONDS, "time decoding"),
    Column("server_heap_in_use_bytes", Owner.SERVER, Unit.BYTES, "heap in use", judged=True, drawn="in_use"),
    Column(
        "server_heap_free_bytes",
        Owner.SERVER,
        Unit.BYTES,
        "heap free, kept",
        judged=True,
        drawn="free",
    ),
    Column("server_arenas", Owner.SERVER, Unit.COUNT, "ONNX Runtime's arenas", judged=True),
    Column(
        "server_arena_held_bytes",
        Owner.SERVER,
        Unit.BYTES,
        "held by ONNX Runtime's arenas",
        judged=True,
        drawn="class_anonymous",
    ),
    Column("server_gc_objects", Owner.SERVER, Unit.COUNT, "Python objects tracked", drawn="resource"),
    Column("server_python_blocks", Owner.SERVER, Unit.COUNT, "blocks of Python's allocator"),
    Column("server_connections_total", Owner.SERVER, Unit.COUNT, "connections the server accepted"),
    Column("server_injected_bytes", Owner.SERVER, Unit.BYTES, "leaked on purpose"),
    Column("server_injected_events", Owner.SERVER, Unit.COUNT, "leaks on purpose"),
    Column("harness_rss_bytes", Owner.HARNESS, Unit.BYTES, "the harness's own RSS"),
    Column("harness_cpu_s", Owner.HARNESS, Unit.SECONDS, "the harness's own CPU time"),
    Column("late_s", Owner.HARNESS, Unit.SECONDS, "lateness of the sample"),
    Column("heap_in_use_bytes", Owner.HEAP, Unit.BYTES, "heap in use", judged=True, drawn="in_use"),
    Column("heap_free_bytes", Owner.HEAP, Unit.BYTES, "heap kept for reuse", judged=True, drawn="free"),
    Column("heap_cached_bytes", Owner.HEAP, Unit.BYTES, "of that in threads' caches"),
    Column("heap_system_bytes", Owner.HEAP, Unit.BYTES, "heap taken from the kernel"),
    Column("heap_mmapped_bytes", Owner.HEAP, Unit.BYTES, "heap in blocks mapped singly"),
    Column("heap_arenas", Owner.HEAP, Unit.COUNT, "malloc's arenas"),
    Column("heap_read_s", Owner.HEAP, Unit.SECONDS, "CPU time that reading the heap took"),
    Column("python_in_use_bytes", Owner.HEAP, Unit.BYTES, "small Python objects in use", judged=True),
)
"""Every column of ours, in the order of the file."""

COLUMNS = tuple(each.name for each in DECLARED)
"""The header of `samples.csv`."""
TEXT_COLUMNS = tuple(each.name for each in DECLARED if each.unit is Unit.TEXT)
"""All others are numbers."""
JUDGED_COLUMNS = tuple(each.name for each in DECLARED if each.judged)
"""What is read of a file that is only judged."""

_BY_NAME = {each.name: each for each in DECLARED}


def declared(name: str) -> Column:
    """Return the declaration of one of `COLUMNS`; raises KeyError for any other name."""
    return _BY_NAME[name]


def declarations(*names: str) -> tuple[Column, ...]:
    """Return the declarations of several of `COLUMNS`, in the order asked for."""
    return tuple(map(declared, names))


def written_by(owner: str) -> tuple[str, ...]:
    """Return the names of the columns that `owner` writes."""
    return tuple(each.name for each in DECLARED if each.owner == owner)


def refuse_clashes(foreign: tuple[Column, ...]) -> None:
    """Raise ValueError, in one line, where a foreign column has the name of one of ours, or of another."""
    seen = dict(_BY_NAME)
    for each in foreign:
        if each.name in seen:
            raise ValueError(
                f"column {each.name} of the memory source {each.owner} "
                f"is written by {seen[each.name].owner} already"
            )
        seen[each.name] = each
