"""docs/recordings.md: every format has its line, every line and the format of one's own are read."""

from __future__ import annotations

import re
import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType

import pytest

from soak import plugins
from soak.recordings import read_runs
from soak.recordings.registry import FORMATS

PAGE = (Path(__file__).parents[4] / "docs" / "recordings.md").read_text(encoding="utf-8")
LINES = re.findall(r"^\| ([a-z-]+) \| .* \| `(.*)` \|$", PAGE, re.MULTILINE)


def test_every_format_has_its_line_in_order() -> None:
    assert [name for name, _ in LINES] == FORMATS.names()


@pytest.mark.parametrize(("name", "line"), LINES)
def test_the_line_stands_in_an_example_that_is_read(name: str, line: str, tmp_path: Path) -> None:
    example = FORMATS.make(name, {}).example
    assert line.replace("\\|", "|") in " ".join(example.split())
    path = tmp_path / "recording"
    path.write_text(example)
    [run, *_] = read_runs(path)
    assert run.origin is not None
    assert len(run.samples) >= 2


def test_a_format_of_another_package_is_found_by_its_entry_point(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (code,) = re.findall(r"```python\n(# meter_format.*?)```", PAGE, re.DOTALL)
    module = ModuleType("meter_format")
    monkeypatch.setitem(sys.modules, "meter_format", module)
    exec(compile(code, "meter_format.py", "exec"), module.__dict__)  # noqa: S102 - the page's own example
    point = EntryPoint("meter", "meter_format:Meter", "soak.recordings")
    monkeypatch.setattr(plugins, "entry_points", lambda group: [point] if group == point.group else [])
    path = tmp_path / "tape"
    path.write_text(module.Meter.example)
    [run] = read_runs(path)
    assert run.origin is not None
    assert run.origin.read_as.startswith("a meter's tape; memory in MB; 2 readings over 10 s")
    assert run.samples["rss_bytes"].tolist() == [81.5 * 2**20, 81.6 * 2**20]
