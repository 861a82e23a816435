"""What three runs say of a limit: whether it holds, and what less would do."""

import io
import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from soak.errors import ExitCode
from soak.record import Run, RunDirectory, read_run
from soak.studies.limit.result import limit_exit_code, limit_in_words, limit_table, write_limit_reports
from soak.studies.limit.verify import Fate, LimitedRun, judged_against, latency_ratio, needed_bytes

MIB = 2**20
NONE = (math.nan, math.nan, math.nan)


def runs(advised: Fate, too_little: Fate) -> list[LimitedRun]:
    return [
        LimitedRun("unlimited", None, Fate.FINE, 600 * MIB, 0, 350.0, (1.0, 1.0, 1.0), 54, "a"),
        LimitedRun("advised", 720 * MIB, advised, 600 * MIB, 0, 352.0, (1.006, 0.97, 1.05), 54, "b"),
        LimitedRun("too-little", 480 * MIB, too_little, 480 * MIB, 912, math.nan, NONE, 0, None),
    ]


@pytest.mark.parametrize(
    ("advised", "code"),
    [
        (Fate.FINE, ExitCode.PLATEAU),
        (Fate.KILLED, ExitCode.CLIMBING),
        (Fate.SLOWER, ExitCode.CLIMBING),
        (Fate.FAILED, ExitCode.CLIMBING),
        (Fate.NOT_TOLD, ExitCode.INCONCLUSIVE),
    ],
)
def test_the_exit_code_is_that_of_the_advised_limit(advised: Fate, code: ExitCode) -> None:
    assert limit_exit_code(runs(advised, Fate.KILLED)) is code


@pytest.mark.parametrize(("rss_mib", "needed_mib"), [(500, 500), (700, 600)])
def test_too_little_is_less_than_what_cannot_be_taken_back(rss_mib: int, needed_mib: int) -> None:
    samples = pd.DataFrame({"rss_bytes": [100.0 * MIB, rss_mib * MIB]})
    unlimited = runs(Fate.FINE, Fate.KILLED)[0]
    assert needed_bytes(unlimited, Run(Path("run"), {}, samples, [], torn=False)) == needed_mib * MIB


def test_a_machine_that_became_slower_is_not_taken_for_a_limit_that_slows_down(tmp_path: Path) -> None:
    paths = {}
    for name, latency_ms in (("advised", 350.0), ("again", 345.0), ("unlimited", 250.0)):
        with RunDirectory.create(tmp_path, name) as directory:
            for second in range(40):
                noise_ms = 5.0 * (second % 3)
                row = {
                    "t_s": float(second),
                    "rss_bytes": MIB,
                    "block": 1,
                    "final_p50_ms": latency_ms + noise_ms,
                }
                directory.append_sample(row)
            paths[name] = directory.path
    seems = replace(runs(Fate.SLOWER, Fate.KILLED)[1], run=paths["advised"].name)
    fates = {
        name: judged_against(seems, read_run(paths[name]), tmp_path).fate for name in ("again", "unlimited")
    }
    assert fates == {"again": Fate.FINE, "unlimited": Fate.SLOWER}


def test_it_is_said_in_words() -> None:
    assert limit_in_words(runs(Fate.FINE, Fate.KILLED)) == (
        "The limit of 720 MiB holds: nothing was killed and nothing slowed down. With 480 MiB, 20 % below "
        "the measured peak, the server is killed for want of memory."
    )
    assert "can do without" in limit_in_words(runs(Fate.FINE, Fate.FINE))


def test_the_table_fits_80_columns() -> None:
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(limit_table(runs(Fate.FINE, Fate.KILLED)))
    text = console.export_text()
    assert "OOM-killed" in text
    assert "(0.97 to 1.05)" in text


def test_the_files_hold_the_same(tmp_path: Path) -> None:
    page = write_limit_reports(tmp_path, runs(Fate.FINE, Fate.KILLED))
    content = json.loads((tmp_path / "limit.json").read_text())
    assert content["holds"] is True
    assert content["runs"][2]["latency_ratio"] == [None, None, None]
    assert "| 480 MiB | OOM-killed |" in page.read_text()


def test_latency_is_compared_with_an_interval() -> None:
    noise = np.random.default_rng(1)
    estimate, low, high = latency_ratio(noise.normal(150, 5, 60), noise.normal(100, 5, 60))
    assert low < 1.5 < high
    assert estimate == pytest.approx(1.5, rel=0.02)
    assert all(map(math.isnan, latency_ratio(np.array([1.0]), np.array([1.0]))))
