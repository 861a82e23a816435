"""Which profiler suits a server."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from soak.errors import SoakError
from soak.studies.profile.jemalloc import LG_INTERVAL, LG_SAMPLE
from soak.studies.profile.jemalloc_profiler import JemallocProfiler
from soak.studies.profile.memray_profiler import MemrayProfiler, is_python
from soak.targets import Bundled, Command

if TYPE_CHECKING:
    from soak.studies.profile.target import Profiler
    from soak.targets import Target


class Allocator(StrEnum):
    """What `--allocator` takes."""

    AUTO = "auto"
    JEMALLOC = "jemalloc"
    MEMRAY = "memray"


def profiler_for(
    target: Target,
    allocator: Allocator = Allocator.AUTO,
    *,
    native: bool = False,
    sample_bytes: int = 2**LG_SAMPLE,
    interval_bytes: int = 2**LG_INTERVAL,
) -> Profiler:
    """Return memray for a Python server, else jemalloc, unless one is asked for.

    jemalloc counts in powers of two: the sizes are rounded down to one. Raises `SoakError` in one line for
    settings that do not go together.
    """
    if allocator is Allocator.AUTO:
        python = isinstance(target, Bundled) or (isinstance(target, Command) and is_python(target.words))
        allocator = Allocator.MEMRAY if python else Allocator.JEMALLOC
    if allocator is Allocator.MEMRAY:
        return MemrayProfiler(native=native)
    if native:
        raise SoakError("--native is memray's: under jemalloc all calls are native")
    return JemallocProfiler(_power("--sample", sample_bytes), _power("--profile-every", interval_bytes))


def _power(option: str, size_bytes: int) -> int:
    if size_bytes < 1:
        raise SoakError(f"{option} must be at least 1 byte, not {size_bytes}")
    return size_bytes.bit_length() - 1
