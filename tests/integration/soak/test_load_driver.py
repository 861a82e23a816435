"""Whole loads, with short rests, against a small server that speaks the protocol."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from rapidfuzz.distance import Levenshtein
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

from asr_server.wire import (
    Result,
    ServerDialogue,
    UtteranceEnded,
    WireError,
    encode_error,
    encode_result,
)
from soak.load.clips import Clip
from soak.load.driver import Driver
from soak.load.messages import Counters, Done, DriverEvent, Interval, PhaseChanged
from soak.load.plan import LoadPlan

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from websockets.asyncio.server import ServerConnection

    from soak.load.messages import Message

CLIPS = tuple(Clip(f"clip-{n}", "en", f"words {n}", "none", bytes([n, 0]) * 1600 * (n + 1)) for n in range(3))
QUICK: dict[str, object] = {
    "settle_s": 0.02,
    "rest_s": 0.01,
    "ready_timeout_s": None,
    "connect_timeout_s": 5,
    "result_timeout_s": 10,
    "close_timeout_s": 5,
}


class Server:
    """Answers every utterance with its length in bytes, unless told otherwise."""

    def __init__(self) -> None:
        self.url = ""
        self.open = 0
        self.most_open = 0
        self.heard: list[int] = []
        self.close_codes: Counter[int | None] = Counter()
        self.answering = asyncio.Event()
        self.answering.set()
        self.full = asyncio.Event()
        self.full_at = 0
        self.errors_every = 0
        self.mistaken_at = 0

    async def handle(self, connection: ServerConnection) -> None:
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        try:
            await self._converse(connection)
        except ConnectionClosed:
            pass
        finally:
            await connection.wait_closed()
            self.open -= 1
            self.close_codes[connection.close_code] += 1

    async def _converse(self, connection: ServerConnection) -> None:
        dialogue, length = ServerDialogue(), 0
        async for frame in connection:
            if isinstance(frame, bytes):
                length += len(frame)
                continue
            if UtteranceEnded() not in dialogue.receive_text(frame):
                continue
            self.heard.append(length)
            if len(self.heard) == self.full_at:
                self.full.set()
            await self.answering.wait()
            if self.errors_every and len(self.heard) % self.errors_every == 0:
                await connection.send(encode_error(WireError("out of luck"), "soak"))
            else:
                mistaken = len(self.heard) == self.mistaken_at
                text = "somebody else's words" if mistaken else f"{length} bytes"
                await connection.send(encode_result(Result(text, "soak", "2pass-offline")))
                await connection.send(encode_result(Result("", "soak", is_final=True)))


@contextlib.asynccontextmanager
async def running_server() -> AsyncIterator[Server]:
    server = Server()
    async with serve(server.handle, "127.0.0.1", 0, compression=None) as listener:
        server.url = f"ws://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
        yield server


def plan(url: str, **values: object) -> LoadPlan:
    return LoadPlan.from_json_object({"url": url, **QUICK, **values})


async def drive(load: LoadPlan, clips: tuple[Clip, ...] = CLIPS) -> list[Message]:
    messages: list[Message] = []
    await Driver(load, clips, messages.append).run()
    return messages


def done(messages: list[Message]) -> Done:
    last = messages[-1]
    assert isinstance(last, Done)
    return last


def totals(messages: list[Message]) -> Counters:
    return done(messages).counters


def phases(messages: list[Message]) -> list[tuple[str, int]]:
    return [(message.phase, message.block) for message in messages if isinstance(message, PhaseChanged)]


def events(messages: list[Message], name: str) -> list[DriverEvent]:
    return [message for message in messages if isinstance(message, DriverEvent) and message.event == name]


async def test_a_load_makes_its_connections_with_every_clip_in_turn_and_closes_them_all() -> None:
    async with running_server() as server:
        messages = await drive(plan(server.url, connections=7, rate_per_s=100, max_open=4, block_s=60))
    assert server.heard.count(len(CLIPS[0].pcm)) == 3
    assert sorted(server.heard) == sorted(len(CLIPS[n % 3].pcm) for n in range(7))
    assert server.close_codes == {1000: 7}
    counters = totals(messages)
    assert (counters.connections_opened, counters.connections_completed) == (7, 7)
    assert counters.connections_failed == 0
    assert round(counters.audio_s, 3) == round(sum(CLIPS[n % 3].duration_s for n in range(7)), 3)
    assert phases(messages) == [("load", 1), ("drain", 1), ("settle", 1), ("rest", 1), ("done", 1)]
    last = done(messages)
    assert last.reason == "finished"
    assert last.final_ms is not None
    assert last.final_ms.count == 7


async def test_blocks_are_separated_by_windows_without_a_single_connection() -> None:
    async with running_server() as server:
        open_in_quiet: list[int] = []
        messages: list[Message] = []

        def emit(message: Message) -> None:
            messages.append(message)
            if isinstance(message, PhaseChanged) and message.phase in {"settle", "rest", "done"}:
                open_in_quiet.append(server.open)

        load = plan(server.url, connections=30, rate_per_s=100, max_open=8, block_s=0.1, settle_s=0.05)
        await Driver(load, CLIPS, emit).run()
    blocks = [block for phase, block in phases(messages) if phase == "rest"]
    assert len(blocks) >= 3
    assert blocks == list(range(1, len(blocks) + 1))
    assert set(open_in_quiet) == {0}


async def test_a_time_limit_ends_the_load_after_its_last_rest() -> None:
    async with running_server() as server:
        messages = await drive(plan(server.url, duration_s=0.6, rate_per_s=50, max_open=4, block_s=0.1))
    assert phases(messages)[-2:] == [("rest", phases(messages)[-1][1]), ("done", phases(messages)[-1][1])]
    assert totals(messages).connections_completed > 0


async def test_a_load_whose_connections_are_made_does_not_wait_for_its_time_limit() -> None:
    async with running_server() as server, asyncio.timeout(60):
        load = plan(server.url, connections=3, duration_s=1000, rate_per_s=50, max_open=2, block_s=0.1)
        messages = await drive(load)
    assert totals(messages).connections_completed == 3


async def test_the_cap_holds_and_arrivals_that_meet_it_are_counted() -> None:
    messages: list[Message] = []
    async with running_server() as server:
        server.answering.clear()

        def emit(message: Message) -> None:
            messages.append(message)
            if isinstance(message, Interval) and message.counters.arrivals_delayed:
                server.answering.set()

        load = plan(server.url, connections=9, rate_per_s=200, max_open=3, block_s=60, report_interval_s=0.02)
        await Driver(load, CLIPS, emit).run()
    assert server.most_open == 3
    assert totals(messages).connections_completed == 9


async def test_a_group_is_open_together() -> None:
    async with running_server() as server:
        server.answering.clear()
        server.full_at = 4
        driving = asyncio.create_task(
            drive(plan(server.url, connections=8, rate_per_s=40, group=4, max_open=4, block_s=60))
        )
        await server.full.wait()
        server.answering.set()
        messages = await driving
    assert totals(messages).connections_completed == 8


async def test_a_closed_loop_keeps_its_clients_busy() -> None:
    async with running_server() as server:
        load = plan(server.url, connections=20, arrival="closed", max_open=5, block_s=60)
        messages = await drive(load)
    assert server.most_open == 5
    assert totals(messages).connections_completed == 20
    assert done(messages).rate_per_s is None
    (calibrated,) = events(messages, "calibrated")  # to size the blocks: clients of a loop have no rate
    assert calibrated.details["rate_per_s"] is None


async def test_a_rate_that_is_not_given_is_measured_and_said() -> None:
    async with running_server() as server:
        load = plan(server.url, connections=60, max_open=2, max_rate_per_s=100, block_s=60)
        messages = await drive(load)
    (calibrated,) = events(messages, "calibrated")
    rate_per_s = calibrated.details["rate_per_s"]
    assert 0 < rate_per_s <= min(100, calibrated.details["throughput_per_s"] / 2)
    assert done(messages).rate_per_s == rate_per_s
    assert totals(messages).connections_completed == 60
    assert [phase for phase, block in phases(messages) if block == 0] == [
        "calibrate",
        "drain",
        "settle",
        "rest",
    ]


async def test_failures_are_counted_by_kind_and_the_load_goes_on() -> None:
    async with running_server() as server:
        server.errors_every = 3
        messages = await drive(plan(server.url, connections=12, rate_per_s=200, max_open=1, block_s=60))
    counters = totals(messages)
    assert (counters.connections_completed, counters.failures) == (8, {"server_error": 4})
    assert {event.details["detail"] for event in events(messages, "connection_failed")} == {"out of luck"}
    assert server.close_codes == {1000: 12}


async def test_a_dead_server_costs_failures_at_the_arrival_rate_and_nothing_else() -> None:
    async with running_server() as server:
        url = server.url
    messages = await drive(plan(url, duration_s=0.5, rate_per_s=50, max_open=4, block_s=60))
    counters = totals(messages)
    assert counters.connections_opened == 0
    assert counters.failures == {"connect_refused": counters.connections_failed}
    assert 1 <= counters.connections_failed <= 25
    assert done(messages).reason == "finished"


async def test_clients_of_a_closed_loop_back_off_from_a_dead_server() -> None:
    async with running_server() as server:
        url = server.url
    messages = await drive(plan(url, duration_s=0.5, arrival="closed", max_open=2, block_s=60))
    assert 2 <= totals(messages).connections_failed <= 10


async def test_a_server_that_comes_back_is_used_again() -> None:
    async with running_server() as server:
        port = int(server.url.rpartition(":")[2])
    messages: list[Message] = []
    failed, completed = asyncio.Event(), asyncio.Event()

    def emit(message: Message) -> None:
        messages.append(message)
        if isinstance(message, DriverEvent):
            failed.set()
        elif isinstance(message, Interval) and message.counters.connections_completed:
            completed.set()

    load = plan(server.url, duration_s=100, rate_per_s=50, max_open=2, block_s=60, report_interval_s=0.02)
    driver = Driver(load, CLIPS, emit)
    driving = asyncio.create_task(driver.run())
    await failed.wait()
    async with serve(Server().handle, "127.0.0.1", port, compression=None):
        await completed.wait()
        driver.stop()
        assert await driving == "stopped"
    assert set(totals(messages).failures) == {"connect_refused"}


async def test_stopping_closes_what_is_open_and_counts_it_apart() -> None:
    async with running_server() as server:
        server.answering.clear()
        server.full_at = 3
        messages: list[Message] = []
        load = plan(server.url, connections=100, rate_per_s=200, max_open=3, block_s=60)
        driver = Driver(load, CLIPS, messages.append)
        driving = asyncio.create_task(driver.run())
        await server.full.wait()
        driver.stop()
        server.answering.set()
        assert await driving == "stopped"
        assert not [task for task in asyncio.all_tasks() if "_hold_session" in repr(task)]
    counters = totals(messages)
    assert (counters.connections_cut_short, counters.connections_failed) == (3, 0)
    assert server.close_codes == {1000: 3}
    assert done(messages).reason == "stopped"


async def test_a_load_that_is_to_finish_ends_after_its_block_and_that_blocks_rest() -> None:
    async with running_server() as server:
        messages: list[Message] = []

        def emit(message: Message) -> None:
            messages.append(message)
            if isinstance(message, PhaseChanged) and (message.phase, message.block) == ("load", 2):
                driver.finish()

        load = plan(server.url, duration_s=600, rate_per_s=100, max_open=3, block_s=0.06)
        driver = Driver(load, CLIPS, emit)
        assert await driver.run() == "finished"
    phases = [(each.phase, each.block) for each in messages if isinstance(each, PhaseChanged)]
    assert phases[-5:] == [("load", 2), ("drain", 2), ("settle", 2), ("rest", 2), ("done", 2)]
    counters = totals(messages)
    assert counters.connections_completed == 12  # both blocks are whole
    assert (counters.connections_cut_short, counters.connections_failed) == (0, 0)


async def test_a_changed_transcript_is_noticed() -> None:
    async with running_server() as server:
        messages: list[Message] = []
        clips = (CLIPS[0], Clip(CLIPS[0].name, "en", "", "none", CLIPS[1].pcm))  # one name, two contents
        load = plan(server.url, connections=2, rate_per_s=100, block_s=60)
        await Driver(load, clips, messages.append).run()
    (event,) = events(messages, "transcript_changed")
    assert event.details == {
        "clip": "clip-0",
        "connection": 2,
        "now": "6400 bytes",
        "first": "3200 bytes",
        "first_connection": 1,
    }
    assert totals(messages).transcripts_changed == 1


async def test_a_server_that_mixes_up_two_connections_is_found_out() -> None:
    async with running_server() as server:
        server.mistaken_at = 5
        messages = await drive(
            plan(server.url, connections=12, rate_per_s=100, max_open=1, block_s=60),
            tuple(replace(clip, transcript=f"{len(clip.pcm)} Bytes.") for clip in CLIPS),
        )
    counters = totals(messages)
    assert counters.transcripts_changed == 1
    (event,) = events(messages, "transcript_changed")
    assert event.details["connection"] == 5
    assert event.details["clip"] == "clip-1"
    assert (event.details["first"], event.details["now"]) == ("6400 bytes", "somebody else's words")
    assert counters.transcripts_checked == 12
    spoken = sum(len(f"{len(CLIPS[n % 3].pcm)}bytes") for n in range(12))
    assert counters.reference_characters == spoken
    assert counters.character_errors == Levenshtein.distance("6400bytes", "somebodyelseswords")
    (told,) = events(messages, "transcripts")[-1:]
    assert [
        (each["clip"], each["connections"], each["transcripts_changed"]) for each in told.details["clips"]
    ] == [
        ("clip-0", 4, 0),
        ("clip-1", 4, 1),
        ("clip-2", 4, 0),
    ]
    assert [event.details["transcript"] for event in events(messages, "first_transcript")] == [
        "3200 bytes",
        "6400 bytes",
        "9600 bytes",
    ]


async def test_what_became_of_the_clips_is_told_seldom_however_many_blocks_there_are() -> None:
    async with running_server() as server:
        messages = await drive(plan(server.url, connections=33, rate_per_s=200, max_open=4, block_s=0.01))
    blocks = max(block for _, block in phases(messages))
    told = events(messages, "transcripts")
    assert blocks >= 8
    assert len(told) <= blocks.bit_length() + 1
    assert sum(each["connections"] for each in told[-1].details["clips"]) == 33


async def test_readiness_and_baseline_come_before_the_first_counted_connection() -> None:
    async with running_server() as server:
        load = plan(
            server.url, connections=2, rate_per_s=100, block_s=60, ready_timeout_s=30, baseline_s=0.01
        )
        messages = await drive(load)
        assert len(server.heard) == 3
    (ready,) = events(messages, "ready")
    assert ready.details["attempts"] == 1
    assert ready.details["transcript"] == "3200 bytes"
    assert phases(messages)[:2] == [("baseline", 0), ("load", 1)]
    assert totals(messages).connections_opened == 2


async def test_a_server_that_never_gets_ready_ends_the_load() -> None:
    async with running_server() as server:
        url = server.url
    messages = await drive(plan(url, connections=2, rate_per_s=100, ready_timeout_s=0.3))
    (event,) = events(messages, "not_ready")
    assert event.details["kind"] == "connect_refused"
    assert done(messages).reason == "not_ready"


async def test_intervals_come_while_the_load_runs_and_never_go_back() -> None:
    async with running_server() as server:
        messages = await drive(
            plan(server.url, connections=20, rate_per_s=100, max_open=4, block_s=60, report_interval_s=0.02)
        )
    intervals = [message for message in messages if isinstance(message, Interval)]
    assert len(intervals) >= 3
    completed = [interval.counters.connections_completed for interval in intervals]
    assert completed == sorted(completed)
    assert completed[-1] == 20
    seen = sum(interval.final_ms.count for interval in intervals if interval.final_ms is not None)
    assert seen == 20
    assert max(interval.open_connections for interval in intervals) >= 1
    assert intervals[-1].open_connections == 0
