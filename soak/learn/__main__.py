"""`python -m soak.learn`: train the posterior anew, and write the weights that the judge loads."""

from __future__ import annotations

import argparse
from pathlib import Path

from soak.analyse.decision import forecast
from soak.analyse.posterior import network as judged
from soak.learn.settling import write_settling

DEFAULT_TRACES = 2_600_000
SETTLING_TRACES = 20_000
SETTLING_TABLE = Path(forecast.__file__).with_name(forecast.SETTLING)
WEIGHTS = Path(judged.__file__).with_name(judged.WEIGHTS)


def main() -> None:
    """Parse, train, tell how it goes, write."""
    parser = argparse.ArgumentParser(prog="python -m soak.learn", description=__doc__)
    parser.add_argument(
        "--traces",
        type=int,
        default=DEFAULT_TRACES,
        help="how many traces are made and learned from, each once; about an hour for the default on two "
        "cores (%(default)s)",
    )
    parser.add_argument("--workers", type=int, default=1, help="processes that make traces (%(default)s)")
    parser.add_argument(
        "--out", type=Path, default=WEIGHTS, help="where the weights go (%(default)s, which the judge loads)"
    )
    given = parser.parse_args()
    try:
        from soak.learn.training.exporting import export  # noqa: PLC0415 - PyTorch is an extra
        from soak.learn.training.loop import Progress, train  # noqa: PLC0415 - the same
    except ModuleNotFoundError as error:
        raise SystemExit(f"training needs {error.name}: pip install 'soak[learn]'") from error

    def tell(progress: Progress) -> None:
        print(progress.in_words(), flush=True)

    export(train(given.traces, tell, workers=given.workers), given.out)
    print(f"written: {given.out} ({given.out.stat().st_size / 1e6:.2f} MB)")
    if given.out == WEIGHTS:  # the forecast is of the judge with these weights
        write_settling(SETTLING_TRACES, SETTLING_TABLE, lambda done: print(f"{done:,} traces watched settle"))


if __name__ == "__main__":
    main()
