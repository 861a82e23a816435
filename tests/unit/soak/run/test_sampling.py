"""Sampling from scripted sources: what is written, what is told of gaps, and when it ends."""

from __future__ import annotations

import asyncio
import json
import math
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import pandas as pd
import pytest

from soak.columns import Column, Unit, declared
from soak.config import load_config
from soak.errors import SoakError, TargetError
from soak.record import RunDirectory
from soak.run import sampling as run_sampling
from soak.run.rows import RowBuilder
from soak.run.sampling import Sampling
from soak.run.sources import open_sources, sources_of
from soak.sources import (
    EverySample,
    Gap,
    Gone,
    MemorySource,
    OnceInEveryQuietWindow,
    Outcome,
    Reading,
    SourceReader,
    Watched,
)
from soak.sources.registry import foreign_columns
from soak.targets import ServerExit

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from soak.capabilities import Capability
    from soak.sources.cadence import Cadence

RSS = declared("rss_bytes")
TOY = Column("toy_bytes", "toy", Unit.BYTES, "toy")
WATCHED = Watched("ws://127.0.0.1:1", None)
EXITED = ServerExit(0, oom_killed=False, log_tail=())
WELL = Reading({"rss_bytes": 100})


class Script(SourceReader):
    """Gives what is written, again and again the last of it."""

    def __init__(self, outcomes: list[Any]) -> None:
        self.outcomes = outcomes
        self.closed = False

    def read(self) -> Outcome:
        outcome = self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]
        if isinstance(outcome, Exception):
            raise outcome
        found: Outcome = outcome() if callable(outcome) else outcome
        return found

    def close(self) -> None:
        self.closed = True


@dataclass(frozen=True)
class Scripted(MemorySource):
    """A source that gives what is written."""

    outcomes: list[Any] = field(default_factory=list)
    yields: tuple[Column, ...] = (RSS,)
    when: Cadence = field(default_factory=EverySample)
    name: ClassVar[str] = "scripted"

    def columns(self) -> tuple[Column, ...]:
        return self.yields

    def cadence(self) -> Cadence:
        return self.when

    def options(self) -> dict[str, Any]:
        return {}

    def open(self, target: Watched) -> SourceReader:
        assert target is WATCHED
        return Script(self.outcomes)


@dataclass(frozen=True)
class Toy(Scripted):
    name: ClassVar[str] = "toy"


class Target:
    """A server that ends after so many looks at it."""

    url, pid = "ws://127.0.0.1:1", None
    capabilities: frozenset[Capability] = frozenset()

    def __init__(self, looks: float) -> None:
        self.looks = looks

    def identity(self) -> dict[str, Any]:
        return {}

    def poll(self) -> ServerExit | None:
        self.looks -= 1
        return EXITED if self.looks < 0 else None

    def stop(self) -> None:
        pass


@dataclass
class Sampled:
    """What a sampling left behind."""

    rows: pd.DataFrame
    events: list[dict[str, Any]]

    def of(self, event: str) -> list[dict[str, Any]]:
        return [each for each in self.events if each["event"] == event]


@pytest.fixture
def sample(tmp_path: Path) -> Callable[..., Sampled]:
    """Sample from sources, `ticks` times after the first, and read what is recorded."""

    def sample(*sources: MemorySource, ticks: float = 3, phases: dict[int, str] | None = None) -> Sampled:
        with RunDirectory.create(tmp_path, "sampled", foreign_columns(sources)) as directory:
            rows = RowBuilder()
            written = 0

            def on_row(_row: object) -> None:
                nonlocal written
                written += 1
                if written in (phases or {}):
                    rows.phase_changed((phases or {})[written], 0)

            opened = open_sources(sources, WATCHED, directory, asked=True)
            own = Sampling(opened, rows, Target(ticks), directory, 0.02, on_row)

            async def conduct() -> None:
                await own.sample_all()
                assert await own.until_exit() is EXITED
                await own.sample_all()

            try:
                asyncio.run(conduct())
            finally:
                own.close()
                rows_read = pd.read_csv(directory.path / "samples.csv")
                lines = (directory.path / "events.jsonl").read_text().splitlines()
        return Sampled(rows_read, [json.loads(line) for line in lines])

    return sample


