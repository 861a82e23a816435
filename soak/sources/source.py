"""What every memory source is: columns it yields, when it is read, and readings with nothing made up.

A `MemorySource` is the description, with its options, and knows its columns before there is a target. When
the target is up it opens a `SourceReader`, which is read again and again, in a thread that is not the
harness's main one, and never twice at a time.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping  # noqa: TC003 - the fields of a dataclass are read at run time
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar, TypeAlias

from soak.capabilities import Capability  # noqa: TC001 - see above
from soak.plugins import Part

if TYPE_CHECKING:
    from soak.columns import Column
    from soak.sources.cadence import Cadence


@dataclass(frozen=True)
class Watched:
    """The server under test, as memory sources see it."""

    url: str
    """Its WebSocket address."""
    pid: int | None
    """Root of its process tree; None where it is no process on this host."""
    capabilities: frozenset[Capability] = frozenset()
    """What it can do."""
    verify_tls: bool = True
    """Whether its certificate is to be checked."""
    certificate: str = ""
    """PEM file of the certificate that it is to show; empty for one by the system's authorities."""


class Gone(StrEnum):
    """What will not come back."""

    TARGET = "target"
    """The server itself: there is nothing left to be read."""
    SOURCE = "source"
    """The source: the server may be well, but nothing can be read of it here."""


@dataclass(frozen=True)
class Reading:
    """What was read at one moment."""

    values: Mapping[str, float]
    """Numbers by column, in the column's unit; a column that could not be read is left out."""


@dataclass(frozen=True)
class Gap:
    """Nothing was read."""

    reason: str
    """Why, in one line for people: what was tried, and what would help."""
    gone: Gone | None = None
    """What is gone for good, or None where the next reading may succeed."""


Outcome: TypeAlias = "Reading | Gap"


class SourceReader(ABC):
    """A source that is open on a target."""

    @abstractmethod
    def read(self) -> Outcome:
        """Read once, within a time limit of its own; what fails is a gap, never a made-up value.

        Called in a thread, one call at a time. An error that is raised counts as a gap.
        """

    def close(self) -> None:  # noqa: B027 - most have nothing to let go of
        """Let go of what is open."""


@dataclass(frozen=True)
class MemorySource(Part, ABC):
    """Where memory is read from; a subclass is a frozen dataclass whose fields are its options."""

    name: ClassVar[str]
    """The name it is registered under and asked for by `sample.sources`."""
    needs: ClassVar[frozenset[Capability]] = frozenset()
    """What a target must be able to do, or there is nothing to open."""

    @abstractmethod
    def columns(self) -> tuple[Column, ...]:
        """Return the columns it yields, each with its unit, those of `soak.columns` or columns of its own.

        The first source of a run that yields `rss_bytes` is the one that is judged.
        """

    @abstractmethod
    def cadence(self) -> Cadence:
        """Return when it is to be read."""

    def cannot_tell(self) -> tuple[str, ...]:
        """Return what a reader of its figures should know that they do not show, a sentence each."""
        return ()

    @abstractmethod
    def open(self, target: Watched) -> SourceReader:
        """Begin to read `target`; raises `SoakError` in one line where that cannot be done."""
