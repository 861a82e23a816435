"""What does sampling, attribution included, cost the server under load, and what does it cost the machine?

Loads one bundled server in a closed loop, alternately sampled as `soak run` samples it (memory, descriptors,
mappings by class, sockets, cgroup, /metrics) and not sampled, and compares the CPU time the server takes per
connection, which a busy machine disturbs less than the connections completed per second. Then the sampler's
own CPU as a share of one core, beside the tiny server and beside a process of 1.5 GB in 600 mappings.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from asr_server.paraformer.catalog import resolve_model
from soak.config import SampleConfig, load_config
from soak.load.messages import Done
from soak.load.plan import LoadPlan
from soak.run.driver_process import DriverProcess
from soak.sample import FixedSchedule, ProcessTree, ServerPages, TimeBudget
from soak.target import BundledServer
from soak.target.flags import server_flags

ROUNDS = 12
ROUND_S = 12.0
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


async def sample_for_ever(server: BundledServer, sample: SampleConfig) -> None:
    """Read what `soak run` reads, as often as it does at most."""
    tree, pages = ProcessTree(server.pid), ServerPages(server.url, verify_tls=False)
    budget = TimeBudget(share=sample.smaps_share, at_least_every_s=sample.smaps_interval_s)
    schedule = FixedSchedule(time.monotonic(), sample.interval_s)
    while True:
        await asyncio.sleep(schedule.next_due_s() - time.monotonic())
        began_s = time.monotonic()
        tick = schedule.take(began_s)
        tree.read(began_s)
        if budget.allows(began_s):
            await asyncio.to_thread(tree.read_details)
            budget.spent(began_s, time.monotonic())
        if tick.index % round(sample.metrics_interval_s / sample.interval_s) == 0:
            await asyncio.to_thread(pages.scrape_metrics)


@dataclass(frozen=True)
class Round:
    """What one round came to."""

    connections_per_s: float
    server_cpu_s_per_connection: float
    own_cpu_share: float
    """CPU of this process, as a share of one core."""


async def run_round(server: BundledServer, log: Path, *, sampled: bool) -> Round:
    """Load the server for one round."""
    plan = LoadPlan(
        server.url, duration_s=ROUND_S, arrival="closed", max_open=2, block_s=ROUND_S, settle_s=0, rest_s=0
    )
    process = psutil.Process(server.pid)
    began_s, began_cpu_s, began_server_s = time.monotonic(), time.process_time(), cpu_s(process)
    sampling = asyncio.create_task(sample_for_ever(server, SampleConfig())) if sampled else None
    driver = await DriverProcess.start(plan, log)
    completed = 0
    async for message in driver.messages():
        if isinstance(message, Done):
            completed = message.counters.connections_completed
    await driver.end()
    if sampling is not None:
        sampling.cancel()
    elapsed_s = time.monotonic() - began_s
    return Round(
        completed / elapsed_s,
        (cpu_s(process) - began_server_s) / completed,
        (time.process_time() - began_cpu_s) / elapsed_s,
    )


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


def cpu_s(process: psutil.Process) -> float:
    """Return the CPU time a process has taken."""
    times = process.cpu_times()
    return float(times.user + times.system)


async def compare(server: BundledServer, log: Path) -> None:
    """Print the ratio of each pair of rounds, and their median."""
    await run_round(server, log, sampled=False)  # warm-up
    cpu_ratios, rate_ratios, shares = [], [], []
    for number in range(ROUNDS):
        with_first = number % 2 == 0  # neither side always comes second
        first = await run_round(server, log, sampled=with_first)
        second = await run_round(server, log, sampled=not with_first)
        seen, bare = (first, second) if with_first else (second, first)
        cpu_ratios.append(seen.server_cpu_s_per_connection / bare.server_cpu_s_per_connection)
        rate_ratios.append(seen.connections_per_s / bare.connections_per_s)
        shares.append(seen.own_cpu_share - bare.own_cpu_share)
        print(f"CPU per connection {cpu_ratios[-1]:.4f} x, throughput {rate_ratios[-1]:.4f} x")
    for name, ratios in (("the server's CPU per connection", cpu_ratios), ("throughput", rate_ratios)):
        print(f"{name}: median {statistics.median(ratios):.4f} x, {min(ratios):.4f} to {max(ratios):.4f}")
    print(f"the sampler's own CPU: {statistics.median(shares):.4f} of one core")


def main() -> None:
    """Start the server, compare, stop it."""
    with tempfile.TemporaryDirectory() as folder:
        flags = server_flags(load_config("minimal").server, resolve_model("tiny"))
        log = Path(folder) / "log"
        server = BundledServer.start(flags, log=log, model={}, environment=os.environ)
        try:
            asyncio.run(compare(server, log))
        finally:
            server.stop()
    asyncio.run(share_of_a_core_beside_a_large_process(SampleConfig()))


if __name__ == "__main__":
    main()
