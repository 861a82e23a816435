"""What does sampling, attribution included, cost the server under load, and what does it cost the machine?

One bundled server is kept busy by two clients without a pause, and is sampled as `soak run` samples it
(memory, descriptors, mappings by class, sockets, cgroup, /metrics) in every other window of some seconds.
Four windows in the order ABBA or BAAB, which is drawn, are one comparison: what drifts over them is the same
for both sides. Compared are the seconds of audio that were recognised per second, and the CPU time that the
server took for one, which a busy machine disturbs less. The estimate is the trimmed mean of all comparisons,
its interval that of the bootstrap: neighbours that come and go spoil some comparisons, not the answer. A
comparison of the server with itself (nothing is sampled in either half) goes with it, and shows what the
method calls a difference where there is none. At last the CPU time of a single /metrics page, without load,
and the sampler's own CPU beside the tiny server and beside a process of 1.5 GB in 600 mappings.

    python benchmarks/harness_cost.py [comparisons]
"""

from __future__ import annotations

import asyncio
import math
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from asr_server.paraformer.catalog import resolve_model
from soak.config import SampleConfig, load_config
from soak.load.arrivals.closed_loop import ClosedLoop
from soak.load.messages import Interval
from soak.load.plan import LoadPlan
from soak.run.driver_process import DriverProcess
from soak.run.schedule import FixedSchedule, TimeBudget
from soak.sources import ProcessTree, ServerPages
from soak.targets import BundledServer
from soak.targets.flags import server_flags

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from numpy.typing import NDArray

COMPARISONS = 80
"""Of four windows each: some 21 minutes."""
SELF_COMPARISONS_SHARE = 0.25
"""So many more compare the server with itself."""
WINDOW_S = 4.0
WARM_UP_S = 20.0
REPORT_S = 0.1
"""How finely the load tells what it has sent: windows end where it does."""
TRIMMED_SHARE = 0.2
"""Of the comparisons, at either end."""
RESAMPLINGS = 10_000
PAGES = 300
GOAL = 0.01
LARGE_BYTES, LARGE_MAPPINGS = 1_500_000_000, 600
LARGE_S = 60.0
LARGE_PROCESS = f"""
import mmap, sys
count, size = {LARGE_MAPPINGS}, {LARGE_BYTES // LARGE_MAPPINGS}
blocks = [mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) for _ in range(count)]
for number, block in enumerate(blocks):
    if number % 2:  # neighbours would become one mapping
        block.madvise(mmap.MADV_DONTFORK)
    block.write(bytes(size))
print("ready", flush=True)
sys.stdin.read()
"""
"""Every page is written, so that all of it is resident."""


class Sampling(Protocol):
    """What is switched on in every other window."""

    async def run(self, until_s: float) -> None:
        """Sample until `until_s` of the monotonic clock."""


class Sampler:
    """Reads what `soak run` reads, as often as it does at most; its clock stands still while it is off."""

    def __init__(self, server: BundledServer, sample: SampleConfig) -> None:
        """Begin switched off."""
        self._tree, self._pages = ProcessTree(server.pid), ServerPages(server.url, verify_tls=False)
        self._budget = TimeBudget(share=sample.smaps_share, at_least_every_s=sample.smaps_interval_s)
        self._sample = sample
        self._ticks = 0
        self.own_cpu_s = 0.0
        """What sampling has taken of this process's CPU time."""

    async def run(self, until_s: float) -> None:
        """Sample until `until_s` of the monotonic clock."""
        every_s = self._sample.interval_s
        while (now_s := time.monotonic()) + every_s / 2 < until_s:
            began_cpu_s = time.process_time()
            self._tree.read(now_s)
            clock_s = self._ticks * every_s
            if self._budget.allows(clock_s):
                await asyncio.to_thread(self._tree.read_details)
                self._budget.spent(clock_s, clock_s + time.monotonic() - now_s)
            if self._ticks % round(self._sample.metrics_interval_s / every_s) == 0:
                await asyncio.to_thread(self._pages.scrape_metrics)
            self.own_cpu_s += time.process_time() - began_cpu_s
            self._ticks += 1
            await asyncio.sleep(max(0.0, now_s + every_s - time.monotonic()))


