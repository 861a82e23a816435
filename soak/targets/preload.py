"""Another malloc for the server under test, put before the C library's by the dynamic linker."""

from __future__ import annotations

import ctypes.util
from pathlib import Path

from soak.errors import SoakError

DEBIAN_PACKAGES = {
    "jemalloc": "libjemalloc2",
    "mimalloc": "libmimalloc2.0",
    "tcmalloc": "libgoogle-perftools4",
}
"""Allocators that are known by name, and what Debian calls their packages."""


def preload_environment(library: str) -> dict[str, str]:
    """Return the environment that preloads `library`: a known name, or a path; nothing for an empty text.

    Raises `SoakError` in one line that says what to install when it is not there.
    """
    if not library:
        return {}
    if "/" in library:
        if not Path(library).is_file():
            raise SoakError(f"server.preload is {library}, which does not exist: give the path of a library")
        return {"LD_PRELOAD": library}
    if library not in DEBIAN_PACKAGES:
        known = ", ".join(DEBIAN_PACKAGES)
        raise SoakError(f"server.preload is {library!r}: give one of {known}, or the path of a library")
    found = ctypes.util.find_library(library)
    if found is None:
        package = DEBIAN_PACKAGES[library]
        raise SoakError(f"{library} is not installed: apt-get install {package} (Debian, Ubuntu)")
    return {"LD_PRELOAD": found}
