"""`python -m benchmarks.verdict.fit`: fit the weights of the figures to the tuning part; write them down."""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy: the cores are taken by processes

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer
from sklearn.linear_model import LogisticRegression

from benchmarks.verdict.examples import DEFAULT_COUNT, collect
from soak.analyse.posterior import weights as weights_module
from soak.analyse.posterior.weighing import Curve, Weights

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from benchmarks.verdict.examples import Example

    Floats = NDArray[np.float64]

QUANTILES = (0.02, 0.25, 0.5, 0.75, 0.98)
"""Of each figure over the examples: where its curve may bend."""
PENALTY = 0.05
"""Weight of the squares of the (standardised) coefficients for each example: curves stay smooth. Chosen by
leaving families out of the tuning part."""
WHOLE_COUNTS = 2.0
"""How many beginnings a whole trace counts for: the last word on a run matters most."""
DIGITS = 4

HEAD = '''"""What each figure adds to the log odds of a leak.

Written by `python -m benchmarks.verdict.fit`, and not to be edited by hand.
"""

from soak.analyse.posterior.weighing import Curve, Weights

WEIGHTS = Weights(
    base={base},
    curves={{
{curves}
    }},
)
'''
CURVE = """        "{name}": Curve(
            {at},
            {adds},
        ),"""


def fit(examples: Sequence[Example]) -> Weights:
    """Fit the additive model to examples by penalised logistic regression on hat functions."""
    names = list(examples[0].figures)
    values = np.array([[example.figures[name] for name in names] for example in examples])
    knots = [np.unique(np.round(np.quantile(column, QUANTILES), DIGITS)) for column in values.T]
    hats = [_hats(column, at) for column, at in zip(values.T, knots, strict=True)]
    columns = np.concatenate(hats, axis=1)
    spread = np.std(columns, axis=0)
    spread[spread == 0] = 1.0
    model = LogisticRegression(C=1.0 / (PENALTY * len(examples)), max_iter=5000)
    model.fit(
        (columns - columns.mean(axis=0)) / spread,
        [example.leaking for example in examples],
        sample_weight=[WHOLE_COUNTS if example.whole else 1.0 for example in examples],
    )
    heights = model.coef_[0] / spread
    base = float(model.intercept_[0])
    curves, first = {}, 0
    for name, at, hat in zip(names, knots, hats, strict=True):
        adds = heights[first : first + at.size]
        first += at.size
        mean = float((hat @ adds).mean())
        curves[name] = Curve(_rounded(at), _rounded(adds - mean))
    return Weights(round(base, DIGITS), curves)


def _hats(column: Floats, at: Floats) -> Floats:
    """Return the hat functions (values × knots): 1 at one knot, 0 at the others, straight in between."""
    return np.stack([np.interp(column, at, hat) for hat in np.eye(at.size)], axis=1)


def _rounded(values: Floats) -> tuple[float, ...]:
    return tuple(round(float(value), DIGITS) for value in values)


def to_source(weights: Weights) -> str:
    """Return the module that holds these weights."""
    curves = "\n".join(
        CURVE.format(name=name, at=curve.at, adds=curve.adds) for name, curve in weights.curves.items()
    )
    return HEAD.format(base=weights.base, curves=curves)


def main(
    count: Annotated[int, typer.Option(help="Tuning traces per family.", min=1)] = DEFAULT_COUNT,
    jobs: Annotated[int, typer.Option(help="Processes.", min=1)] = len(os.sched_getaffinity(0)),
    examples: Annotated[
        Path | None,
        typer.Option(
            help="Read the figures from this file if it is there, else keep them in it.", metavar="FILE"
        ),
    ] = None,
) -> None:
    """Fit the weights of the figures to made traces, and write them to soak/analyse/posterior/weights.py."""
    weights = fit(collect(count, jobs, examples))
    Path(weights_module.__file__).write_text(to_source(weights), encoding="utf-8")


if __name__ == "__main__":
    program = typer.Typer(pretty_exceptions_enable=False, add_completion=False)
    program.command()(main)
    program(prog_name="python -m benchmarks.verdict.fit")
