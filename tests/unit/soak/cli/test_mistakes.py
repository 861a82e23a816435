"""A mistake in a command ends in one line that says what to do, before anything is started or written."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from soak.cli import main

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "-c", "maximal"], "the bundled ones are attached, high, medium, minimal"),
        (["run", "--set", "server.threads=1"], "server.threads is not a setting"),
        (["run", "--set", "load.mode=fast"], "load.mode is 'fast'"),
        (["run", "--url", "ws://127.0.0.1:1"], "--url and --pid go together"),
        (["run", "--hours", "1", "--minutes", "1"], "give --hours or --minutes, not both"),
        (["run", "--minutes", "0"], "--minutes must be above 0"),
        (["run", "--model", "nowhere"], "--model nowhere"),
        (["run", "--max-growth", "much"], "--max-growth much: write a size"),
        (["analyze", "nowhere"], "nowhere does not exist"),
        (["report", "nowhere"], "nowhere does not exist: give a run directory"),
        (["check", "--max-rss", "much"], "--max-rss much: write a size"),
        (["check", "--baseline", "missing.json"], "write one with 'soak baseline save'"),
        (["check", "--minutes", "1", "--max-minutes", "2"], "give --max-minutes or a fixed length"),
        (["check", ".", "--minutes", "1"], "is recorded already: leave out --config, --minutes"),
    ],
)
def test_it_ends_in_one_line(
    arguments: list[str],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["soak", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("soak: ")
    assert words in line
    assert not list(tmp_path.iterdir())
