"""What reading the heap in use costs: the reader by size and pieces of the heap, and the server under load.

First a process with 1 GB of heap is read, in a thousand to a million blocks of which every second one is
free: CPU time of the reader for a reading, and that of the process that is read, which should be none. Then
the bundled server is kept busy, and its heap is read every second in every other window, far more often than
`soak run` reads it; windows are compared as in `harness_cost`.

    python -m benchmarks.heap_reading [comparisons]
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from asr_server.paraformer.catalog import resolve_model
from benchmarks.harness_cost import REPORT_S, WARM_UP_S, WINDOW_S, Load, compare, cpu_s, differences, tell
from soak.config import load_config
from soak.load.arrivals.closed_loop import ClosedLoop
from soak.load.plan import LoadPlan
from soak.run.driver_process import DriverProcess
from soak.sources.heap import HeapGap, HeapReader
from soak.targets import BundledServer
from soak.targets.flags import server_flags

COMPARISONS = 40
READINGS = 5
GIGABYTE = 10**9
GOAL_S_PER_GB = 0.3
PIECES = (1_000, 10_000, 100_000, 1_000_000)
"""Blocks that the heap is made of; every second one is free."""
HOLDER = """
import ctypes, sys
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.malloc.argtypes = [ctypes.c_size_t]
libc.free.argtypes = [ctypes.c_void_p]
libc.mallopt(-3, 2**30)  # M_MMAP_THRESHOLD: large blocks stay on the heap, too
count, size = int(sys.argv[1]), int(sys.argv[2])
blocks = [libc.malloc(size) for _ in range(count)]
for block in blocks:
    ctypes.memset(block, 1, size)
for block in blocks[::2]:
    libc.free(block)
print("ready", flush=True)
sys.stdin.read()
"""


class HeapSampler:
    """Reads the heap every second, under load, while it is switched on."""

    def __init__(self, pid: int) -> None:
        """Begin switched off."""
        self._reader = HeapReader(pid)
        self.readings = self.gaps = 0
        self.own_cpu_s = 0.0

    async def run(self, until_s: float) -> None:
        """Read until `until_s` of the monotonic clock."""
        while (now_s := time.monotonic()) + 0.5 < until_s:
            began_s = time.process_time()
            outcome = await asyncio.to_thread(self._reader.read)
            self.own_cpu_s += time.process_time() - began_s
            self.readings += 1
            self.gaps += isinstance(outcome, HeapGap)
            await asyncio.sleep(max(0.0, now_s + 1.0 - time.monotonic()))


def tell_cost_of_a_large_heap(pieces: int) -> None:
    """Print what one reading of 1 GB in so many blocks costs reader and process."""
    size = GIGABYTE // pieces
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(pieces), str(size)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        if process.stdout is None or not process.stdout.readline():
            raise SystemExit("the process with the large heap did not come up")
        reader = HeapReader(process.pid)
        reader.read()  # which finds the books
        before_s = cpu_s(process.pid)
        readings = [reader.read() for _ in range(READINGS)]
        theirs_s = cpu_s(process.pid) - before_s
        process.communicate()
    costs = []
    for each in readings:
        if isinstance(each, HeapGap):
            print(f"1 GB in {pieces:,} blocks: no reading: {each.reason}", flush=True)
            return
        costs.append(each.cpu_s / ((each.system_bytes + each.mmapped_bytes) / GIGABYTE))
    median = sorted(costs)[len(costs) // 2]
    met = "met" if median < GOAL_S_PER_GB else "missed"
    print(
        f"1 GB in {pieces:,} blocks, every second one free: {median:.3f} s of the reader's CPU per GB "
        f"(goal {GOAL_S_PER_GB} s {met}); of the process's {1000 * theirs_s / READINGS:.3f} ms",
        flush=True,
    )


async def beside_the_load(server: BundledServer, log: Path, comparisons: int) -> None:
    """Compare windows in which the heap is read every second with windows in which it is not."""
    whole_s = WARM_UP_S + 4 * comparisons * (WINDOW_S + 2 * REPORT_S)
    plan = LoadPlan(
        server.url, duration_s=whole_s, arrival=ClosedLoop(), max_open=2, block_s=whole_s,
        settle_s=0, rest_s=0, report_interval_s=REPORT_S,
    )  # fmt: skip
    driver = await DriverProcess.start(plan, log)
    try:
        load, sampler = Load(driver, server.pid), HeapSampler(server.pid)
        await load.mark(time.monotonic() + WARM_UP_S)
        read, bare = await compare(load, sampler, comparisons, seed=1)
        tell("recognised per second", differences(read.audio_per_s, bare.audio_per_s), cost_is=-1)
        tell("the server's CPU", differences(read.cpu_per_audio_s, bare.cpu_per_audio_s), cost_is=1)
        each_ms = 1000 * sampler.own_cpu_s / max(1, sampler.readings)
        print(f"{sampler.readings} readings of {each_ms:.1f} ms under load, {sampler.gaps} left out as torn")
        await driver.request_stop()
    finally:
        await driver.end()


def main() -> None:
    """Read large heaps, then that of a busy server."""
    comparisons = int(sys.argv[1]) if len(sys.argv) > 1 else COMPARISONS
    for pieces in PIECES:
        tell_cost_of_a_large_heap(pieces)
    with tempfile.TemporaryDirectory() as folder:
        flags = server_flags(load_config("minimal").server, resolve_model("tiny"))
        log = Path(folder) / "log"
        server = BundledServer.start(flags, log=log, model={}, environment=os.environ)
        try:
            asyncio.run(beside_the_load(server, log, comparisons))
        finally:
            server.stop()


if __name__ == "__main__":
    main()
