"""`soak selftest` as a user begins it, and gives it up."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING

from tests.e2e.rundirs import event, gone, wait_for_samples

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.conftest import Start


def test_trials_are_runs_like_any_other_and_can_be_given_up(
    soak_in_background: Start, tmp_path: Path
) -> None:
    process = soak_in_background("selftest", "--kind", "fd", "--json", "--out", "reports")
    path = wait_for_samples(tmp_path, connections=5)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert json.loads(out) == {"schema_version": 1, "complete": False, "as_expected": False, "trials": []}
    assert path.name.endswith("Z-control")
    assert (path / "report.html").is_file()
    assert gone(event(path, "server_started")["pid"])
    first, second, *_ = err.splitlines()
    assert first.startswith("3 trials, about ")
    assert second == "[1/3] control: nothing injected"
