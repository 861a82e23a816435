"""Whole loads on a clock that jumps: hours pass in a moment, and every time is exact. No network."""

from __future__ import annotations

import asyncio
import selectors
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar

import pytest

from soak.load.arrivals import ArrivalProcess, Arrivals, Intensity
from soak.load.clips import Clip
from soak.load.driver import Driver
from soak.load.messages import Done, DriverEvent, Interval, PhaseChanged
from soak.load.plan import LoadPlan
from soak.load.scenarios import Answer, Connection, Scenario
from soak.load.session import SessionError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from soak.load.messages import Message

CLIPS = tuple(Clip(f"clip-{n}", "en", None, "", bytes(32000)) for n in range(3))
PLAN: dict[str, object] = {"url": "ws://127.0.0.1:1", "ready_timeout_s": None, "settle_s": 6.0, "rest_s": 3.0}


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """A loop whose clock stands still while there is work, and jumps to the next timer when there is none."""

    def __init__(self) -> None:
        self._virtual_s = 0.0
        super().__init__(_Jump(self))

    def time(self) -> float:
        return self._virtual_s

    def advance(self, seconds: float) -> None:
        self._virtual_s += seconds


class _Jump(selectors.DefaultSelector):
    def __init__(self, loop: VirtualTimeLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout:
            self._loop.advance(timeout)
        ready: list[tuple[selectors.SelectorKey, int]] = super().select(0 if timeout else timeout)
        return ready


@dataclass(frozen=True)
class Scripted(Scenario):
    """Takes so long, without a server; between `fails_from_s` and `fails_until_s` it is refused at once."""

    name: ClassVar[str] = "scripted"
    takes_s: float = 1.0
    fails_from_s: float = 0.0
    fails_until_s: float = 0.0
    began_s: list[float] = field(default_factory=list, compare=False)

    async def play(self, connection: Connection) -> Answer:
        now_s = asyncio.get_running_loop().time()
        self.began_s.append(round(now_s, 6))
        if self.fails_from_s <= now_s < self.fails_until_s:
            raise SessionError("connect_refused", "nobody is there")
        await asyncio.sleep(self.takes_s)
        return Answer(connection.clip.name, self.takes_s / 2, 0.0)


@dataclass(frozen=True)
class Recorded(Arrivals):
    """Arrivals at the times of somebody's log, the same in every block."""

    name: ClassVar[str] = "recorded"
    times_s: tuple[float, ...] = ()

    def planned_rate_per_s(self, intensity: Intensity) -> float:  # noqa: ARG002
        return len(self.times_s) / self.times_s[-1]

    def measured_rate_per_s(self, *_: object) -> float:
        raise AssertionError("the rate is known")

    def begin(self, intensity: Intensity, rate_per_s: float, start_s: float) -> ArrivalProcess:  # noqa: ARG002
        return _Replay([start_s + time_s for time_s in self.times_s])


class _Replay(ArrivalProcess):
    def __init__(self, due_s: list[float]) -> None:
        self.due_s = due_s

    def arrivals(self, now_s: float, room: int) -> int:
        due = sum(each <= now_s + 1e-9 for each in self.due_s[:room])
        del self.due_s[:due]
        return due

    def wait_s(self, now_s: float) -> float | None:
        return self.due_s[0] - now_s if self.due_s else None


def drive(scenario: Scripted, arrivals: Arrivals | None = None, **values: object) -> list[Message]:
    messages: list[Message] = []
    load = replace(LoadPlan.from_json_object(PLAN | values), scenario=scenario)
    if arrivals is not None:
        load = replace(load, arrival=arrivals)

    async def run() -> None:
        await Driver(load, CLIPS, messages.append).run()

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(run())
    return messages


def phases(messages: list[Message]) -> list[tuple[str, int, float]]:
    return [
        (message.phase, message.block, round(message.t_monotonic_s, 3))
        for message in messages
        if isinstance(message, PhaseChanged)
    ]


def event(messages: list[Message], name: str) -> Mapping[str, object]:
    (found,) = [message for message in messages if isinstance(message, DriverEvent) and message.event == name]
    return found.details


def done(messages: list[Message]) -> Done:
    last = messages[-1]
    assert isinstance(last, Done)
    return last


def test_hours_of_load_keep_their_rate_their_blocks_and_their_end() -> None:
    scenario = Scripted(takes_s=0.75)
    messages = drive(scenario, duration_s=14400, rate_per_s=0.5, max_open=2, report_interval_s=60)
    told = phases(messages)
    blocks = [(block, at_s) for phase, block, at_s in told if phase == "load"]
    # 231 s of load are 115.5 connections, rounded to 38 rounds of three clips: 228 s, and 9 s of quiet
    assert blocks == [(n + 1, 237.0 * n) for n in range(60)]
    assert scenario.began_s == [237.0 * block + 2.0 * n for block in range(60) for n in range(114)]
    assert [phase for phase, block, _ in told if block == 2] == ["load", "drain", "settle", "rest"]
    assert told[-1] == ("done", 60, 14400.0)
    assert done(messages).counters.connections_completed == 60 * 114
    intervals = [message.t_monotonic_s for message in messages if isinstance(message, Interval)]
    assert intervals[:-1] == pytest.approx([60.0 * (n + 1) for n in range(len(intervals) - 1)])
    assert len(intervals) >= 240


def test_a_rate_that_is_not_given_is_half_of_what_the_server_can_take() -> None:
    messages = drive(Scripted(takes_s=0.5), connections=200, max_open=2)
    # two places, half a second each: four a second, of which 2 are a rate of the series
    assert event(messages, "calibrated") == {
        "rate_per_s": 2.0,
        "throughput_per_s": pytest.approx(4.0, rel=0.2),
        "connections": pytest.approx(26, abs=2),  # until the server's sweep of six seconds is over
        "seconds": pytest.approx(6.5, abs=0.5),
    }
    assert done(messages).rate_per_s == 2.0
    assert done(messages).counters.connections_completed == 200


def test_clients_of_a_closed_loop_start_over_as_soon_as_they_are_done() -> None:
    scenario = Scripted(takes_s=2.0)
    messages = drive(scenario, duration_s=100, arrival="closed", max_open=3, block_s=20)
    load_s = next(at_s for phase, block, at_s in phases(messages) if (phase, block) == ("load", 1))
    in_block = [began_s - load_s for began_s in scenario.began_s if load_s <= began_s < load_s + 20]
    assert in_block == pytest.approx([2.0 * n for n in range(10) for _ in range(3)])
    assert done(messages).rate_per_s is None


def test_a_server_that_hangs_delays_arrivals_and_meets_no_backlog() -> None:
    scenario = Scripted(takes_s=10.0)
    messages = drive(scenario, connections=4, rate_per_s=1, max_open=2, block_s=60)
    assert scenario.began_s == [0.0, 1.0, 10.0, 11.0]
    assert done(messages).counters.arrivals_delayed == 2


def test_a_dead_server_is_asked_at_the_rate_or_ever_more_seldom() -> None:
    at_rate = Scripted(fails_until_s=100.0)
    drive(at_rate, duration_s=60, rate_per_s=1, block_s=40, max_open=4)
    assert at_rate.began_s[:5] == [0.0, 1.0, 2.0, 3.0, 4.0]
    in_a_loop = Scripted(fails_until_s=100.0)
    messages = drive(in_a_loop, duration_s=60, arrival="closed", block_s=40)
    pauses = [later - sooner for sooner, later in zip(in_a_loop.began_s, in_a_loop.began_s[1:], strict=False)]
    assert pauses[:6] == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.6, 2.0])
    assert done(messages).counters.failures == {"connect_refused": len(in_a_loop.began_s)}


def test_another_kind_of_arrivals_needs_nothing_of_the_driver() -> None:
    scenario = Scripted(takes_s=3.0)
    log = Recorded(times_s=(0.0, 0.5, 0.5, 7.0, 8.0, 20.0))
    messages = drive(scenario, log, connections=12, max_open=8, block_s=20)
    # 3 s for the last one, then 9 s of quiet
    assert scenario.began_s == [start_s + time_s for start_s in (0.0, 32.0) for time_s in log.times_s]
    assert done(messages).rate_per_s == pytest.approx(0.3)
