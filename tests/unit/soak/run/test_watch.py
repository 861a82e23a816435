"""A run that is watched: every change of what stands is recorded, and a run until decided may end on it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pytest

from soak.analyse import judge_series
from soak.analyse.sequential import LookSchedule
from soak.config import load_config
from soak.judging import judge_run
from soak.record import RunDirectory, read_run
from soak.record.events import RunEnded
from soak.record.manifest import Configuration, Manifest
from soak.run.history import History
from soak.run.watch import Standing, VerdictWatch
from soak.verdict.verdict import Estimate, Follows, Label
from soak.words import sentence, sentences

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from soak.config import SoakConfig
    from soak.run.rows import Row
    from soak.verdict.verdict import SeriesVerdict

MIB = 1024 * 1024
BLOCK_S = 20
UNTIL_DECIDED = ["load.until_decided=true", "load.max_minutes=60"]


def _rows(blocks: int, *, kept_per_block: float, from_block: int = 0) -> Iterator[Row]:
    """Blocks of 25 connections with a rest after each; memory warms up, then grows or not."""
    noise = np.random.default_rng(3)
    for second in range(from_block * BLOCK_S, blocks * BLOCK_S):
        block, within = divmod(second, BLOCK_S)
        settled = 100 * MIB + 8 * MIB * (1 - np.exp(-block / 1.5)) + block * kept_per_block
        yield {
            "t_s": float(second),
            "rss_bytes": int(settled + 4096 * noise.integers(0, 4)),
            "connections_completed": 25 * block + min(25, 2 * within),
            "open_connections": int(within < 12),
            "phase": "load" if within < 12 else "settle" if within < 16 else "rest",
            "block": block,
        }


class Watched:
    """A run that is recorded and watched as by the conductor, one block after the other."""

    def __init__(self, folder: Path, settings: list[str], schedule: LookSchedule | None = None) -> None:
        self.config: SoakConfig = load_config("minimal", settings)
        self.directory = RunDirectory.create(folder, "minimal")
        configuration = Configuration.of(self.config.to_json_object())
        self.directory.write_manifest(Manifest(name="minimal", configuration=configuration))
        self.watch = VerdictWatch(self.config, self.directory, schedule)
        self.history = History()

    async def go_on(self, rows: Iterator[Row]) -> float | None:
        """Record the rows and look after each rest; return when the run may end, or None."""
        for row in rows:
            self.directory.append_sample(row)
            self.history.append(row)
            seconds = cast("float", row["t_s"])
            over = (seconds + 1) % BLOCK_S == 0
            if over and await self._looks() and self.watch.ends_the_run():
                return seconds
        return None

    async def _looks(self) -> bool:
        return await self.watch.look(
            self.history.series(), self.history.counts(), heap_was_read=self.history.heap_was_read()
        )

    def events(self, name: str) -> list[dict[str, Any]]:
        lines = (self.directory.path / "events.jsonl").read_text().splitlines()
        events = [json.loads(line, parse_constant=_no_json) for line in lines]
        return [event for event in events if event["event"] == name]


def _no_json(constant: str) -> float:
    raise AssertionError(f"other programs cannot read {constant} in an event")


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[type[Watched]]:
    """Give `Watched` with a folder of its own, closed at the end of the test."""
    begun: list[Watched] = []

    class Here(Watched):
        def __init__(self, settings: list[str], schedule: LookSchedule | None = None) -> None:
            super().__init__(tmp_path, settings, schedule)
            begun.append(self)

    yield cast("type[Watched]", Here)
    for each in begun:
        each.directory.close()


async def test_a_leak_in_a_run_of_planned_length_is_recorded_once_and_does_not_end_it(
    watched: Any,
) -> None:
    run = watched(["load.duration_s=3600"])
    assert await run.go_on(_rows(40, kept_per_block=25 * 65536)) is None
    (event,) = run.events("verdict")
    assert (event["verdict"], event["was"]) == ("climbing", "inconclusive")
    assert event["growth_bytes_per_connection"]["estimate"] == pytest.approx(65536, rel=0.1)
    assert event["climbing_confidence"] > run.config.judge.climbing_confidence
    standing = run.watch.standing
    assert standing.label is Label.CLIMBING
    assert f"after {standing.connections:.0f} connections: +6" in standing.in_words()
    assert run.events("final_look") == []
    run.watch.conclude(run.history.series())
    assert run.events("final_look") == []  # a run of planned length is judged by its plain settings


def _with_descriptors(rows: Iterator[Row], *, kept_per_connection: int) -> Iterator[Row]:
    for row in rows:
        completed = cast("int", row["connections_completed"])
        open_now = cast("int", row["open_connections"])
        yield {**row, "fds": 12 + open_now + kept_per_connection * completed}


async def test_a_day_is_warned_of_descriptors_that_climb_though_memory_is_flat(watched: Any) -> None:
    run = watched(["load.duration_s=86400"])
    await run.go_on(_with_descriptors(_rows(60, kept_per_block=0), kept_per_connection=1))
    standing = run.watch.standing
    assert standing.label is Label.CLIMBING
    assert standing.in_words().endswith("connections: file descriptors, +1.00 per connection")
    events = run.events("verdict")
    assert [event["resources"] for event in events if event["verdict"] == "climbing"] == [["fds"]]
    assert events[-1]["reason"].startswith("File descriptors climb: 1.00 per connection")


async def test_a_run_until_decided_ends_on_descriptors_that_climb(watched: Any) -> None:
    run = watched(UNTIL_DECIDED)
    noisy = _rows(180, kept_per_block=0)
    assert await run.go_on(_with_descriptors(noisy, kept_per_connection=1)) is not None
    run.directory.append_event(RunEnded(reason="finished"))
    verdict = judge_run(read_run(run.directory.path)).verdict
    assert verdict.label is Label.CLIMBING
    assert sentence(verdict.reasons[0]).startswith("File descriptors climb")


async def test_descriptors_that_come_and_go_with_connections_are_no_warning(watched: Any) -> None:
    run = watched(["load.duration_s=3600"])
    await run.go_on(_with_descriptors(_rows(60, kept_per_block=0), kept_per_connection=0))
    assert run.watch.standing.label is Label.PLATEAU
    assert all(event["resources"] == [] for event in run.events("verdict"))


def _kept_by_malloc(rows: Iterator[Row]) -> Iterator[Row]:
    """Tell of the same memory that all its growth is free memory on malloc's heap."""
    for row in rows:
        rss = cast("int", row["rss_bytes"])
        handed_out = 60 * MIB + 4096 * (cast("int", row["block"]) % 3)
        heap = {"map_heap_bytes": rss - 30 * MIB, "server_heap_in_use_bytes": handed_out}
        free = {"server_heap_free_bytes": rss - 30 * MIB - handed_out, "map_files_bytes": 30 * MIB}
        yield {**row, **heap, **free, "map_kernel_rss_bytes": rss}


