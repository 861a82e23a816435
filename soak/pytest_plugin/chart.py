"""Memory over a run, drawn with characters."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

MIB = 2**20
WIDTH, HEIGHT = 60, 10
LEVELS = "▁▂▃▄▅▆▇█"
LABEL_WIDTH = 8


def memory_chart(samples: Path, *, width: int = WIDTH, height: int = HEIGHT) -> str:
    """Return RSS in MiB over minutes from a `samples.csv`, `height` lines of `width` columns beside the axis.

    A column shows the lowest reading of its stretch of time: what the server did not give back. Empty when
    there are fewer than two readings.
    """
    readings = _readings(samples)
    if len(readings) < 2:
        return ""
    end_s = readings[-1][0] or 1.0
    columns: list[list[float]] = [[] for _ in range(width)]
    for t_s, rss_mib in readings:
        columns[min(int(t_s / end_s * width), width - 1)].append(rss_mib)
    floors: list[float] = []
    for column in columns:
        floors.append(min(column) if column else floors[-1] if floors else readings[0][1])
    low, high = min(floors), max(floors)
    step = max(high - low, 1.0) / (height * len(LEVELS) - 1)
    filled = [round((floor - low) / step) + 1 for floor in floors]
    lines = []
    for row in reversed(range(height)):
        cells = (min(max(count - row * len(LEVELS), 0), len(LEVELS)) for count in filled)
        bar = "".join(LEVELS[cell - 1] if cell else " " for cell in cells).rstrip()
        label = {height - 1: f"{low + max(high - low, 1.0):.1f}", 0: f"{low:.1f}"}.get(row, "")
        lines.append(f"{label:>{LABEL_WIDTH}} ┤{bar}")
    minutes = f"{end_s / 60:.1f} min"
    lines.append(" " * LABEL_WIDTH + " └" + "─" * width)
    lines.append(" " * (LABEL_WIDTH + 2) + "0" + minutes.rjust(width - 1))
    return "\n".join([f"{'RSS, MiB':>{LABEL_WIDTH}}", *lines])


def _readings(samples: Path) -> list[tuple[float, float]]:
    try:
        with samples.open(encoding="utf-8", newline="") as stream:
            return [
                (float(row["t_s"]), float(row["rss_bytes"]) / MIB)
                for row in csv.DictReader(stream)
                if row.get("t_s") and row.get("rss_bytes")
            ]
    except (OSError, ValueError, KeyError):
        return []
