"""What `soak profile` needs beyond a plain installation: said in one line before a run, not after it."""

from __future__ import annotations

from importlib.util import find_spec

from soak.errors import SoakError

INSTALL = "pip install 'soak[profile]'"


def require_symbols() -> None:
    """Raise `SoakError` where the packages that name native code are missing."""
    _require("naming native code", "symbolic", "cxxfilt")


def require_memray() -> None:
    """Raise `SoakError` where memray, which reads its captures, is missing."""
    _require("profiling a Python server", "memray")


def _require(purpose: str, *packages: str) -> None:
    missing = [package for package in packages if find_spec(package) is None]
    if missing:
        raise SoakError(f"{purpose} needs {' and '.join(missing)}: {INSTALL}")
