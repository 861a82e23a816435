"""The memory source of docs/extending.md, installed beside soak, in a real run of the bundled server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from soak.config import load_config
from soak.errors import SoakError
from soak.record import read_run
from soak.run.sources import sources_of

if TYPE_CHECKING:
    from pathlib import Path

QUICK = [
    *("--set", "load.settle_s=0.3", "--set", "load.rest_s=1", "--set", "load.block_s=1"),
    *("--set", "load.baseline_s=0.5", "--set", "load.rate_per_s=12", "--set", "load.max_open=4"),
    *("--set", "server.sweep_interval_s=0", "--set", "sample.interval_s=0.2"),
]
SOURCES = 'sample.sources=["process", "high-water"]'


def soak(folder: Path, *words: str, python_path: str = "") -> subprocess.CompletedProcess[str]:
    """Run the command in `folder`."""
    packages = os.pathsep.join([python_path, os.environ.get("PYTHONPATH", "")])
    return subprocess.run(
        [sys.executable, "-m", "soak", *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": packages},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_source_of_another_package_is_recorded_and_read_back_without_it(site: Path, tmp_path: Path) -> None:
    options = ["--connections", "24", *QUICK, "--set", SOURCES]
    options += ["--set", "sample.source_options={high-water={share=0.5}}"]
    done = soak(tmp_path, "run", *options, python_path=str(site))
    assert done.returncode in (0, 3), done.stderr
    (path,) = (tmp_path / "reports").iterdir()

    run = read_run(path)  # in this process the package is not installed
    assert [each.label for each in run.manifest.foreign_columns] == ["most RSS so far"]
    known = run.samples[run.samples["high_water_bytes"].notna()]
    assert len(known) >= 4  # at the begin, in two quiet windows or more, at the end
    assert set(known["phase"]) <= {"start", "rest", "done"}
    assert (known["high_water_bytes"] >= known["rss_bytes"]).all()
    assert known["high_water_bytes"].is_monotonic_increasing
    assert run.samples["map_heap_bytes"].isna().all()  # the source of it was not asked for
    manifest = json.loads((path / "manifest.json").read_text())
    assert manifest["configuration"]["sample"]["sources"] == ["process", "high-water"]
    events = [json.loads(line) for line in (path / "events.jsonl").read_text().splitlines()]
    (described,) = [each["sources"][1] for each in events if each["event"] == "sources"]
    assert described["options"] == {"share": 0.5}
    assert described["columns"] == {"high_water_bytes": "bytes"}
    assert described["cannot_tell"] == ["A high-water mark never falls: what was given back does not show."]
    (costs,) = [each["sources"][1] for each in events if each["event"] == "sources_read"]
    assert costs["readings"] == len(known)
    assert 0 < costs["cpu_s"] < 1
    assert "most RSS so far" in (path / "report.html").read_text()

    again = soak(tmp_path, "analyze", str(path), "--json")
    assert again.returncode == done.returncode, again.stderr
    assert json.loads(again.stdout)["metric"] == "rss_bytes"


def test_a_source_that_is_not_installed_is_said_before_anything_is_started(tmp_path: Path) -> None:
    done = soak(tmp_path, "run", "--set", SOURCES)
    assert done.returncode == 2
    assert (
        "sample.sources: 'high-water': choose one of process, process-details, heap, metrics" in done.stderr
    )
    assert not (tmp_path / "reports").exists()


@pytest.mark.parametrize(
    ("module", "said"),
    [
        ("import no_such_library\n", "No module named 'no_such_library'"),
        ("HighWater = 3\n", "no subclass of soak.sources.source.MemorySource"),
    ],
)
def test_a_broken_package_ends_in_one_line_that_names_it(
    site: Path, monkeypatch: pytest.MonkeyPatch, module: str, said: str
) -> None:
    (site / "high_water_source.py").write_text(module)
    monkeypatch.syspath_prepend(site)
    monkeypatch.delitem(sys.modules, "high_water_source", raising=False)
    with pytest.raises(SoakError) as caught:
        sources_of(load_config("minimal", [SOURCES]).sample)
    assert said in str(caught.value)
    assert "of the package parrot" in str(caught.value)
    assert "\n" not in str(caught.value)
