"""Following the driver and looking at what stands, with scripted messages and looks."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from soak.config import load_config
from soak.load.messages import Counters, Done, DriverEvent, Message, PhaseChanged
from soak.record import RunDirectory
from soak.record.events import Phase
from soak.run.following import Following
from soak.run.looking import Looking
from soak.run.rows import RowBuilder
from soak.run.view import Progress
from soak.verdict.verdict import Label

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from soak.run.history import History
    from soak.run.watch import VerdictWatch

CHANGE = {"clip": "a", "connection": 7, "first_connection": 2, "now": "x", "first": "y"}
DONE = Done(9.0, "finished", Counters(), 2.0, None, None)


class Lines:
    """A view that keeps what it is told."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.warned: list[str] = []

    def update(self, progress: Progress, history: History) -> None:
        pass

    def say(self, text: str) -> None:
        self.said.append(text)

    def warn(self, text: str) -> None:
        self.warned.append(text)

    def close(self) -> None:
        pass


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[RunDirectory]:
    with RunDirectory.create(tmp_path, "followed") as made:
        yield made


@pytest.fixture
def progress() -> Progress:
    return Progress(load_config("minimal").load)


async def test_phases_reach_the_rows_and_whoever_waits_for_them(
    directory: RunDirectory, progress: Progress
) -> None:
    rows, view = RowBuilder(), Lines()
    following = Following("minimal", directory, rows, progress, view)
    windows: list[int | None] = []
    ready: list[bool] = []
    ended: list[bool] = []

    async def messages() -> AsyncIterator[Message]:
        for phase in ("baseline", "load", "settle", "rest", "load", "rest", "done"):
            yield PhaseChanged(0.0, phase, 1)
            windows.append(rows.quiet_window)
            ready.append(following.ready.is_set())
            ended.append(following.quiet_window_ended.is_set())
        yield DriverEvent(0.0, "transcript_changed", CHANGE)
        yield DriverEvent(0.0, "transcript_changed", CHANGE)
        yield DONE

    assert await following.until_done(messages()) is DONE
    assert windows == [None, None, None, 1, None, 2, None]
    assert all(ready)
    assert ended == [False] * 4 + [True] * 3  # from the load after the first quiet window on
    assert len(view.warned) == 1  # of two changes
    assert "connection 7 got another transcript for a than connection 2" in view.warned[0]


async def test_a_driver_that_is_cut_off_has_no_last_word(directory: RunDirectory, progress: Progress) -> None:
    following = Following("minimal", directory, RowBuilder(), progress, Lines())

    async def messages() -> AsyncIterator[Message]:
        yield PhaseChanged(0.0, "baseline", 0)

    assert await following.until_done(messages()) is None
    text = (directory.path / "events.jsonl").read_text()
    assert f'"event": "{Phase.NAME}"' in text


class Standing:
    """What a scripted look says."""

    def __init__(self, label: Label) -> None:
        self.label = label
        self.verdict = SimpleNamespace(climbing=())  # no count climbs: it is memory

    def in_words(self) -> str:
        return f"{self.label} since noon"


class ScriptedWatch:
    """Says at each look what is written; a look without an entry is one too many."""

    def __init__(self, labels: list[Label | None], ends_after: int) -> None:
        self.labels = labels
        self.ends_after = ends_after
        self.looks = 0
        self.concluded: list[float] = []
        self.looked_at_s = 0.0
        self.last_verdict = None
        self.standing: Standing | None = None

    async def look(self, elapsed_s: float) -> bool:
        self.looked_at_s = elapsed_s
        label = self.labels[self.looks]
        self.looks += 1
        self.standing = None if label is None else Standing(label)
        return True

    def ends_the_run(self) -> bool:
        return self.looks >= self.ends_after

    def conclude(self, elapsed_s: float) -> None:
        self.concluded.append(elapsed_s)


async def test_a_climb_is_warned_of_once_and_the_load_ends_when_it_may(progress: Progress) -> None:
    watch = ScriptedWatch([None, Label.CLIMBING, Label.CLIMBING], ends_after=3)
    view, ended, finished = Lines(), asyncio.Event(), asyncio.Event()
    looking = Looking("minimal", cast("VerdictWatch", watch), progress, view)

    progress.take_row({"t_s": 77.0})

    async def finish() -> None:
        finished.set()

    looks = asyncio.create_task(looking.until_decided(ended, finish))
    while not finished.is_set():
        ended.set()
        await asyncio.sleep(0)
    await looks
    assert watch.looks == 3
    assert view.warned == ["minimal: memory is climbing since noon"]
    assert len(view.said) == 1
    assert progress.looked_at_s == 77.0
    looking.conclude()
    assert watch.concluded == []  # the run rests on the look that ended it


async def test_a_run_that_no_look_has_ended_is_looked_at_as_a_whole(progress: Progress) -> None:
    watch = ScriptedWatch([], ends_after=1)
    progress.take_row({"t_s": 99.0})
    Looking("minimal", cast("VerdictWatch", watch), progress, Lines()).conclude()
    assert watch.concluded == [99.0]