@dataclass
class Side:
    """What all windows of one side came to, in logarithms; two of each make half a comparison."""

    audio_per_s: list[float] = field(default_factory=list)
    cpu_per_audio_s: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Mark:
    """One moment: when, how much audio had been sent, what CPU time the server had taken."""

    at_s: float
    audio_s: float
    cpu_s: float


def cpu_s(pid: int) -> float:
    """Return the CPU time of all threads of a process, to the nanosecond (clock_getcpuclockid(3))."""
    return time.clock_gettime_ns((~pid << 3) | 2) / 1e9


class Load:
    """Two clients that never pause, and the moments at which they say how far they are."""

    def __init__(self, driver: DriverProcess, pid: int) -> None:
        """Listen to a driver that has its plan."""
        self._intervals: AsyncIterator[Interval] = self._read(driver)
        self._pid = pid

    async def mark(self, at_s: float) -> Mark:
        """Wait for the first word of the load from `at_s` on."""
        async for interval in self._intervals:
            if interval.t_monotonic_s >= at_s:
                return Mark(interval.t_monotonic_s, interval.counters.audio_s, cpu_s(self._pid))
        raise SystemExit("the load ended too early: is the server gone?")

    @staticmethod
    async def _read(driver: DriverProcess) -> AsyncIterator[Interval]:
        async for message in driver.messages():
            if isinstance(message, Interval):
                yield message


async def compare(load: Load, sampler: Sampling | None, comparisons: int, seed: int) -> tuple[Side, Side]:
    """Make so many comparisons; return the differences A - B of each as two columns, sampled first."""
    sides = Side(), Side()
    dice = np.random.default_rng(seed)
    before = await load.mark(time.monotonic())
    for number in range(comparisons):
        first = int(dice.integers(2))
        for side in (first, 1 - first, 1 - first, first):
            ends_s = before.at_s + WINDOW_S
            sampling = asyncio.create_task(sampler.run(ends_s)) if sampler and side == 0 else None
            after = await load.mark(ends_s)
            if sampling is not None:
                await sampling
            audio_s, elapsed_s = after.audio_s - before.audio_s, after.at_s - before.at_s
            sides[side].audio_per_s.append(math.log(audio_s / elapsed_s))
            sides[side].cpu_per_audio_s.append(math.log((after.cpu_s - before.cpu_s) / audio_s))
            before = after
        if sys.stderr.isatty():
            print(f"\r{number + 1} of {comparisons}", end="", file=sys.stderr)
    return sides


def differences(sampled: Sequence[float], bare: Sequence[float]) -> NDArray[np.float64]:
    """Return the difference of each comparison: the mean of its two windows on each side."""
    each = np.subtract(sampled, bare).reshape(-1, 2)
    return np.asarray(each.mean(axis=1), dtype=np.float64)


def ratio(logs: NDArray[np.float64]) -> tuple[float, float, float]:
    """Return the trimmed mean of logarithms as a ratio, with the 95 % interval of the bootstrap."""
    cut = int(TRIMMED_SHARE * len(logs))
    drawn = np.random.default_rng(0).choice(logs, (RESAMPLINGS, len(logs)))
    means = np.sort(drawn, axis=1)[:, cut : len(logs) - cut].mean(axis=1)
    middle = np.sort(logs)[cut : len(logs) - cut].mean()
    low, high = np.quantile(means, (0.025, 0.975))
    return float(np.exp(middle)), float(np.exp(low)), float(np.exp(high))


def tell(what: str, logs: NDArray[np.float64], *, cost_is: int) -> None:
    """Print a ratio; `cost_is` -1 where a cost makes it smaller, 1 where larger, 0 to leave the goal out."""
    middle, low, high = ratio(logs)
    words = f"{what}: {middle:.4f} x (95 % {low:.4f} to {high:.4f}; {len(logs)} comparisons)"
    if cost_is:
        most, least = (1 - low, 1 - high) if cost_is < 0 else (high - 1, low - 1)
        met = "met" if most < GOAL else "missed" if least > GOAL else "open"
        words += f": costs at most {100 * most:.2f} %, goal {100 * GOAL:.0f} % {met}"
    print(words, flush=True)


