"""From addresses to functions, files and lines, inlined calls included.

Needs the extra `profile`: import it after `soak.studies.profile.extra.require_symbols`.
"""

from __future__ import annotations

import platform
import re
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import cxxfilt
from symbolic.debuginfo import Archive
from symbolic.exceptions import SymbolicError

from soak.studies.profile.frames import Frame

if TYPE_CHECKING:
    from collections.abc import Sequence

    from symbolic.symcache import SymCache

    from soak.studies.profile.jemalloc import Addresses, LoadedFile

ARCHITECTURES = {"x86_64": "x86_64", "aarch64": "arm64"}
"""What symbolic calls the processors that `platform.machine` names."""
DEBUG_FOLDER = Path("/usr/lib/debug")
"""Where distributions put what they strip from programs."""

_PART = re.compile(r"\.(?:cold|part\.\d+|constprop\.\d+|isra\.\d+|lto_priv\.\d+)(?:\.\d+)?$")
"""How compilers end the name of a part of a function, or of a copy of it."""


@dataclass
class Symbolizer:
    """Names the addresses of one process by the files that were mapped into it."""

    files: Sequence[LoadedFile]
    unnamed: set[str] = field(default_factory=set)
    """Paths of files that hold no symbols for an address that was asked for."""

    def stack(self, addresses: Addresses) -> tuple[Frame, ...]:
        """Return the frames, innermost first; an inlined call stands before its caller.

        An address that a call returns to belongs to the instruction before it.
        """
        return tuple(frame for address in addresses for frame in self._frames(address - 1))

    def _frames(self, address: int) -> list[Frame]:
        place = next((each for each in self.files if each.start <= address < each.end), None)
        if place is None:
            return [Frame(f"{address:#x}")]
        module = Path(place.path).name
        offset = address - place.start + place.offset
        bias = _load_bias(place, self.files)
        symbols = _symbols(place.path)
        found = [] if symbols is None else symbols.lookup(address - bias)  # type: ignore[no-untyped-call]  # symbolic's
        if not found:
            self.unnamed.add(place.path)
            return [Frame(f"{module}+{offset:#x}", module=module, offset=offset)]
        return [
            Frame(
                function=_demangled(each.symbol),
                file=each.full_path,
                line=each.line or None,
                module=module,
                offset=offset,
                inlined=number < len(found) - 1,
            )
            for number, each in enumerate(found)
        ]


def _load_bias(place: LoadedFile, files: Sequence[LoadedFile]) -> int:
    """Return what was added to the file's own addresses: those of its first mapping begin at 0, or fixed."""
    first = min((each for each in files if each.path == place.path), key=lambda each: each.start)
    return first.start - first.offset if _is_relocated(place.path) else 0


@lru_cache(maxsize=256)
def _is_relocated(path: str) -> bool:
    """Tell whether the file is loaded anywhere (ET_DYN, 3) and not at the address it names (ET_EXEC, 2)."""
    try:
        with Path(path).open("rb") as stream:
            return stream.read(18)[16:18] == b"\x03\x00"
    except OSError:
        return True


@lru_cache(maxsize=256)
def _symbols(path: str) -> SymCache | None:
    """Open a file's debug information; that of a stripped file where the distribution has put it."""
    architecture = ARCHITECTURES.get(platform.machine(), platform.machine())
    candidates = [path, *_debug_files(path, architecture)]
    best: SymCache | None = None
    for candidate in candidates:
        try:
            obj = Archive.open(candidate).get_object(arch=architecture)
            best = obj.make_symcache() or best
        except (OSError, SymbolicError, LookupError):
            continue
    return best


def _debug_files(path: str, architecture: str) -> list[str]:
    try:
        code_id = Archive.open(path).get_object(arch=architecture).code_id
    except (OSError, SymbolicError, LookupError):
        return []
    if not code_id:
        return []
    found = DEBUG_FOLDER / ".build-id" / code_id[:2] / f"{code_id[2:]}.debug"
    return [str(found)] if found.is_file() else []


def _demangled(symbol: str) -> str:
    """Return a name without its mangling, and without what the compiler added to a part of a function."""
    whole = _PART.sub("", symbol)
    try:
        return str(cxxfilt.demangle(whole))
    except cxxfilt.InvalidName:
        return whole
