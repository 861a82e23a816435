"""The package of docs/extending.md, as an installer leaves it."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[4] / "docs" / "extending.md"
TOY_PARTS = {"soak.dialects", "soak.scenarios", "soak.sources"}


def code_blocks(language: str) -> list[str]:
    """The code of the page, in that language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder with the page's package in it, as an installer leaves it."""
    site = tmp_path / "site-packages"
    information = site / "parrot-1.0.dist-info"
    information.mkdir(parents=True)
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: parrot\nVersion: 1.0\n")
    groups: dict[str, dict[str, str]] = {}
    for block in code_blocks("toml"):
        groups |= tomllib.loads(block).get("project", {}).get("entry-points", {})
    wanted = {group: points for group, points in groups.items() if group in TOY_PARTS}
    assert wanted.keys() == TOY_PARTS
    lines = [
        f"[{group}]\n" + "".join(f"{n} = {v}\n" for n, v in points.items())
        for group, points in wanted.items()
    ]
    (information / "entry_points.txt").write_text("\n".join(lines))
    for block in code_blocks("python"):
        name = re.match(r"# (\w+\.py)\n", block)
        assert name is not None
        (site / name[1]).write_text(block, "utf-8")
    return site
