"""What a marker may ask for, and the picture of memory."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from soak.config import Length
from soak.pytest_plugin.chart import HEIGHT, LABEL_WIDTH, WIDTH, memory_chart
from soak.pytest_plugin.options import SoakOptions
from soak.pytest_plugin.request import Request
from soak.pytest_plugin.soak_process import length_of, limits_of, planned
from soak.targets import Attachment

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("growth", "per_connection", "per_hour"),
    [
        (None, None, None),
        ("64KiB/connection", 64 * 2**10, None),
        ("5 MiB/hour", None, 5 * 2**20),
        ("5MiB / h", None, 5 * 2**20),
    ],
)
def test_growth_is_per_connection_or_per_hour(
    growth: str | None, per_connection: float | None, per_hour: float | None
) -> None:
    limits = limits_of(SoakOptions(max_growth=growth))
    assert (limits.max_bytes_per_connection, limits.max_growth_bytes_per_hour) == (per_connection, per_hour)


def test_a_soak_lasts_so_many_connections_or_until_it_is_decided_in_time() -> None:
    assert length_of(SoakOptions(connections=9)) == Length(connections=9)
    assert length_of(SoakOptions(timeout_s=600)) == Length(max_minutes=8.0, until_decided=True)


def test_what_is_asked_of_the_process_of_a_soak_arrives_there() -> None:
    options = SoakOptions(max_rss="1GiB", settings=["load.rate_per_s=2"], timeout_s=20)
    request = Request("tests/test_it.py::test_it", options, "ws://127.0.0.1:1", 4711, "out")
    assert Request.of_json(request.to_json()) == request
    run = planned(request)
    assert run.config.load.until_decided
    assert (run.config.load.duration_s, run.config.load.rate_per_s) == (16.0, 2)
    assert run.target == Attachment("ws://127.0.0.1:1", 4711)


def test_a_test_session_without_a_soak_does_not_load_what_a_soak_needs() -> None:
    heavy = ("matplotlib", "numpy", "onnxruntime", "pandas", "plotly", "pydantic", "scipy")
    script = f"import sys, soak.pytest_plugin.plugin; print(*set({heavy!r}) & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert not done.stdout.strip()


@pytest.mark.parametrize("growth", ["64KiB", "64KiB/day", "/hour"])
def test_other_growth_is_refused_with_an_example(growth: str) -> None:
    with pytest.raises(pytest.UsageError, match="64KiB/connection"):
        SoakOptions.of(pytest.mark.soak(max_growth=growth).mark)


def test_unknown_arguments_are_refused_with_the_known_ones() -> None:
    with pytest.raises(pytest.UsageError, match=r"conections is unknown; it takes .*connections"):
        SoakOptions.of(pytest.mark.soak(conections=3).mark)
    with pytest.raises(pytest.UsageError, match="300 is unknown"):
        SoakOptions.of(pytest.mark.soak(300).mark)


def test_the_chart_shows_floors_from_the_lowest_to_the_highest(tmp_path: Path) -> None:
    rows = "".join(f"{t},{(100 + t / 10 + 50 * (t % 4 == 0)) * 2**20}\n" for t in range(240))
    path = tmp_path / "samples.csv"
    path.write_text(f"t_s,rss_bytes\n{rows}")
    lines = memory_chart(path).splitlines()
    assert lines[1].strip().startswith("123.")
    assert lines[HEIGHT].strip().startswith("100.1 ┤▁")
    assert lines[1].endswith("█")
    assert lines[-1].endswith("4.0 min")
    assert max(map(len, lines)) <= WIDTH + LABEL_WIDTH + 2
    assert memory_chart(tmp_path / "missing.csv") == ""
