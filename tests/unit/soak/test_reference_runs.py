"""The recorded runs of a healthy server on the large model: never a leak, at no moment of the run."""

from pathlib import Path

import pytest

from soak.analyse import judge_series
from soak.judging import judge_run, recorded_settings, series_of
from soak.record import read_run
from soak.verdict.verdict import Label
from tests.seeds import nightly

REFERENCE = Path(__file__).parents[3] / "reports" / "reference"


@pytest.mark.parametrize("from_s", [60, nightly(80), nightly(100), nightly(120)])
@pytest.mark.parametrize("name", ["minimal", "medium", "high"])
def test_no_part_of_a_healthy_run_is_called_climbing(name: str, from_s: int) -> None:
    run = read_run(REFERENCE / name)
    series = [series_of(run.samples[run.samples["t_s"] <= end_s]) for end_s in range(from_s, 620, 80)]
    labels = {judge_series(part, recorded_settings(run)).label for part in series}
    assert Label.CLIMBING not in labels


def test_the_minimal_configuration_is_a_plateau() -> None:
    assert judge_run(read_run(REFERENCE / "minimal")).verdict.label is Label.PLATEAU
