"""Recordings as their reporters had them, where a copy stands beside the checkout."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from soak.judging import judge_run
from soak.recordings import read_runs
from soak.verdict.verdict import Label

CASES = next(
    (
        folder / "shared" / "cases"
        for folder in Path(__file__).parents[4:]
        if (folder / "shared" / "cases").is_dir()
    ),
    Path("/nonexistent"),
)
FILES = (
    {case["file"]: case["best_answer"] for case in json.loads((CASES / "truth.json").read_text())}
    if (CASES / "truth.json").is_file()
    else {}
)
STEPS = {
    "kaldi-triton-1240.txt": "reading",
    "kaldi-triton-1240-window.txt": "reading",
    "ws-804.log": "reading",
    "socketio-1742.txt": "reading",
    "siphon-8h.md": "unit",
    "geolens-643.md": "phase",
    "shodh-90.md": "cycle",
    "faster-whisper-856.txt": "reading",
    "triton-2750.log": "reading",
}
"""What is in order of something else than time."""
READINGS = {"vosk-server-11.log": 21, "node-4497.log": 11, "openclaw-131492.txt": 8, "kong-soak.md": 13}
TOO_COARSE = ("kaldi-triton-1240-window.txt", "triton-2750.log", "geolens-643.md")


@pytest.mark.skipif(not FILES, reason="no copy of the cases stands beside this checkout")
class TestCases:
    @pytest.mark.parametrize("file", sorted(FILES))
    def test_each_is_accepted_as_it_is(self, file: str) -> None:
        runs = read_runs(CASES / file)
        assert len(runs) == (5 if file == "grafana-hpa.csv" else 1)
        for run in runs:
            assert run.samples["rss_bytes"].notna().any()
            step = None if run.origin is None else run.origin.step
            assert step == STEPS.get(file)
        if file in READINGS:
            assert len(runs[0].samples) == READINGS[file]

    @pytest.mark.parametrize("file", TOO_COARSE)
    def test_what_was_read_too_coarsely_is_no_plateau(self, file: str) -> None:
        [run] = read_runs(CASES / file)
        assert judge_run(run).verdict.label is Label.INCONCLUSIVE
