"""What soak writes is for its owner alone, whole or not there, and never written through a link."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from soak.errors import SoakError
from soak.private_file import (
    explained,
    make_folder,
    open_to_append,
    private_files,
    replace_text,
    replacing,
    umask_of_the_user,
)
from soak.record import RunDirectory


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_run_directory_is_for_its_owner_alone(tmp_path: Path) -> None:
    with RunDirectory.create(tmp_path / "reports", "minimal") as directory:
        directory.write_json("verdict.json", {})
    assert _mode(tmp_path / "reports") == _mode(directory.path) == 0o700
    assert {_mode(each) for each in directory.path.iterdir()} == {0o600}


def test_whatever_a_verb_makes_is_for_its_owner_alone_but_not_what_its_server_makes(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        with private_files():
            (tmp_path / "ours").touch()
            subprocess.run(
                [sys.executable, "-c", f"open({str(tmp_path / 'its')!r}, 'w')"],
                umask=umask_of_the_user(),
                check=True,
            )
        (tmp_path / "later").touch()
    finally:
        os.umask(before)
    assert [_mode(tmp_path / name) for name in ("ours", "its", "later")] == [0o600, 0o644, 0o644]


def test_a_link_is_not_written_through(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("mine")
    link = tmp_path / "soak.xml"
    link.symlink_to(precious)
    with pytest.raises(SoakError, match="symbolic link"):
        replace_text(link, "theirs")
    with pytest.raises(SoakError, match="symbolic link"), explained(link):
        open_to_append(link)
    assert precious.read_text() == "mine"


def test_a_pipe_is_refused_at_once(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(SoakError, match="pipe"):
        replace_text(pipe, "nobody reads it")
    with pytest.raises(SoakError, match="pipe"), explained(pipe):
        open_to_append(pipe)


def test_a_device_is_written_to() -> None:
    replace_text(Path("/dev/null"), "away with it")
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


def test_no_half_page_stays_and_the_old_one_does(tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    page.write_text("the old one")
    make_folder(tmp_path / "run")
    with pytest.raises(SoakError, match="no space left"):
        _write_half(page)
    assert page.read_text() == "the old one"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["report.html", "run"]


def _write_half(page: Path) -> None:
    with replacing(page) as stream:
        stream.write(b"half of the new")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("name", ["memory.png", "", "profile/growth.pb.gz"])
def test_a_full_disk_names_the_run_that_is_kept(tmp_path: Path, name: str) -> None:
    run = tmp_path / "run"
    make_folder(run)
    (run / "samples.csv").touch()
    with pytest.raises(SoakError, match=rf"'soak analyze {run}'"), explained(run / name):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_names_no_run_where_there_is_none(tmp_path: Path) -> None:
    with pytest.raises(SoakError, match=r"another --out$"), explained(tmp_path / "soak.xml"):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
