"""A run that is watched: every change of what stands is recorded, and a run until decided may end on it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pytest

from soak.advice.advise import advise
from soak.analyse import Series, judge_series
from soak.analyse.sequential import LookSchedule
from soak.config import load_config
from soak.judging import judge_run
from soak.record import RunDirectory, read_run
from soak.record.events import RunEnded
from soak.record.manifest import Configuration, Manifest
from soak.run.watch import Standing, VerdictWatch
from soak.verdict.combine import combine
from soak.verdict.run_verdict import RunEvidence
from soak.verdict.verdict import Estimate, Follows, Label
from soak.words import sentence, sentences

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from soak.config import SoakConfig
    from soak.run.rows import Row
    from soak.verdict.run_verdict import RunVerdict
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

    async def go_on(self, rows: Iterator[Row]) -> float | None:
        """Record the rows and look after each rest; return when the run may end, or None."""
        for row in rows:
            self.directory.append_sample(row)
            seconds = cast("float", row["t_s"])
            over = (seconds + 1) % BLOCK_S == 0
            if over and await self.watch.look(seconds) and self.watch.ends_the_run():
                return seconds
        return None

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
    assert event["confidence"] == run.config.judge.confidence
    standing = run.watch.standing
    assert standing.label is Label.CLIMBING
    assert f"after {standing.connections:.0f} connections: +6" in standing.in_words()
    assert run.events("final_look") == []
    run.watch.conclude(800.0)
    assert run.events("final_look") == []  # a run of planned length just ends


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
    words = re.search(r"connections: file descriptors, \+(\S+) per connection$", standing.in_words())
    assert words is not None
    assert float(words[1]) == pytest.approx(1.0, rel=0.05)
    events = run.events("verdict")
    assert [event["resources"] for event in events if event["verdict"] == "climbing"] == [["fds"]]
    assert events[-1]["reason"].startswith("File descriptors climb: ")


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


async def test_a_run_is_not_warned_of_memory_that_malloc_only_keeps(watched: Any) -> None:
    run = watched(["load.duration_s=3600"])
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
    assert ("was excluded; less, or what begins later, was not" in said) is (label is Label.PLATEAU)


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
    run = watched([*UNTIL_DECIDED, "judge.max_growth_bytes_per_hour=1e6"])
    rows = _with_heap(_rows(180, kept_per_block=25 * 700.0), kept_per_connection=700)
    ended_s = await run.go_on(rows)
    assert ended_s is not None
    verdict = judge_run(read_run(run.directory.path)).verdict
    assert verdict.label is Label.CLIMBING
    assert sentences(verdict.reasons)[0].startswith("Heap in use grows by ")
    assert verdict.heap is not None
    assert verdict.heap.growth_per_connection is not None
    assert verdict.heap.growth_per_connection.estimate == pytest.approx(700, rel=0.05)
    assert " B per connection" in run.watch.standing.in_words()
    assert verdict.memory.label is not Label.CLIMBING


async def test_a_flat_heap_ends_the_run_while_the_allocator_still_keeps_more(watched: Any) -> None:
    run = watched(UNTIL_DECIDED)
    assert await run.go_on(_with_heap(_rows(180, kept_per_block=25 * 65536.0), kept_per_connection=0))
    verdict = judge_run(read_run(run.directory.path)).verdict
    assert verdict.memory.label is not Label.PLATEAU
    assert verdict.label is Label.PLATEAU
    assert run.events("final_look")[0]["verdict"] == "plateau"


async def test_undecided_at_its_end_a_run_says_that_it_went_on_to_it(watched: Any) -> None:
    run = watched(["load.until_decided=true", "load.duration_s=100", "judge.confidence=0.999999"])
    assert await run.go_on(_rows(5, kept_per_block=0)) is None
    run.watch.conclude(99.0)
    (final,) = run.events("final_look")
    assert (final["verdict"], final["stopped_early"]) == ("inconclusive", False)
    judged = judge_run(read_run(run.directory.path)).verdict
    assert judged.label is Label.INCONCLUSIVE
    assert any("went on to its end" in words for words in sentences(judged.reasons))


async def test_a_verdict_stands_only_once_looks_in_a_row_gave_it(watched: Any) -> None:
    run = watched(UNTIL_DECIDED, LookSchedule(growth=1.0001, looks_to_stand=3))
    await run.go_on(_rows(30, kept_per_block=25 * 65536))
    said = [event for event in run.events("verdict") if event["verdict"] == "climbing"]
    assert said
    assert said[0]["look"] >= 3
    first = watched(UNTIL_DECIDED, LookSchedule(growth=1.0001, looks_to_stand=1))
    assert await first.go_on(_rows(30, kept_per_block=25 * 65536)) < said[0]["up_to_s"]


async def test_a_look_says_what_a_judgement_of_the_record_would(watched: Any) -> None:
    run = watched(["load.duration_s=3600"])
    await run.go_on(_rows(12, kept_per_block=25 * 65536))
    looked = run.watch.last_verdict
    anew = VerdictWatch(run.config, run.directory)
    assert await anew.look(239.0)
    assert anew.last_verdict is not None
    judged = judge_run(read_run(run.directory.path)).verdict
    assert anew.last_verdict.probability_climbing == judged.probability_climbing
    assert (anew.last_verdict.label, anew.looked_at_s) == (judged.label, 239.0)
    assert looked.label is judged.label


def _verdict() -> SeriesVerdict:
    t_s = np.arange(60.0)
    return judge_series(Series(t_s, np.full(t_s.size, 100.0 * MIB)))


def _of_memory(memory: SeriesVerdict) -> RunVerdict:
    return combine(RunEvidence(memory), advise(memory))


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
    words = Standing(Label.CLIMBING, now, 312, _of_memory(climbing)).in_words()
    assert words == f"climbing since {time}, after 312 connections: +64 KiB per connection"
    by_time = replace(climbing, follows=Follows.TIME)
    words = Standing(Label.CLIMBING, now, 0, _of_memory(by_time)).in_words()
    assert words == f"climbing since {time}: +3 MiB per hour"
    flat = replace(climbing, label=Label.PLATEAU, level=894 * MIB)
    earlier = datetime(2026, 2, 3, 12, tzinfo=UTC)
    words = Standing(Label.PLATEAU, earlier, 1200, _of_memory(flat)).in_words()
    assert words == f"plateau since {earlier.astimezone():%d %b %H:%M}, after 1,200 connections: 894 MiB"
