from __future__ import annotations

from typing import TYPE_CHECKING

from soak.studies.profile import debug_packages
from soak.studies.profile.debug_packages import where_symbols_are

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_the_package_of_symbols_is_told_where_dpkg_knows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        debug_packages, "_debian_package", {"/lib/libc.so.6": "libc6", "/lib/libz.so.1": "zlib1g"}.get
    )
    assert "install libc6-dbg " in where_symbols_are("/lib/libc.so.6")
    assert "install zlib1g-dbgsym " in where_symbols_are("/lib/libz.so.1")


def test_nothing_is_guessed_of_a_file_that_no_package_has_installed(tmp_path: Path) -> None:
    assert where_symbols_are(str(tmp_path / "server")) == (
        "server has no symbols: its calls are told as file+offset; build with -g, and do not strip."
    )
