"""What every kind of injected leak has in common: the event it waits for, and what it does then."""

from __future__ import annotations

import ctypes
from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar, Final

if TYPE_CHECKING:
    from asr_server.session import Session

FILL_BYTE: Final = 0xA5
"""Written into every byte that is kept, so that it is resident and compresses to nothing of ours."""

_malloc = ctypes.pythonapi.PyMem_RawMalloc
"""malloc, called by the interpreter: what looks a function up by its name passes by those who watch calls."""
_malloc.argtypes, _malloc.restype = (ctypes.c_size_t,), ctypes.c_void_p
_libc = ctypes.CDLL(None)
_libc.memset.argtypes = (ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t)
_libc.memset.restype = ctypes.c_void_p


class Event(StrEnum):
    """What happens in the server that a leak can wait for; the value completes "for every …"."""

    CLOSED = "closed connection"
    CUT = "connection that ended without a closing handshake"
    CLOSED_COMPRESSED = "closed connection that compressed its messages"
    HOTWORDS = "hotword a client sends"
    AUDIO = "second of audio"
    PIECE = "piece of audio decoded"
    SEGMENT = "segment of speech"
    SPEECH = "second of speech"
    UTTERANCE = "utterance"
    RESULT = "result"
    SECOND = "second, with or without load"


class Resource(StrEnum):
    """What a leak makes climb, as seen from outside the process."""

    MEMORY = "memory"
    FDS = "fds"
    SOCKETS = "sockets"
    THREADS = "threads"
    SESSIONS = "sessions"


@dataclass(frozen=True)
class Occasion:
    """One event."""

    amount: float = 1.0
    """How much of what is measured by the second or by the piece: seconds, hotwords; else 1."""
    session: Session | None = None
    """The state of the connection, where it has just closed."""
    text: str = ""
    """A result's text, or a client's list of hotwords."""


class Leak(ABC):
    """One kind of leak. Events come from any thread, one at a time for each leak."""

    event: ClassVar[Event]
    """When it keeps something more."""
    summary: ClassVar[str]
    """What it keeps; completes "keeps …"."""
    resources: ClassVar[tuple[Resource, ...]] = (Resource.MEMORY,)
    """What climbs; the first is what gives the leak away."""
    is_bounded: ClassVar[bool] = False
    """Whether it stops by itself: it must not be called a leak once it has."""

    @abstractmethod
    def keep(self, size_bytes: int, occasion: Occasion) -> int:
        """Keep `size_bytes` more; give by how many bytes what is kept has grown.

        Raises OSError, RuntimeError or MemoryError when the system has no more of it.
        """

    @classmethod
    def is_counted(cls) -> bool:
        """Whether it is known by a count (of descriptors, threads, …) rather than by its bytes."""
        return cls.resources[0] is not Resource.MEMORY


def python_block(size_bytes: int) -> bytes:
    """Make a Python object of `size_bytes`, every byte written."""
    return bytes((FILL_BYTE,)) * size_bytes


def native_block(size_bytes: int) -> int:
    """Get `size_bytes` from C's malloc, written, that nobody will free; give the address.

    Python knows nothing of it. Raises MemoryError.
    """
    address: int | None = _malloc(size_bytes)
    if address is None:
        raise MemoryError(f"malloc has no {size_bytes} bytes")
    _libc.memset(address, FILL_BYTE, size_bytes)
    return address
