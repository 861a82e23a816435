"""Outcomes of scripted runs: what was recorded is made up, the judging is real."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from soak.errors import ExitCode
from soak.judging import judge_run
from soak.record import Run
from soak.record.events import PythonObjects, TypeCount
from soak.record.manifest import LoadPlan, Manifest
from soak.studies.selftest.outcome import TrialOutcome, TrialResult, outcome_of, truth_of
from soak.studies.selftest.table import footnotes, outcome_line, outcome_table, summary
from soak.studies.selftest.trials import LeakTrial, Share, TrialScenario, trial_of, trials_of
from soak.verdict.attribution import Culprit

KIB = 1024
BLOCKS, PER_BLOCK, BLOCK_S = 14, 18, 5
CONTROL = LeakTrial(TrialScenario.PLAIN)


def recorded(
    *,
    kept_bytes: float = 0,
    sockets: float = 0,
    claimed_bytes: float | None = None,
    claimed_times: float | None = None,
    until: int = 10**9,
    blocks: int = BLOCKS,
    in_python: float = 1.0,
) -> Run:
    """A run whose memory and sockets grow per connection, up to `until` connections; `claimed…` is truth.

    `in_python` is the share of what is kept that Python's objects account for.
    """
    noise = np.random.default_rng(1)
    rows: list[dict[str, Any]] = []
    for step in range(2 * BLOCK_S * blocks):
        t_s = step / 2
        block, within_s = int(t_s // BLOCK_S), t_s % BLOCK_S
        connections = PER_BLOCK * (block + min(1.0, within_s / 3))
        grown = min(int(connections), until)
        warm_up = 5 * 2**20 * (1 - np.exp(-block / 0.5))
        rss = 100 * 2**20 + warm_up + kept_bytes * grown + 4096 * noise.integers(0, 3)
        rows.append(
            {
                "t_s": t_s,
                "rss_bytes": rss,
                "map_kernel_rss_bytes": rss,
                "map_heap_bytes": rss,
                "server_heap_in_use_bytes": 20 * 2**20 + kept_bytes * grown,
                "connections_completed": int(connections),
                "open_connections": int(within_s < 3),
                "phase": "load" if within_s < 3 else "settle" if within_s < 3.5 else "rest",
                "block": block + 1,
                "sockets": 4 + int(sockets * grown),
                "fds": 11,
                "threads": 5,
                "server_injected_bytes": (kept_bytes if claimed_bytes is None else claimed_bytes) * grown,
                "server_injected_events": (1.0 if claimed_times is None else claimed_times) * grown,
            }
        )
    kept = int(in_python * kept_bytes * min(until, PER_BLOCK * blocks))
    events = [
        PythonObjects(
            when=when,
            total_count=count,
            total_bytes=size_bytes,
            types={"bytes": TypeCount(count=count, bytes=size_bytes)},
        )
        for when, count, size_bytes in (("start", 10, 1000), ("end", 10 + kept // 1000, 1000 + kept))
    ]
    return Run(Path("somewhere"), Manifest(), pd.DataFrame(rows), events, torn=False)


def outcome(trial: LeakTrial, run: Run, exit_code: ExitCode = ExitCode.PLATEAU) -> TrialOutcome:
    return outcome_of(trial, run, judge_run(run), exit_code)


def test_a_leak_of_memory_is_detected_and_measured() -> None:
    found = outcome(trial_of("session", Share.FULL), recorded(kept_bytes=32 * KIB))
    assert found.result is TrialResult.DETECTED
    assert found.truth == pytest.approx(32 * KIB)
    assert found.slope == pytest.approx(32 * KIB, rel=0.05)
    assert found.slope_is_good
    assert found.climbs == ("memory",)
    assert found.detected_after is not None
    assert 0 < found.detected_after < BLOCKS * PER_BLOCK


def test_a_leak_that_is_taken_for_another_is_misnamed() -> None:
    found = outcome(trial_of("session", Share.FULL), recorded(kept_bytes=32 * KIB, in_python=0.0))
    assert found.result is TrialResult.MISNAMED
    assert found.culprits == (Culprit.NATIVE,)
    console = Console(width=80, record=True)
    console.print(outcome_table([found]))
    assert "native memory" in console.export_text()


def test_a_leak_that_is_counted_is_measured_in_counts() -> None:
    found = outcome(trial_of("socket", Share.FULL), recorded(sockets=1.0))
    assert found.result is TrialResult.DETECTED
    assert found.truth == pytest.approx(1.0)
    assert found.slope == pytest.approx(1.0, rel=0.05)
    assert found.climbs == ("sockets",)


def test_a_slope_far_from_the_truth_is_marked_but_no_failure() -> None:
    run = recorded(kept_bytes=32 * KIB, claimed_bytes=16 * KIB)
    found = outcome(trial_of("session", Share.FULL), run)
    assert found.as_expected
    assert found.slope_is_good is False
    assert footnotes([found])[1].startswith("!: more than 20 %")


def test_a_clean_control_is_clean_and_one_that_climbs_a_false_alarm() -> None:
    assert outcome(CONTROL, recorded()).result is TrialResult.CLEAN
    alarm = outcome(CONTROL, recorded(kept_bytes=32 * KIB))
    assert alarm.result is TrialResult.FALSE_ALARM
    assert not alarm.as_expected


def test_a_leak_at_full_size_that_does_not_climb_is_missed() -> None:
    missed = outcome(trial_of("session", Share.FULL), recorded(claimed_bytes=32 * KIB))
    assert missed.result is TrialResult.MISSED
    assert missed.detected_after is None


def test_a_tenth_that_the_plateau_admits_is_too_small_and_one_it_excludes_is_missed() -> None:
    tenth = trial_of("session", Share.TENTH)
    assert outcome(tenth, recorded(claimed_bytes=10)).result is TrialResult.TOO_SMALL
    assert outcome(tenth, recorded(claimed_bytes=10 * KIB)).result is TrialResult.MISSED
    sockets = trial_of("socket", Share.TENTH)
    assert outcome(sockets, recorded(claimed_times=0.005)).result is TrialResult.TOO_SMALL
    assert outcome(sockets, recorded(claimed_times=0.1)).result is TrialResult.MISSED


def test_too_short_a_run_is_undecided_for_a_tenth_and_missed_for_the_whole() -> None:
    short = recorded(kept_bytes=32 * KIB, blocks=5)
    assert outcome(trial_of("session", Share.TENTH), short).result is TrialResult.UNDECIDED
    assert outcome(trial_of("session", Share.FULL), short).result is TrialResult.MISSED


def test_a_run_that_a_busy_machine_cut_short_proves_nothing() -> None:
    short = replace(recorded(blocks=5), manifest=Manifest(load_plan=LoadPlan(connections=288)))
    for share in (Share.FULL, Share.TENTH):
        ended = outcome(trial_of("session", share), short)
        assert ended.result is TrialResult.CUT_SHORT
        assert not ended.as_expected
    found = replace(recorded(kept_bytes=32 * KIB), manifest=Manifest(load_plan=LoadPlan(connections=288)))
    assert outcome(trial_of("session", Share.FULL), found).result is TrialResult.DETECTED


def test_another_resource_than_the_one_that_leaks_is_misnamed() -> None:
    assert outcome(trial_of("session", Share.FULL), recorded(sockets=1.0)).result is TrialResult.MISNAMED
    both = recorded(sockets=1.0, kept_bytes=32 * KIB)
    assert outcome(trial_of("session", Share.FULL), both).result is TrialResult.MISNAMED
    assert outcome(trial_of("socket", Share.FULL), both).result is TrialResult.DETECTED


def test_growth_that_stops_by_itself_must_not_be_called_a_leak() -> None:
    cache = trial_of("cache", Share.FULL)
    ended = outcome(cache, recorded(kept_bytes=64 * KIB, until=60))
    assert ended.result in (TrialResult.ENDS, TrialResult.UNDECIDED)
    assert outcome(cache, recorded(kept_bytes=64 * KIB)).result is TrialResult.FALSE_ALARM


def test_a_server_that_died_is_no_detection() -> None:
    run = recorded(kept_bytes=32 * KIB)
    died = outcome(trial_of("session", Share.FULL), run, ExitCode.TARGET_FAILED)
    assert died.result is TrialResult.FAILED
    assert not died.as_expected


def test_a_server_that_says_nothing_of_leaks_has_none() -> None:
    run = recorded(kept_bytes=32 * KIB)
    bare = replace(run, samples=run.samples.drop(columns=["server_injected_bytes"]))
    assert truth_of(bare).bytes_per_connection == 0


def test_the_table_fits_a_terminal_and_everything_is_said() -> None:
    ended = [
        outcome(CONTROL, recorded()),
        outcome(trial_of("session", Share.FULL), recorded(kept_bytes=32 * KIB)),
    ]
    for trial in trials_of(["native-segment", "timer", "thread", "hotword"]):
        ended.append(replace(ended[1], trial=trial))
    console = Console(width=80, record=True, force_terminal=False)
    console.print(outcome_table(ended))
    console.print(outcome_line(ended[1]))
    lines = console.export_text().splitlines()
    assert max(map(len, lines)) <= 80
    assert any(line.startswith("native-segment:64B ") for line in lines)
    assert "detected after" in lines[-1]
    assert summary(ended) == f"All {len(ended)} as expected."
    bad = [*ended, replace(ended[0], result=TrialResult.FALSE_ALARM)]
    assert summary(bad) == f"1 of {len(bad)} not as expected: control (false alarm)."


def test_json_has_the_truth_beside_what_was_said() -> None:
    found = outcome(trial_of("session", Share.FULL), recorded(kept_bytes=32 * KIB)).to_json_object()
    assert found["injection"] == "session:32768B:1:0"
    assert (found["result"], found["verdict"], found["as_expected"]) == ("detected", "climbing", True)
    assert (found["climbs"], found["true_resources"]) == (["memory"], ["memory"])
    assert found["slope_within_20_percent"] is True
