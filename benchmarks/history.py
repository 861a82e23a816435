"""How often does `soak history` find the step, and how often one that is not there?

    python -m benchmarks.history [--histories 300]

Histories of runs are drawn with the spread that healthy runs have (standard deviation 1 % of the level; with
drift of the machine as AR(1), and with outliers), without a step and with one of 3 to 20 %, and given to
soak's search and to peers: a fixed threshold against the run before (10 %), and against the last five.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

import numpy as np

from soak.analyse.steps import find_steps

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

LEVEL_MIB = 100.0
SPREAD = 0.01
TOLERANCE = 0.03
NEAR = 1
"""Runs by which a found place may be off."""


def soak(values: NDArray[np.float64]) -> list[int]:
    """Return the places that soak finds."""
    level = float(np.median(values))
    steps = find_steps(values.tolist(), expected_spread=SPREAD * level, tolerance=TOLERANCE * level)
    return [step.index for step in steps]


def against_the_last(values: NDArray[np.float64], threshold: float = 0.1) -> list[int]:
    """Return where a run is a tenth above or below the one before."""
    return [int(index) + 1 for index in np.flatnonzero(np.abs(np.diff(values) / values[:-1]) > threshold)]


def against_five(values: NDArray[np.float64], threshold: float = 0.05) -> list[int]:
    """Return where a run is 5 % off the mean of the five before."""
    return [
        place
        for place in range(5, len(values))
        if abs(values[place] / values[place - 5 : place].mean() - 1) > threshold
    ]


PEERS: dict[str, Callable[[NDArray[np.float64]], list[int]]] = {
    "soak": soak,
    "10 % against the run before": against_the_last,
    "5 % against the mean of five": against_five,
}


def noise(random: np.random.Generator, runs: int, kind: str) -> NDArray[np.float64]:
    """Return relative noise of `runs` runs."""
    values = random.normal(0, SPREAD, runs)
    if kind == "drifting":
        for place in range(1, runs):
            values[place] = 0.6 * values[place - 1] + 0.8 * values[place]
    if kind == "outliers":
        values += random.choice([0.0, 0.15, -0.1], runs, p=[0.94, 0.04, 0.02])
    return values


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--histories", type=int, default=300, help="of each kind (default: %(default)s)")
    count = parser.parse_args().histories
    random = np.random.default_rng(6)
    print("Histories without a step in which one is found, by runs in the history\n")
    print("| rule | noise | 10 | 30 | 100 |\n|---|---|---|---|---|")
    for kind in ("independent", "drifting", "outliers"):
        drawn = {
            runs: [LEVEL_MIB * (1 + noise(random, runs, kind)) for _ in range(count)]
            for runs in (10, 30, 100)
        }
        for name, rule in PEERS.items():
            shares = [np.mean([bool(rule(values)) for values in histories]) for histories in drawn.values()]
            print(f"| {name} | {kind} | " + " | ".join(f"{100 * share:.1f} %" for share in shares) + " |")
    print("\nSteps found within one run of their place, nothing else found beside it, in 30 runs\n")
    print("| rule | runs after the step | 3 % | 5 % | 10 % | 20 % |\n|---|---|---|---|---|---|")
    for after in (2, 5, 15):
        made: dict[float, list[NDArray[np.float64]]] = {}
        for size in (0.03, 0.05, 0.1, 0.2):
            step = np.where(np.arange(30) >= 30 - after, 1 + size, 1.0)
            made[size] = [LEVEL_MIB * step * (1 + noise(random, 30, "independent")) for _ in range(count)]
        for name, rule in PEERS.items():
            shares = [
                np.mean(
                    [
                        len(found := rule(values)) == 1 and abs(found[0] - (30 - after)) <= NEAR
                        for values in each
                    ]
                )
                for each in made.values()
            ]
            print(f"| {name} | {after} | " + " | ".join(f"{100 * share:.0f} %" for share in shares) + " |")


if __name__ == "__main__":
    main()