def test_the_first_source_with_rss_is_judged_and_others_add_columns(
    sample: Callable[..., Sampled],
) -> None:
    other = Toy([Reading({"toy_bytes": 7, "rss_bytes": 999})], (TOY, RSS))
    found = sample(Scripted([WELL]), other)
    assert found.rows["rss_bytes"].tolist() == [100] * 5
    assert found.rows["toy_bytes"].tolist() == [7] * 5
    assert found.rows.columns[-1] == "toy_bytes"
    (described,) = found.of("sources")
    assert [each["source"] for each in described["sources"]] == ["scripted", "toy"]
    assert described["sources"][1]["columns"] == {"toy_bytes": "bytes"}
    (read,) = found.of("sources_read")
    assert [each["readings"] for each in read["sources"]] == [6, 6]
    assert all(0 <= each["cpu_s"] <= each["wall_s"] + 0.01 for each in read["sources"])


def test_once_in_a_quiet_window_it_is_written_in_the_sample_after(sample: Callable[..., Sampled]) -> None:
    counter = iter(range(1, 100))
    toy = Toy([lambda: Reading({"toy_bytes": next(counter)})], (TOY,), OnceInEveryQuietWindow(share=1.0))
    phases = {3: "rest", 8: "load", 11: "rest"}
    found = sample(Scripted([WELL]), toy, ticks=18, phases=phases)
    known = found.rows["toy_bytes"].dropna()
    assert known.tolist() == [1, 2, 3, 4]  # at the begin, in two windows, at the end
    assert found.rows["phase"][known.index].tolist() == ["start", "rest", "rest", "rest"]


def test_a_gap_is_an_empty_cell_with_a_reason_that_is_told_once(sample: Callable[..., Sampled]) -> None:
    late = Gap("it did not answer")
    found = sample(Scripted([WELL, late, late, WELL, RuntimeError("boom\nbang"), WELL]), ticks=5)
    assert found.rows["rss_bytes"].isna().tolist() == [False, True, True, False, True, False, False]
    assert [each["reason"] for each in found.of("source_gap")] == [
        "it did not answer",
        "RuntimeError: boom bang",
    ]
    assert found.of("sources_read")[0]["sources"][0]["gaps"] == 3


def test_what_is_no_number_of_a_declared_column_is_left_out(sample: Callable[..., Sampled]) -> None:
    values = {"rss_bytes": 5, "toy_bytes": -1, "undeclared": 3}
    found = sample(Scripted([Reading(values), Reading({"rss_bytes": math.nan})], (RSS, TOY)))
    assert found.rows["rss_bytes"].isna().tolist() == [False, True, True, True, True]
    assert found.rows["toy_bytes"].isna().all()
    reasons = [each["reason"] for each in found.of("source_gap")]
    assert reasons == [
        "toy_bytes is left out: -1 is below 0",
        "undeclared is left out: the source does not declare it",
        "rss_bytes is left out: nan is no finite number",
    ]


def test_a_target_that_is_gone_ends_the_run_when_it_does_not_come_back(
    sample: Callable[..., Sampled],
) -> None:
    gone = Gap("the process is gone", Gone.TARGET)
    found = sample(Scripted([WELL, gone, gone, gone, WELL]), ticks=6)
    assert found.rows["rss_bytes"].isna().sum() == 3
    with pytest.raises(TargetError, match="can no longer be read: the process is gone"):
        sample(Scripted([WELL, gone]), ticks=math.inf)


