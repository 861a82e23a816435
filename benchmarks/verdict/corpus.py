"""Make runs of the corpus of what `benchmarks.verdict.record_churn` recorded.

    python -m benchmarks.verdict.corpus RECORDED benchmarks/verdict/real/churn

Rows outside quiet windows are thinned, columns without a value left out, and the label is given its lengths:
the whole run and two beginnings of it, each with how much the leak adds in it. Then it prints what malloc's
books say of each leak beside what was asked for.
"""

from __future__ import annotations

import json
from pathlib import Path  # noqa: TC003 - typer reads the annotation
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer

from soak.judging.recorded import held_bytes
from soak.record import read_run

if TYPE_CHECKING:
    import pandas as pd

MOST_ROWS = 400
"""Of a run, outside its quiet windows; rows with a reading of the heap are kept beyond that."""
LENGTHS = {"first_third": 1 / 3, "first_two_thirds": 2 / 3, "whole": 1.0}
"""Share of the recorded time, by the name of the length."""
BUDGET_SHARE = 0.0025
"""The default budget: growth of so much of the level over a run is accepted."""
CLEARLY_BEYOND = 4.0
"""A leak that adds fewer budgets than this is no clear case, and is not scored."""
SETTLED_FROM = 1 / 3
"""The leak is checked from this share of the run on, after the warm-up."""


def thinned(samples: pd.DataFrame) -> pd.DataFrame:
    """Leave rows out: every so many, but none of a quiet window and none with a reading of the heap."""
    quiet = samples["phase"].eq("rest")
    read = samples["heap_in_use_bytes"].notna() if "heap_in_use_bytes" in samples else quiet
    stride = -(-int((~quiet).sum()) // MOST_ROWS)
    kept = np.zeros(len(samples), dtype=bool)
    since = stride
    for row, whole in enumerate(quiet | read):
        since += 1
        if whole or since >= stride:
            kept[row], since = True, 0
    return samples[kept].dropna(axis="columns", how="all")


def length_of(samples: pd.DataFrame, share: float, per_connection: float | None) -> dict[str, Any]:
    """Return what the label says of one length, a share of the recorded time."""
    end_s = round(float(share * samples["t_s"].iloc[-1]), 2)
    part = samples[samples["t_s"] <= end_s]
    connections = int(part["connections_completed"].max())
    length: dict[str, Any] = {"end_s": end_s, "connections": connections}
    if per_connection is not None:
        budget_bytes = BUDGET_SHARE * float(part["rss_bytes"].median())
        budgets = per_connection * connections / budget_bytes
        length |= {"leak_in_budgets": round(budgets, 2), "within_budget": budgets < CLEARLY_BEYOND}
    return length


def heap_growth_bytes_per_connection(samples: pd.DataFrame) -> float | None:
    """Fit a line to heap in use over the connections, after the warm-up; None where it was hardly read."""
    held = held_bytes(samples)
    if held is None:
        return None
    connections = samples["connections_completed"].to_numpy(np.float64)
    settled = samples["t_s"].to_numpy() >= SETTLED_FROM * samples["t_s"].iloc[-1]
    known = np.isfinite(held) & np.isfinite(connections) & settled
    if known.sum() < 10:
        return None
    return round(float(np.polyfit(connections[known], held[known], 1)[0]), 1)


def add_run(recorded: Path, out: Path) -> dict[str, Any]:
    """Write one run of the corpus; returns its label."""
    samples = read_run(recorded / "samples.csv").samples
    label: dict[str, Any] = json.loads((recorded / "label.json").read_text(encoding="utf-8"))
    per_connection = label["growth_bytes_per_connection"]
    label["heap_growth_bytes_per_connection"] = heap_growth_bytes_per_connection(samples)
    label["lengths"] = {name: length_of(samples, share, per_connection) for name, share in LENGTHS.items()}
    out.mkdir(parents=True, exist_ok=True)
    thinned(samples).to_csv(out / "samples.csv", index=False, float_format="%.12g", lineterminator="\n")
    (out / "label.json").write_text(json.dumps(label, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return label


def main(
    recorded: Annotated[Path, typer.Argument(help="folder of the recorded runs")],
    out: Annotated[Path, typer.Argument(help="folder of the corpus")],
) -> None:
    """Add every run that was recorded to its end."""
    for label_path in sorted(recorded.glob("*/label.json")):
        name = label_path.parent.name
        label = add_run(label_path.parent, out / name)
        within = [length for length, each in label["lengths"].items() if each.get("within_budget")]
        print(
            f"{name:32} keeps {label['growth_bytes_per_connection'] or 0:>6}, "
            f"heap in use grows by {label['heap_growth_bytes_per_connection']} bytes per connection"
            + (f"; within the budget: {', '.join(within)}" if within else "")
        )


if __name__ == "__main__":
    typer.run(main)
