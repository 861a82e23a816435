"""Where the symbols of a stripped file can be had, as far as that is known."""

from __future__ import annotations

import subprocess
from pathlib import Path

KNOWN = {"libc6": "libc6-dbg"}
"""Packages whose symbols have a name of their own; those of others are `<package>-dbgsym`, in Debian's
archive of debug symbols."""
ANSWERS_WITHIN_S = 10.0


def where_symbols_are(path: str) -> str:
    """Return a sentence on a file without symbols: which package has them, or that it was built without."""
    name = Path(path).name
    package = _debian_package(path)
    if package is None:
        return f"{name} has no symbols: its calls are told as file+offset; build with -g, and do not strip."
    symbols = KNOWN.get(package, f"{package}-dbgsym (Debian's debug archive)")
    return f"{name} has no symbols: install {symbols} to have its calls named."


def _debian_package(path: str) -> str | None:
    """Return the package that has installed a file, as dpkg knows it; None where it does not."""
    for spelt in dict.fromkeys((path, str(Path(path).resolve()), path.removeprefix("/usr"))):
        try:
            found = subprocess.run(
                ["dpkg-query", "--search", spelt],  # noqa: S607 - Debian's own, where it is
                capture_output=True,
                text=True,
                check=False,
                timeout=ANSWERS_WITHIN_S,
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        if not found.returncode:
            return found.stdout.split(":", 1)[0].strip()
    return None
