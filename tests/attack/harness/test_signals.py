"""Whatever ends a run, at whatever moment: no server is left, no row is lost, and there is a verdict."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from soak.judging import judge_run
from soak.record import read_run
from tests.attack.harness.moments import blow_of, events_of, pid_of_the_server, rows_of, strike
from tests.e2e.rundirs import gone
from tests.seeds import seeds

if TYPE_CHECKING:
    from pathlib import Path

TRIED = 60


@pytest.mark.parametrize("seed", seeds(TRIED, always=4))
def test_a_blow_at_a_random_moment(tmp_path: Path, seed: int) -> None:
    blow = blow_of(seed)
    struck = strike(tmp_path, blow)
    assert "Traceback" not in struck.err, struck.err
    expected = {
        "driver": {70},
        "server": {4},
        "soak": {-signal.SIGKILL} if blow.number is signal.SIGKILL else {130},
    }[blow.whom]
    if blow.after_samples is None and blow.number is not signal.SIGKILL:
        expected |= {-blow.number}  # before soak's first line, the signal is Python's
    assert struck.status in expected, struck.err
    if struck.run is None:
        assert blow.after_samples is None
        return
    assert rows_of(struck.run) >= struck.rows_before
    server = pid_of_the_server(struck.run)
    assert server is None or gone(server)
    if blow.after_samples is None:
        return
    if blow.number is signal.SIGKILL and blow.whom == "soak":
        assert judge_run(read_run(struck.run)).verdict.label  # the record is there to be judged
        return
    assert {"verdict.json", "report.html", "memory.png"} <= {each.name for each in struck.run.iterdir()}
    assert not list(struck.run.glob(".*"))
    if blow.whom == "soak":
        assert events_of(struck.run).count("interrupted") == 1
    for word in struck.err.split():
        name = word.strip("';:,.")
        if name.startswith("reports/") and name.endswith(".log"):
            assert (tmp_path / name).is_file(), struck.err
