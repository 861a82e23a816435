"""Leaks of what the kernel hands out: descriptors, sockets, threads, files that have no name any more."""

from __future__ import annotations

import os
import socket
import tempfile
import threading
from typing import ClassVar

from asr_server.inject.leak import Event, Leak, Occasion, Resource, native_block, python_block


class OpenDescriptor(Leak):
    """A descriptor per connection that is not closed."""

    event = Event.CLOSED
    summary = "an open descriptor and an object beside it"
    resources: ClassVar = (Resource.FDS, Resource.MEMORY)

    def __init__(self) -> None:
        """Begin with nothing."""
        self._kept: list[tuple[int, bytes]] = []

    def keep(self, size_bytes: int, occasion: Occasion) -> int:  # noqa: ARG002 - the same at every event
        """Open /dev/null once more."""
        self._kept.append((os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC), python_block(size_bytes)))
        return size_bytes


class UnclosedSocket(Leak):
    """A TCP socket per connection that its peer has closed and this side never does (CLOSE_WAIT)."""

    event = Event.CLOSED
    summary = "a socket in CLOSE_WAIT and an object beside it"
    resources: ClassVar = (Resource.SOCKETS, Resource.FDS, Resource.MEMORY)

    def __init__(self) -> None:
        """Begin with nothing."""
        self._kept: list[tuple[int, bytes]] = []

    def keep(self, size_bytes: int, occasion: Occasion) -> int:  # noqa: ARG002 - the same at every event
        """Accept a connection over loopback whose other end is closed at once."""
        with (
            socket.create_server(("127.0.0.1", 0)) as listener,
            socket.create_connection(listener.getsockname()),
        ):
            accepted, _ = listener.accept()
        self._kept.append((accepted.detach(), python_block(size_bytes)))
        return size_bytes


class WaitingThread(Leak):
    """A thread per connection that waits for ever, with memory from its own malloc arena."""

    event = Event.CLOSED
    summary = "a thread that waits for ever, and a block it got from malloc (its stack comes on top)"
    resources: ClassVar = (Resource.THREADS, Resource.MEMORY)

    def __init__(self) -> None:
        """Begin with nothing."""
        self._never = threading.Event()

    def keep(self, size_bytes: int, occasion: Occasion) -> int:  # noqa: ARG002 - the same at every event
        """Start one more."""
        threading.Thread(target=self._wait, args=(size_bytes,), name="injected", daemon=True).start()
        return size_bytes

    def _wait(self, size_bytes: int) -> None:
        native_block(size_bytes)
        self._never.wait()


class DeletedFile(Leak):
    """A file per utterance that is deleted and still open: disk and page cache, not memory of the process."""

    event = Event.UTTERANCE
    summary = "a deleted file that is still open: disk and page cache, not this process's memory"
    resources: ClassVar = (Resource.FDS,)

    def __init__(self) -> None:
        """Begin with nothing."""
        self._descriptors: list[int] = []

    def keep(self, size_bytes: int, occasion: Occasion) -> int:  # noqa: ARG002 - the same at every event
        """Write one more into the folder for temporary files and delete it."""
        descriptor, path = tempfile.mkstemp(prefix="asr_server-injected-")
        self._descriptors.append(descriptor)
        os.unlink(path)
        left = memoryview(python_block(size_bytes))
        while left:
            left = left[os.write(descriptor, left) :]
        return size_bytes
