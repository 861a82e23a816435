"""Synthetic runs with hand-made verdicts, as realistic as a picture of them has to be.

Run as a script, it writes the report of every one of them into a folder, to be looked at:

    python -m tests.unit.soak.report.conftest FOLDER
"""

from __future__ import annotations

import sys
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from soak.record import Run
from soak.record.events import FirstTranscript, ServerExited, TranscriptChanged, TranscriptCounts
from soak.record.manifest import Manifest
from soak.report.comparison_files import write_comparison
from soak.report.comparison_table import comparison_table
from soak.report.files import write_reports
from soak.report.html import render_html
from soak.report.model.comparison import comparison
from soak.report.terminal import render_terminal
from soak.verdict.reason import Reason, ReasonKind
from soak.verdict.run_verdict import Failure, RunVerdict
from soak.verdict.verdict import Basis
from tests.unit.soak.report.synthetic import (
    HOUR_S,
    Scenario,
    counted,
    joined,
    judged_run,
    told,
    unjudged,
    verdict,
    with_counts,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from soak.report.model import ReportModel


def healthy() -> tuple[Run, RunVerdict]:
    return judged_run(Scenario())


def leaking() -> tuple[Run, RunVerdict]:
    return judged_run(
        Scenario(name="leaking", start_mib=180, warm_mib=20, leak_bytes_per_connection=64 * 1024)
    )


def keeping() -> tuple[Run, RunVerdict]:
    """Memory is flat, but a socket, and so a descriptor, is kept in every third connection."""
    run, _ = judged_run(Scenario(name="keeping"))
    frame = run.samples.copy()
    kept = np.floor(frame["connections_completed"] / 3)
    frame["fds"] += kept
    frame["sockets"] += kept
    return replace(run, samples=frame), with_counts(verdict(Scenario(name="keeping"), frame), frame)


def corrupted() -> tuple[Run, RunVerdict]:
    """Memory is flat, but from the middle of the run connections get each other's words."""
    run, made = judged_run(Scenario(name="corrupted"))
    frame = run.samples.copy()
    late = (frame["t_s"] - 330).clip(0)
    frame["transcripts_changed"] = np.floor(late / 12)
    frame["character_errors"] += np.floor(late / 12) * 7
    changes = [
        TranscriptChanged(
            t_s=342.0 + 12 * number,
            clip=clip,
            connection=1000 + 36 * number,
            now=now,
            first=first,
            first_connection=at,
        )
        for number, (clip, now, first, at) in enumerate(
            [
                ("en-f2-03-digits", "seven 三八一零", "seven two nine", 2),
                ("cmn-f1-08-digits", "六二八", "六二八四零九五七", 3),
                ("en-f2-03-digits", "", "seven two nine", 2),
            ]
        )
    ]
    ended = [
        counted(599, 200, changed="en-f2-03-digits") if isinstance(e, TranscriptCounts) else e
        for e in run.events
    ]
    return replace(run, samples=frame, events=[*ended[:-2], *changes, *ended[-2:]]), made


def before_transcripts() -> tuple[Run, RunVerdict]:
    """A run recorded by a soak that only counted changed transcripts."""
    run, made = judged_run(Scenario(name="before"))
    new = ["transcripts_checked", "character_errors", "reference_characters"]
    frame = run.samples.drop(columns=new)
    frame.loc[frame["t_s"] > 200, "transcripts_changed"] = 1.0
    change = TranscriptChanged(t_s=200.0, clip="a", first="one", now="two")
    kept = [event for event in run.events if not isinstance(event, FirstTranscript | TranscriptCounts)]
    return replace(run, samples=frame, events=[*kept, change]), made


def long() -> tuple[Run, RunVerdict]:
    return judged_run(Scenario(name="day", duration_s=24 * HOUR_S, interval_s=2.0))


def crashed() -> tuple[Run, RunVerdict]:
    """The server dies after half the run; the recording's last line is cut."""
    run, made = judged_run(Scenario(name="crashed"))
    died = ServerExited(
        t_s=300.0,
        return_code=-9,
        oom_killed=True,
        how="killed by the kernel for want of memory (OOM)",
        log_tail=("load model: ok", "decode <b>failed</b>: std::bad_alloc"),
    )
    cut = run.samples[run.samples["t_s"] < 300]
    return (
        replace(run, samples=cut, events=[*run.events[:-1], died], torn=True),
        joined(
            replace(
                made.evidence,
                memory=replace(made.memory, restarts_at_s=(120.0,)),
                failure=Failure(Reason(ReasonKind.SERVER_DIED, {"t_s": 300.0, "how": died.how}), died=True),
            )
        ),
    )


def short_lived() -> tuple[Run, RunVerdict]:
    """Dead after two seconds: two samples, no load."""
    run, _ = judged_run(Scenario(name="short"))
    frame = run.samples.head(2)
    facts = {"quantity": "memory", "readings": 2}
    reason = Reason(ReasonKind.TOO_FEW_POINTS, facts)
    made = unjudged(frame["rss_bytes"].iloc[0], frame["rss_bytes"].max(), reason)
    return replace(run, samples=frame), made


def configurations() -> list[tuple[Run, RunVerdict]]:
    """The three configurations of FunASR issue 2164."""
    return [
        judged_run(Scenario(name="minimal", start_mib=882, warm_mib=12, max_open=1, seed=2)),
        judged_run(Scenario(name="medium", start_mib=894, warm_mib=140, max_open=8, seed=3)),
        judged_run(Scenario(name="high", start_mib=895, warm_mib=285, max_open=32, seed=4)),
    ]


def bare_csv() -> tuple[Run, RunVerdict]:
    """A CSV with nothing but time and RSS."""
    run, made = judged_run(Scenario(name="bare"))
    frame = run.samples[["t_s", "rss_bytes"]]
    memory = replace(made.memory, growth_per_connection=None, basis=Basis.LOAD_ENVELOPE)
    stripped = joined(replace(made.evidence, memory=memory, resources={}))
    return Run(Path("memory.csv"), Manifest(), frame, [], torn=False), stripped


def attached() -> tuple[Run, RunVerdict]:
    """A server without /metrics: columns are there but empty."""
    run, made = judged_run(Scenario(name="attached"))
    frame = run.samples.copy()
    for name in frame.columns:
        if name.startswith("server_") or name in {"pss_bytes", "uss_bytes"}:
            frame[name] = np.nan
    return replace(run, samples=frame), with_counts(made.memory, frame)


def nothing_read() -> tuple[Run, RunVerdict]:
    """Not one reading succeeded."""
    frame = pd.DataFrame({"t_s": [0.0, 1.0], "rss_bytes": [np.nan, np.nan]})
    return Run(Path("empty"), Manifest(), frame, [], torn=True), unjudged(
        0, 0, Reason(ReasonKind.NOTHING_READ, {"quantity": "memory"})
    )


SCENARIOS: dict[str, Callable[[], tuple[Run, RunVerdict]]] = {
    "healthy": healthy,
    "leaking": leaking,
    "keeping": keeping,
    "corrupted": corrupted,
    "before_transcripts": before_transcripts,
    "long": long,
    "crashed": crashed,
    "short_lived": short_lived,
    "bare_csv": bare_csv,
    "attached": attached,
    "nothing_read": nothing_read,
}


@cache
def synthetic(name: str) -> tuple[Run, RunVerdict]:
    """The synthetic run of a name, made once."""
    return SCENARIOS[name]()


@cache
def model_of(name: str) -> ReportModel:
    """What is told of the synthetic run of a name, worked out once."""
    return told(*synthetic(name))


@cache
def document_of(name: str) -> str:
    """The page of the synthetic run of a name, rendered once: rendering is slow."""
    return render_html(model_of(name))


@pytest.fixture(scope="session", params=sorted(SCENARIOS))
def any_name(request: pytest.FixtureRequest) -> str:
    """The name of every synthetic run in turn."""
    name: str = request.param
    return name


@pytest.fixture(scope="session")
def judged() -> Callable[[str], tuple[Run, RunVerdict]]:
    """The synthetic run of a name with its verdict, for a test that changes one of them."""
    return synthetic


@pytest.fixture(scope="session")
def model() -> Callable[[str], ReportModel]:
    """What is told of the synthetic run of a name."""
    return model_of


@pytest.fixture(scope="session")
def document() -> Callable[[str], str]:
    """The page of the synthetic run of a name."""
    return document_of


@pytest.fixture(scope="session")
def three_configurations() -> list[ReportModel]:
    """Minimal, medium and high, as measured on the original server."""
    return [told(*each) for each in configurations()]


@pytest.fixture(scope="session")
def configured() -> Callable[..., ReportModel]:
    """What is told of a synthetic run of one's own making, by the fields of `Scenario`."""
    return lambda **fields: told(*judged_run(Scenario(**fields)))


def _write_all(folder: Path) -> None:
    console = Console(width=80)
    for name, make in SCENARIOS.items():
        run, made = make()
        target = folder / name
        target.mkdir(parents=True, exist_ok=True)
        written = told(replace(run, path=target), made)
        write_reports(written)
        console.print(render_terminal(written), "")

    three = comparison([told(*each) for each in configurations()])
    write_comparison(three, folder)
    mixed = [told(*each) for each in (configurations()[1], leaking(), corrupted())]
    write_comparison(comparison(mixed), folder / "leaking")
    console.print(comparison_table(three))
    for note in three.transcript_notes:
        console.print(note.text)


if __name__ == "__main__":
    _write_all(Path(sys.argv[1]))
