from __future__ import annotations

import struct
import zlib
from dataclasses import replace
from typing import TYPE_CHECKING

from soak.report.comparison_png import write_comparison_png
from soak.report.model.comparison import comparison
from soak.report.png import write_png
from tests.unit.soak.report.synthetic import saying, told

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from soak.record import Run
    from soak.report.model import ReportModel
    from soak.verdict.run_verdict import RunVerdict


def picture_size(path: Path) -> tuple[int, int]:
    """Width and height of a PNG whose every chunk is whole."""
    content = path.read_bytes()
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    at, kinds = 8, []
    while at < len(content):
        (length,), kind = struct.unpack(">I", content[at : at + 4]), content[at + 4 : at + 8]
        body = content[at + 8 : at + 8 + length]
        (check,) = struct.unpack(">I", content[at + 8 + length : at + 12 + length])
        assert zlib.crc32(kind + body) == check
        kinds.append(kind)
        at += 12 + length
    assert (kinds[0], kinds[-1]) == (b"IHDR", b"IEND")
    width, height = struct.unpack(">II", content[16:24])
    return width, height


def test_every_run_gives_a_picture_for_an_issue(
    any_name: str, model: Callable[[str], ReportModel], tmp_path: Path
) -> None:
    path = tmp_path / "memory.png"
    write_png(model(any_name), path)
    assert picture_size(path) == (1600, 1000)
    assert path.stat().st_size < 600_000


def test_names_that_no_font_has_or_that_look_like_formulas_are_drawn(
    judged: Callable[[str], tuple[Run, RunVerdict]], tmp_path: Path
) -> None:
    run, verdict = judged("healthy")
    run = replace(run, manifest=run.manifest.model_copy(update={"name": "语音 $x_{1$ <b>"}))
    model = told(run, saying(verdict, "costs $5 and 10$ \\frac{"))
    write_png(model, tmp_path / "memory.png")
    write_comparison_png(comparison([model, model]), tmp_path / "comparison.png")
    assert picture_size(tmp_path / "memory.png") == (1600, 1000)
    assert picture_size(tmp_path / "comparison.png")[0] == 1600
