"""What does sampling cost the server under load, and what does it cost the machine?

Loads one bundled server in a closed loop, alternately sampled as `soak run` samples it and not sampled, and
compares the connections completed. Beside that, the sampler's own CPU as a share of one core.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import tempfile
import time
from pathlib import Path

from asr_server.paraformer.catalog import resolve_model
from soak.config import SampleConfig, load_config
from soak.load.messages import Done
from soak.load.plan import LoadPlan
from soak.run.driver_process import DriverProcess
from soak.sample import FixedSchedule, MetricsScraper, ProcessTree, TimeBudget
from soak.target import BundledServer
from soak.target.flags import server_flags

ROUNDS = 5
ROUND_S = 12.0


async def sample_for_ever(server: BundledServer, sample: SampleConfig) -> None:
    """Read what `soak run` reads, when it reads it."""
    tree, scraper = ProcessTree(server.pid), MetricsScraper(server.url, verify_tls=False)
    budget = TimeBudget(share=sample.smaps_share, at_least_every_s=sample.smaps_interval_s)
    schedule = FixedSchedule(time.monotonic(), sample.interval_s)
    while True:
        await asyncio.sleep(schedule.next_due_s() - time.monotonic())
        began_s = time.monotonic()
        tick = schedule.take(began_s)
        tree.read(began_s)
        if budget.allows(began_s):
            await asyncio.to_thread(tree.read_shared)
            budget.spent(began_s, time.monotonic())
        if tick.index % round(sample.metrics_interval_s / sample.interval_s) == 0:
            await asyncio.to_thread(scraper.scrape)


async def throughput(server: BundledServer, log: Path, *, sampled: bool) -> tuple[float, float]:
    """Return connections per second, and this process's CPU as a share of one core, over one round."""
    plan = LoadPlan(
        server.url, duration_s=ROUND_S, arrival="closed", max_open=2, block_s=ROUND_S, settle_s=0, rest_s=0
    )
    began_s, began_cpu_s = time.monotonic(), time.process_time()
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
    return completed / elapsed_s, (time.process_time() - began_cpu_s) / elapsed_s


async def compare(server: BundledServer, log: Path) -> None:
    """Print the ratio of each pair of rounds, and their median."""
    await throughput(server, log, sampled=False)  # warm-up
    ratios, shares = [], []
    for number in range(ROUNDS):
        with_first = number % 2 == 0  # neither side always comes second
        first = await throughput(server, log, sampled=with_first)
        second = await throughput(server, log, sampled=not with_first)
        (rate, share), (bare_rate, bare_share) = (first, second) if with_first else (second, first)
        ratios.append(rate / bare_rate)
        shares.append(share - bare_share)
        print(f"sampled {rate:6.2f}/s  not sampled {bare_rate:6.2f}/s  ratio {ratios[-1]:.4f}")
    print(f"median ratio {statistics.median(ratios):.4f}, from {min(ratios):.4f} to {max(ratios):.4f}")
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