def test_a_source_that_is_gone_is_not_asked_again_and_ends_the_run_only_if_it_is_judged(
    sample: Callable[..., Sampled],
) -> None:
    gone = Gap("the agent was stopped", Gone.SOURCE)
    found = sample(Scripted([WELL]), Toy([Reading({"toy_bytes": 1}), gone], (TOY,)))
    assert found.rows["toy_bytes"].tolist()[0] == 1
    assert found.rows["toy_bytes"].isna().tolist()[1:] == [True] * 4
    assert [each["reason"] for each in found.of("source_gone")] == ["the agent was stopped"]
    assert found.of("sources_read")[0]["sources"][1]["gaps"] == 1
    with pytest.raises(SoakError, match="by the source scripted: the agent was stopped"):
        sample(Scripted([WELL, gone]), ticks=math.inf)


def test_a_source_that_hangs_delays_one_sample_and_not_the_end(
    sample: Callable[..., Sampled], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_sampling, "LONGEST_READING_S", 0.5)
    over = threading.Event()

    def hang() -> Outcome:
        over.wait(60.0)
        return Reading({"toy_bytes": 2})

    found = sample(Scripted([WELL]), Toy([Reading({"toy_bytes": 1}), hang], (TOY,)), ticks=4)
    assert not over.is_set()
    over.set()
    assert found.rows["rss_bytes"].tolist() == [100] * 6
    assert found.rows["toy_bytes"].isna().tolist() == [False, True, True, True, True, True]


def test_a_source_that_answers_again_is_read_again(
    sample: Callable[..., Sampled], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_sampling, "LONGEST_READING_S", 0.5)
    asked = iter(range(100))
    go_on = threading.Event()

    def rss() -> Outcome:
        if next(asked) == 3:
            go_on.set()
        return WELL

    def late() -> Outcome:
        go_on.wait(60.0)
        return Reading({"toy_bytes": 2})

    toy = Toy([Reading({"toy_bytes": 1}), late, Reading({"toy_bytes": 3})], (TOY,))
    cells = sample(Scripted([rss]), toy, ticks=6).rows["toy_bytes"]
    assert cells.isna().tolist()[:3] == [False, True, True]
    assert cells.tolist()[-1] == 3


def test_what_a_run_reads_is_asked_for_by_name(tmp_path: Path) -> None:
    default = sources_of(load_config("minimal").sample)
    assert [each.name for each in default] == ["process", "process-details", "heap", "metrics"]
    asked = ["sample.sources=['process', 'metrics']", "sample.source_options={metrics={interval_s=9}}"]
    chosen = sources_of(load_config("minimal", asked).sample)
    assert [str(each.cadence()) for each in chosen] == ["every sample", "every 9 s"]
    for setting, said in (
        ("sample.sources=['telepathy']", r"sample\.sources: 'telepathy': choose one of process,"),
        ("sample.source_options={smoke={}}", r"sample\.source_options\.smoke: the run reads process,"),
        (
            "sample.source_options={metrics={interval_s=0}}",
            r"metrics: interval_s is 0: .* above 0",
        ),
        ("sample.source_options={metrics={colour='red'}}", r"'metrics': .* refuses its options"),
    ):
        with pytest.raises(SoakError, match=said):
            sources_of(load_config("minimal", [setting]).sample)
    with RunDirectory.create(tmp_path, "run") as directory:
        with pytest.raises(SoakError, match=r"process cannot be read of this server \(process\)"):
            open_sources(default, WATCHED, directory, asked=True)
        with pytest.raises(SoakError, match="nothing tells the memory"):
            open_sources(default, WATCHED, directory, asked=False)


def test_columns_of_two_sources_may_not_clash() -> None:
    other = Column("rss_bytes", "toy", Unit.SECONDS, "RSS")
    with pytest.raises(SoakError, match="rss_bytes is in bytes, not in s"):
        foreign_columns([Toy([], (other,))])
    with pytest.raises(SoakError, match="toy_bytes"):
        foreign_columns([Toy([], (TOY,)), Scripted([], (TOY,))])
    assert foreign_columns([Scripted([]), Toy([], (TOY, RSS))]) == (TOY,)