async def beside_the_load(server: BundledServer, log: Path, comparisons: int) -> None:
    """Compare sampled with not sampled windows, and windows that are not sampled with each other."""
    with_itself = max(1, round(SELF_COMPARISONS_SHARE * comparisons))
    whole_s = WARM_UP_S + 4 * (comparisons + with_itself) * (WINDOW_S + 2 * REPORT_S)
    plan = LoadPlan(
        server.url, duration_s=whole_s, arrival=ClosedLoop(), max_open=2, block_s=whole_s,
        settle_s=0, rest_s=0, report_interval_s=REPORT_S,
    )  # fmt: skip
    driver = await DriverProcess.start(plan, log)
    try:
        load, sampler = Load(driver, server.pid), Sampler(server, SampleConfig())
        await load.mark(time.monotonic() + WARM_UP_S)
        began_s = time.monotonic()
        sampled, bare = await compare(load, sampler, comparisons, seed=1)
        sampled_s = (time.monotonic() - began_s) / 2
        tell("recognised per second", differences(sampled.audio_per_s, bare.audio_per_s), cost_is=-1)
        tell("the server's CPU", differences(sampled.cpu_per_audio_s, bare.cpu_per_audio_s), cost_is=1)
        print(f"the sampler's own CPU: {sampler.own_cpu_s / sampled_s:.4f} of one core", flush=True)
        first, second = await compare(load, None, with_itself, seed=2)
        tell(
            "nothing against nothing, per second",
            differences(first.audio_per_s, second.audio_per_s),
            cost_is=0,
        )
        logs = differences(first.cpu_per_audio_s, second.cpu_per_audio_s)
        tell("nothing against nothing, CPU", logs, cost_is=0)
        await driver.request_stop()
    finally:
        await driver.end()


def tell_page_cost(server: BundledServer, sample: SampleConfig) -> None:
    """Print the server's CPU time for one /metrics page, and its share of the time between two."""
    pages = ServerPages(server.url, verify_tls=False)
    before_s = cpu_s(server.pid)
    for _ in range(PAGES):
        pages.scrape_metrics()
    each_s = (cpu_s(server.pid) - before_s) / PAGES
    share = each_s / sample.metrics_interval_s
    print(f"a /metrics page: {1000 * each_s:.2f} ms of the server's CPU, {100 * share:.3f} % of one core")


async def share_of_a_core_beside_a_large_process(sample: SampleConfig) -> float:
    """Return the CPU share of sampling a process of 1.5 GB as `soak run` does, at one sample a second."""
    with subprocess.Popen(
        [sys.executable, "-c", LARGE_PROCESS], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        if process.stdout is not None:
            process.stdout.readline()
        tree = ProcessTree(process.pid)
        details = tree.read_details()
        if details is None:
            raise SystemExit("the mappings of the large process cannot be read")
        resident, mapped = details.mappings.map_kernel_rss_bytes, details.mappings.map_rss_bytes
        print(f"large process: RSS {resident / 1e6:.0f} MB, classes together {mapped / resident:.4f} of it")
        budget = TimeBudget(share=sample.smaps_share, at_least_every_s=sample.smaps_interval_s)
        began_s, began_cpu_s = time.monotonic(), time.process_time()
        schedule, looks = FixedSchedule(began_s, sample.interval_s), 0
        while time.monotonic() - began_s < LARGE_S:
            await asyncio.sleep(schedule.next_due_s() - time.monotonic())
            now_s = time.monotonic()
            schedule.take(now_s)
            tree.read(now_s)
            if budget.allows(now_s):
                await asyncio.to_thread(tree.read_details)
                budget.spent(now_s, time.monotonic())
                looks += 1
        share = (time.process_time() - began_cpu_s) / (time.monotonic() - began_s)
        print(f"beside it the sampler took {share:.4f} of one core, with {looks} looks at the mappings")
        process.communicate()
    return share


def main() -> None:
    """Start the server, compare, stop it."""
    comparisons = int(sys.argv[1]) if len(sys.argv) > 1 else COMPARISONS
    with tempfile.TemporaryDirectory() as folder:
        flags = server_flags(load_config("minimal").server, resolve_model("tiny"))
        log = Path(folder) / "log"
        server = BundledServer.start(flags, log=log, model={}, environment=os.environ)
        try:
            asyncio.run(beside_the_load(server, log, comparisons))
            tell_page_cost(server, SampleConfig())
        finally:
            server.stop()
    asyncio.run(share_of_a_core_beside_a_large_process(SampleConfig()))


if __name__ == "__main__":
    main()