@pytest.mark.parametrize("duration_s", [3600, 86400])  # with the looks of a day RSS is undecided yet
async def test_a_run_is_not_warned_of_memory_that_malloc_only_keeps(watched: Any, duration_s: int) -> None:
    run = watched([f"load.duration_s={duration_s}"])
    await run.go_on(_kept_by_malloc(_rows(40, kept_per_block=25 * 65536)))
    assert run.watch.standing is None
    assert run.events("verdict") == []
    said = sentence(run.watch.last_verdict.reasons[0])
    assert re.search(
        r"Heap in use is flat at 60 MiB|Heap in use explains at most .* of the growth of RSS", said
    )


async def test_what_no_longer_stands_is_recorded_too(watched: Any) -> None:
    run = watched(["load.duration_s=3600"])
    await run.go_on(_rows(40, kept_per_block=25 * 65536))
    top = 108 * MIB + 40 * 25 * 65536
    flat = ({**row, "rss_bytes": top} for row in _rows(160, kept_per_block=0, from_block=40))
    await run.go_on(flat)
    first, second, *_ = run.events("verdict")
    assert (first["verdict"], second["was"]) == ("climbing", "climbing")


@pytest.mark.parametrize(("kept_per_block", "label"), [(0.0, Label.PLATEAU), (25 * 65536.0, Label.CLIMBING)])
async def test_a_run_until_decided_ends_early_on_a_verdict_that_is_found_again(
    watched: Any, kept_per_block: float, label: Label
) -> None:
    run = watched(UNTIL_DECIDED)
    ended_s = await run.go_on(_rows(180, kept_per_block=kept_per_block))
    assert ended_s is not None
    assert ended_s < 1800
    (final,) = run.events("final_look")
    assert final["verdict"] == label
    assert final["up_to_s"] == ended_s
    # the block in progress is finished, and something odd in it changes nothing any more
    block = (int(ended_s) + 1) // BLOCK_S
    for row in _rows(block + 1, kept_per_block=0, from_block=block):
        run.directory.append_sample({**row, "rss_bytes": 900 * MIB})
    run.directory.append_event(RunEnded(reason="finished"))
    verdict = judge_run(read_run(run.directory.path)).verdict
    assert verdict.label is label
    assert verdict.memory.peak < 900 * MIB
    (said,) = [words for words in sentences(verdict.reasons) if "stopped early" in words]
    assert "of at most 1 h" in said
    assert ("would have shown" in said) is (label is Label.PLATEAU)


def _with_heap(rows: Iterator[Row], *, kept_per_connection: int) -> Iterator[Row]:
    """Read the heap from outside in each rest; what is not in use of RSS's growth, malloc keeps."""
    for row in rows:
        rss, done = (cast("int", row[name]) for name in ("rss_bytes", "connections_completed"))
        if row["phase"] == "rest":
            in_use = 40 * MIB + kept_per_connection * done
            heap = {"heap_in_use_bytes": in_use, "heap_free_bytes": rss - 30 * MIB - in_use}
            mapped = {
                "map_kernel_rss_bytes": rss,
                "map_heap_bytes": rss - 30 * MIB,
                "map_files_bytes": 30 * MIB,
            }
            yield {**row, **heap, **mapped}
        else:
            yield row


