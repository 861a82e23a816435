"""Another malloc for the server: known by name, given by path, or not there."""

import ctypes.util
from pathlib import Path

import pytest

from soak.errors import SoakError
from soak.targets.preload import preload_environment


def test_nothing_is_preloaded_unless_asked() -> None:
    assert preload_environment("") == {}


def test_a_known_name_is_found_where_the_linker_finds_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes.util, "find_library", lambda name: f"lib{name}.so.2")
    assert preload_environment("jemalloc") == {"LD_PRELOAD": "libjemalloc.so.2"}


def test_what_is_not_installed_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes.util, "find_library", lambda _name: None)
    with pytest.raises(SoakError, match="apt-get install libmimalloc2"):
        preload_environment("mimalloc")


def test_a_path_must_exist(tmp_path: Path) -> None:
    library = tmp_path / "libmine.so"
    with pytest.raises(SoakError, match="does not exist"):
        preload_environment(str(library))
    library.touch()
    assert preload_environment(str(library)) == {"LD_PRELOAD": str(library)}


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(SoakError, match="jemalloc, mimalloc, tcmalloc"):
        preload_environment("hoard")
