"""How the command ends when soak itself breaks down."""

from __future__ import annotations

from pathlib import Path

import pytest

from soak import cli


def _broken(*_: object, **__: object) -> None:
    raise KeyError("a surprise\nof two lines")


def test_a_fault_of_soak_is_no_verdict_and_its_details_are_kept(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(cli, "app", _broken)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 70
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("soak: soak itself failed: KeyError: ")
    details = Path(line.rpartition(" ")[2])
    assert details.parent == tmp_path
    assert "Traceback" in details.read_text()
    assert "in _broken" in details.read_text()