async def test_a_leak_in_the_heap_ends_the_run_before_rss_could(watched: Any) -> None:
    run = watched(UNTIL_DECIDED)
    rows = _with_heap(_rows(180, kept_per_block=25 * 700.0), kept_per_connection=700)
    ended_s = await run.go_on(rows)
    assert ended_s is not None
    verdict = judge_run(read_run(run.directory.path)).verdict
    assert verdict.label is Label.CLIMBING
    assert sentences(verdict.reasons)[0].startswith("Heap in use grows by 700 B per connection")
    assert "700 B per connection" in run.watch.standing.in_words()
    without = run.history.series().part(run.history.series().t_s <= ended_s)
    assert judge_series(without, run.watch.last.settings).label is not Label.CLIMBING


async def test_a_flat_heap_ends_the_run_while_the_allocator_still_keeps_more(watched: Any) -> None:
    run = watched(UNTIL_DECIDED)
    assert await run.go_on(_with_heap(_rows(180, kept_per_block=25 * 65536.0), kept_per_connection=0))
    verdict = judge_run(read_run(run.directory.path)).verdict
    assert verdict.memory.label is not Label.PLATEAU
    assert verdict.label is Label.PLATEAU
    assert run.events("final_look")[0]["verdict"] == "plateau"


async def test_a_plateau_found_early_excludes_what_the_longest_run_would(watched: Any) -> None:
    run = watched(UNTIL_DECIDED)
    await run.go_on(_rows(180, kept_per_block=0))
    verdict = judge_run(read_run(run.directory.path)).verdict
    whole_hour = 0.0025 * 108 * MIB
    assert verdict.memory.budget_per_hour == pytest.approx(whole_hour, rel=0.05)


async def test_undecided_at_its_end_a_run_is_judged_with_what_is_left_of_the_error(watched: Any) -> None:
    run = watched(["load.until_decided=true", "load.duration_s=100"])
    assert await run.go_on(_rows(5, kept_per_block=0)) is None
    run.watch.conclude(run.history.series())
    (final,) = run.events("final_look")
    assert not final["stopped_early"]
    left = 1 - 0.8 * (1 - run.config.judge.plateau_confidence)
    assert final["judge"]["plateau_confidence"] == pytest.approx(left)
    judged = judge_run(read_run(run.directory.path)).verdict
    assert judged.label is Label.INCONCLUSIVE
    assert any("went on to its end" in words for words in sentences(judged.reasons))


async def test_a_run_does_not_end_on_what_its_record_does_not_bear_out(watched: Any) -> None:
    run = watched(UNTIL_DECIDED, LookSchedule(looks_to_climb=1, looks_to_plateau=1))
    for row in _rows(60, kept_per_block=0):
        run.history.append(row)
    for row in _rows(4, kept_per_block=0):
        run.directory.append_sample(row)
    assert await run.watch.look(run.history.series(), run.history.counts())
    assert run.watch.last.standing is Label.PLATEAU
    assert run.watch.standing is None
    assert not run.watch.ends_the_run()
    assert run.events("final_look") == []


async def test_a_climb_of_descriptors_that_the_record_does_not_bear_out_is_no_event(watched: Any) -> None:
    run = watched(["load.duration_s=3600"], LookSchedule(looks_to_climb=1, looks_to_plateau=1))
    for row in _with_descriptors(_rows(60, kept_per_block=0), kept_per_connection=1):
        run.history.append(row)
    for row in _rows(4, kept_per_block=0):
        run.directory.append_sample(row)
    assert await run.watch.look(run.history.series(), run.history.counts())
    assert run.watch.standing is None
    assert run.events("verdict") == []


def _verdict() -> SeriesVerdict:
    history = History()
    for row in _rows(3, kept_per_block=0):
        history.append(row)
    return judge_series(history.series())


def test_what_stands_is_one_line_with_the_time_it_began() -> None:
    hourly = Estimate(3 * MIB, 2 * MIB, 4 * MIB)
    each = Estimate(65536.0, 6e4, 7e4)
    climbing = replace(
        _verdict(),
        label=Label.CLIMBING,
        growth_per_hour=hourly,
        growth_per_connection=each,
        follows=Follows.CONNECTIONS,
    )
    now = datetime.now(UTC)
    time = f"{now.astimezone():%H:%M}"
    words = Standing(Label.CLIMBING, now, 312, climbing).in_words()
    assert words == f"climbing since {time}, after 312 connections: +64 KiB per connection"
    by_time = replace(climbing, follows=Follows.TIME)
    assert Standing(Label.CLIMBING, now, 0, by_time).in_words() == f"climbing since {time}: +3 MiB per hour"
    flat = replace(climbing, label=Label.PLATEAU, level=894 * MIB)
    earlier = datetime(2026, 2, 3, 12, tzinfo=UTC)
    words = Standing(Label.PLATEAU, earlier, 1200, flat).in_words()
    assert words == f"plateau since {earlier.astimezone():%d %b %H:%M}, after 1,200 connections: 894 MiB"
