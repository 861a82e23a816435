"""The driver as its parent sees it: a process with a pipe at each end, against the bundled server."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
from typing import TYPE_CHECKING

import pytest

from soak.load.messages import STOP_LINE, Done, DriverEvent, Interval, PhaseChanged, decode
from soak.load.plan import LoadPlan

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator

    from soak.load.messages import Message


@contextlib.asynccontextmanager
async def running(*arguments: str) -> AsyncIterator[Process]:
    """Run a Python module with pipes; it is killed if the test leaves it running."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", *arguments, stdin=pipe, stdout=pipe, stderr=pipe
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


@contextlib.asynccontextmanager
async def bundled_server() -> AsyncIterator[str]:
    """Run the bundled server with its tiny model; yields its address."""
    async with running("asr_server", "--port", "0", "--decoder-thread-num", "2") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        line = await process.stdout.readline()
        assert line, (await process.stderr.read()).decode()
        draining = asyncio.create_task(process.stderr.read())
        yield json.loads(line)["url"]
        process.send_signal(signal.SIGTERM)
        await process.wait()
        await draining


def give(process: Process, text: str) -> None:
    assert process.stdin is not None
    process.stdin.write(text.encode())


def endless(url: str, **values: object) -> LoadPlan:
    """A load that ends only when it is told to."""
    fixed: dict[str, object] = {"duration_s": 1000, "rate_per_s": 5, "max_open": 4, "block_s": 500}
    return LoadPlan.from_json_object({"url": url, "report_interval_s": 0.1, **fixed, **values})


async def messages(process: Process) -> AsyncIterator[Message]:
    assert process.stdout is not None
    async for line in process.stdout:
        yield decode(line.decode())


async def until_completed(process: Process, connections: int) -> None:
    async for message in messages(process):
        if isinstance(message, Interval) and message.counters.connections_completed >= connections:
            return
    raise AssertionError("the driver ended too early")


async def last_message(process: Process) -> Message:
    return [message async for message in messages(process)][-1]


async def test_a_whole_load_on_the_bundled_server() -> None:
    plan = {"connections": 20, "max_open": 4, "block_s": 2, "settle_s": 0.1, "rest_s": 0.1}
    async with bundled_server() as url, running("soak.load") as driver:
        give(driver, json.dumps({"url": url, **plan}) + "\n")
        said = [message async for message in messages(driver)]
        assert await driver.wait() == 0
        assert driver.stderr is not None
        assert await driver.stderr.read() == b""
    done = said[-1]
    assert isinstance(done, Done)
    assert done.reason == "finished"
    assert done.counters.connections_completed == 20
    assert done.counters.connections_failed == 0
    assert done.counters.transcripts_changed == 0
    names = [message.event for message in said if isinstance(message, DriverEvent)]
    assert sorted(set(names)) == ["calibrated", "first_transcript", "ready", "transcripts"]
    told = [message for message in said if isinstance(message, DriverEvent)][-1].details["clips"]
    assert sum(clip["connections"] for clip in told) == 20
    assert names.count("first_transcript") == len(told)
    assert done.counters.transcripts_checked == 20
    assert done.counters.reference_characters > 0
    phases = [message.phase for message in said if isinstance(message, PhaseChanged)]
    assert phases[0] == "calibrate"
    assert phases[-1] == "done"


async def test_without_references_transcripts_are_only_compared_with_each_other() -> None:
    plan = {"connections": 20, "rate_per_s": 20, "max_open": 4, "settle_s": 0.1, "rest_s": 0.1}
    plan |= {"check_references": False}
    async with bundled_server() as url, running("soak.load") as driver:
        give(driver, json.dumps({"url": url, **plan}) + "\n")
        done = await last_message(driver)
    assert isinstance(done, Done)
    counted = done.counters
    assert (counted.connections_completed, counted.transcripts_checked, counted.transcripts_changed) == (
        20,
        0,
        0,
    )


@pytest.mark.parametrize("how", ["command", "end of input", "SIGTERM"])
async def test_the_parent_can_end_it_at_any_time(how: str) -> None:
    async with bundled_server() as url, running("soak.load") as driver:
        give(driver, endless(url).to_json_line() + "\n")
        await until_completed(driver, 1)
        if how == "command":
            give(driver, STOP_LINE)
        elif how == "end of input":
            assert driver.stdin is not None
            driver.stdin.close()
        else:
            driver.send_signal(signal.SIGTERM)
        done = await last_message(driver)
        assert await driver.wait() == 0
        assert driver.stderr is not None
        assert await driver.stderr.read() == b""
    assert isinstance(done, Done)
    assert done.reason == "stopped"
    assert done.counters.connections_failed == 0


async def test_control_c_is_the_parents_business() -> None:
    async with bundled_server() as url, running("soak.load") as driver:
        give(driver, endless(url).to_json_line() + "\n")
        await until_completed(driver, 1)
        driver.send_signal(signal.SIGINT)
        await until_completed(driver, 4)
        give(driver, STOP_LINE)
        done = await last_message(driver)
        assert await driver.wait() == 0
    assert isinstance(done, Done)
    assert done.counters.connections_failed == 0


async def test_a_server_that_dies_makes_failures_and_the_driver_goes_on() -> None:
    async with running("soak.load") as driver:
        async with bundled_server() as url:
            give(driver, endless(url).to_json_line() + "\n")
            await until_completed(driver, 1)
        async for message in messages(driver):
            if isinstance(message, Interval) and message.counters.failures.get("connect_refused", 0) >= 3:
                break
        give(driver, STOP_LINE)
        done = await last_message(driver)
        assert await driver.wait() == 0
    assert isinstance(done, Done)
    assert done.reason == "stopped"


async def test_it_is_quiet_when_its_parent_is_gone() -> None:
    async with bundled_server() as url, running("soak.load") as driver:
        give(driver, endless(url).to_json_line() + "\n")
        await until_completed(driver, 1)
        assert driver.stdin is not None
        transport = driver.stdout._transport  # type: ignore[union-attr]  # asyncio has no public way to close it
        transport.close()
        driver.stdin.close()
        assert await driver.wait() == 0
        assert driver.stderr is not None
        assert await driver.stderr.read() == b""


@pytest.mark.parametrize(
    "line", ["", "{", '{"url": "ws://127.0.0.1:1"}', '{"url": "http://x", "connections": 1}']
)
async def test_a_plan_that_cannot_be_carried_out_ends_in_one_line(line: str) -> None:
    async with running("soak.load") as driver:
        output, complaint = await driver.communicate(line.encode() + b"\n")
        assert driver.returncode == 2
    assert output == b""
    assert complaint.startswith(b"soak.load: ")
    assert complaint.count(b"\n") == 1
