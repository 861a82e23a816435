"""The registry: every kind by the name it has on the command line."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Final

from asr_server.inject import native_memory, python_objects, system_objects

if TYPE_CHECKING:
    from collections.abc import Mapping

    from asr_server.inject.leak import Leak

KINDS: Final[Mapping[str, type[Leak]]] = {
    "session": python_objects.KeptAtClose,
    "state": python_objects.KeptSession,
    "abrupt": python_objects.KeptWhenCut,
    "audio": python_objects.KeptAudio,
    "segment": python_objects.LostSegment,
    "inference": python_objects.KeptPerInference,
    "result": python_objects.KeptResults,
    "hotword": python_objects.HotwordCache,
    "cycle": python_objects.UncollectedCycle,
    "cache": python_objects.BoundedCache,
    "native": native_memory.NativeHandle,
    "native-segment": native_memory.NativePerSegment,
    "compression": native_memory.CompressionContext,
    "timer": native_memory.IdleTimer,
    "shm": native_memory.SharedMemory,
    "fd": system_objects.OpenDescriptor,
    "socket": system_objects.UnclosedSocket,
    "thread": system_objects.WaitingThread,
    "file": system_objects.DeletedFile,
}


def kinds_in_words(columns: int = 79) -> str:
    """Say of each kind when it keeps what, in lines of at most `columns`, a paragraph for each."""
    width = max(map(len, KINDS)) + 4
    return "\n".join(
        textwrap.fill(
            f"for every {leak.event}: {leak.summary}",
            columns,
            initial_indent=f"  {name}".ljust(width),
            subsequent_indent=" " * width,
        )
        for name, leak in KINDS.items()
    )
