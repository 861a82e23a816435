"""What does sampling cost the server under load, and what does it cost the machine?

Loads one bundled server in a closed loop, alternately sampled as `soak run` samples it and not sampled, and
compares the CPU time the server takes per connection, which a busy machine disturbs less than the connections
completed per second. Beside that, the sampler's own CPU as a share of one core.
"""

from __future__ import annotations

import asyncio
import os
import statistics
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
from soak.sample import FixedSchedule, ServerPages, ProcessTree, TimeBudget
from soak.target import BundledServer
from soak.target.flags import server_flags

ROUNDS = 6
ROUND_S = 12.0


async def sample_for_ever(server: BundledServer, sample: SampleConfig) -> None:
    """Read what `soak run` reads, when it reads it."""
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


if __name__ == "__main__":
    main()
