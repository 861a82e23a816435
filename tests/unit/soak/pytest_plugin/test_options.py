"""What a marker may ask for, and the picture of memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from soak.pytest_plugin.chart import HEIGHT, LABEL_WIDTH, WIDTH, memory_chart
from soak.pytest_plugin.options import SoakOptions

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("growth", "flags"),
    [
        ("64KiB/connection", ["--max-per-connection", "64KiB"]),
        ("5 MiB/hour", ["--max-growth", "5 MiB"]),
        ("5MiB / h", ["--max-growth", "5MiB"]),
    ],
)
def test_growth_is_per_connection_or_per_hour(growth: str, flags: list[str]) -> None:
    assert SoakOptions(max_growth=growth).limits()[2:] == flags


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
