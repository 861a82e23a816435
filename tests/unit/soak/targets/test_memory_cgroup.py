"""Cgroups of one's own: made with the limit in both versions, refused in one line, cleared away."""

import os
from pathlib import Path
from typing import Any

import pytest

from soak.errors import SoakError
from soak.sources.cgroup import MemoryCgroup
from soak.targets import memory_cgroup
from soak.targets.memory_cgroup import OwnCgroup, remove_left_overs

V2_FILES = {"memory.current": "4096\n", "memory.stat": "anon 0\n", "memory.events": "max 7\noom_kill 2\n"}
V1_FILES = {
    "memory.usage_in_bytes": "4096\n",
    "memory.stat": "total_rss 0\n",
    "memory.failcnt": "7\n",
    "memory.oom_control": "oom_kill 2\n",
    "memory.limit_in_bytes": "9223372036854771712\n",
}


@pytest.fixture(params=["v1", "v2"])
def parent(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MemoryCgroup:
    """A made tree in which a new folder has the files of a new cgroup, as the kernel gives it."""
    files = V2_FILES if request.param == "v2" else V1_FILES
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    make = Path.mkdir

    def mkdir_with_files(folder: Path, *arguments: Any, **more: Any) -> None:
        make(folder, *arguments, **more)
        for name, text in files.items():
            (folder / name).write_text(text)

    def rmdir_with_files(folder: Path) -> None:
        for file in folder.iterdir():
            file.unlink()
        os.rmdir(folder)

    monkeypatch.setattr(Path, "mkdir", mkdir_with_files)
    monkeypatch.setattr(Path, "rmdir", rmdir_with_files)
    return MemoryCgroup(tmp_path)


def test_the_limit_is_written_and_swap_is_shut(parent: MemoryCgroup) -> None:
    with OwnCgroup.create("advised", 1 << 30, parent=parent) as made:
        written = {file.name: file.read_text() for file in made.folder.iterdir()}
        assert written["memory.max" if parent.is_v2 else "memory.limit_in_bytes"] == str(1 << 30)
        if parent.is_v2:
            assert written["memory.swap.max"] == "0"
        assert (made.oom_kills(), made.limit_hits()) == (2, 7)
        folder = made.folder
    assert not folder.exists()


def test_a_counter_that_the_kernel_keeps_no_more_is_not_taken_for_none(parent: MemoryCgroup) -> None:
    if parent.is_v2:
        pytest.skip("version 2 counts")
    with OwnCgroup.create("advised", 1 << 30, parent=parent) as made:
        (made.folder / "memory.failcnt").write_text("0\n")
        for peak, hits in ((1 << 29, 0), (1 << 30, None)):
            (made.folder / "memory.max_usage_in_bytes").write_text(f"{peak}\n")
            assert made.limit_hits() == hits


def test_where_none_may_be_made_it_says_what_to_do(
    parent: MemoryCgroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(SoakError, match=r"Permission denied.*run as root, or in a delegated scope"):
        OwnCgroup.create("advised", 1 << 30, parent=parent)


def test_without_cgroups_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory_cgroup, "cgroup_of", lambda _pid: None)
    with pytest.raises(SoakError, match="no memory cgroup to be seen"):
        OwnCgroup.create("advised", 1 << 30)


def test_left_overs_of_the_dead_are_removed_and_those_of_the_living_kept(tmp_path: Path) -> None:
    dead, living = tmp_path / "soak-999999999-advised", tmp_path / f"soak-{os.getpid()}-advised"
    dead.mkdir()
    living.mkdir()
    remove_left_overs(tmp_path)
    assert not dead.exists()
    assert living.exists()
