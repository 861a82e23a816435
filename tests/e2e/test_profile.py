"""`soak profile`: the code that keeps the memory is named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import asr_server.inject.python_objects
from tests.e2e.rundirs import QUICK

if TYPE_CHECKING:
    from tests.e2e.conftest import Soak

LEAK = ("--set", 'server.inject=["session:64KiB"]')
KEEPS = "self._kept.append(python_block(size_bytes))"


def kept_at_line() -> int:
    """The line of the injected leak."""
    source = Path(asr_server.inject.python_objects.__file__).read_text(encoding="utf-8")
    return next(number for number, line in enumerate(source.splitlines(), 1) if KEEPS in line)


@pytest.mark.timeout(300)
def test_a_leak_of_the_bundled_server_is_named_to_its_line(soak: Soak, tmp_path: Path) -> None:
    done = soak("profile", *QUICK, *LEAK, "--connections", "90", "--json", timeout_s=280.0)
    assert done.status == 1, done.err
    profile = json.loads(done.out)
    worst = profile["stacks"][0]
    assert worst["verdict"] == "climbing"
    assert worst["share"] > 0.8
    assert worst["bytes_per_connection"]["estimate"] == pytest.approx(64 * 1024, rel=0.05)
    calls = [(frame["function"], Path(frame["file"]).name, frame["line"]) for frame in worst["stack"][:2]]
    assert ("keep", "python_objects.py", kept_at_line()) in calls
    assert worst["kept_by"]["name"] == "asr_server.inject.python_objects.KeptAtClose._kept"

    (path,) = (tmp_path / "reports").iterdir()
    assert json.loads((path / "profile.json").read_text()) == profile
    assert "KiB per connection" in (path / "profile.md").read_text()
    assert "Find a function or file" in (path / "profile.html").read_text()
    assert {each.name for each in (path / "profile").iterdir()} == {
        "growth.pb.gz",
        "holders.json",
        "memray.bin",
    }
    assert max(map(len, done.err.splitlines())) < 400

    # a check of this run attaches it
    checked = soak("check", str(path), "--junit", "soak.xml", "--markdown", "soak.md")
    assert "kept by: list `asr_server.inject" in (tmp_path / "soak.xml").read_text(), checked.err
    assert "### Which code" in (tmp_path / "soak.md").read_text()


def test_what_cannot_be_profiled_is_said_before_the_run(soak: Soak, tmp_path: Path) -> None:
    for options, said in (
        (("profile", "--url", "ws://127.0.0.1:1"), "--url goes with --command"),
        (("profile", "--allocator", "mimalloc"), "--allocator mimalloc: give auto, jemalloc, memray"),
        (("profile", "--command", "/bin/true", "--allocator", "memray"), "give --allocator jemalloc"),
        (("run", "--url", "ws://127.0.0.1:1", "--pid", "1", "--profile-if-climbing"), "give --command"),
    ):
        done = soak(*options)
        assert done.status == 2, done.err
        assert said in " ".join(done.err.split())
        assert done.err.count("\n") == 1
    assert not (tmp_path / "reports").exists()
