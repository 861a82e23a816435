"""Reading a process: what the kernel says, summed over children, and gaps where it says nothing."""

import subprocess
import sys
from collections.abc import Iterator

import psutil
import pytest

from soak.sources import ProcessTree
from soak.sources.processes import parse_status

STATUS = """Name:\tserver
State:\tS (sleeping)
VmRSS:\t  100 kB
RssAnon:\t   60 kB
RssFile:\t   30 kB
RssShmem:\t   10 kB
VmSwap:\t    4 kB
Threads:\t7
"""
HOLDER = "import sys; kept = bytearray(b'x') * int(sys.argv[1]); print('ready', flush=True); sys.stdin.read()"
PARENT = (
    "import subprocess, sys\n"
    f"child = subprocess.Popen([sys.executable, '-c', {HOLDER!r}, '40000000'],"
    " stdin=sys.stdin, stdout=subprocess.PIPE)\n"
    "child.stdout.readline(); print('ready', flush=True); child.wait(); child.stdout.close()\n"
)


@pytest.fixture
def tree_of_two() -> Iterator[subprocess.Popen[str]]:
    """A process whose child holds 40 MB; both end when their standard input closes."""
    process = subprocess.Popen(
        [sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process
        process.communicate()


def test_the_kernels_words_become_bytes() -> None:
    read = parse_status(STATUS)
    assert read is not None
    memory, threads = read
    assert (memory.rss_bytes, memory.rss_anon_bytes, memory.swap_bytes) == (102_400, 61_440, 4096)
    assert memory.rss_anon_bytes + memory.rss_file_bytes + memory.rss_shmem_bytes == memory.rss_bytes
    assert threads == 7


def test_a_zombie_has_no_memory_to_read() -> None:
    assert parse_status("Name:\tserver\nState:\tZ (zombie)\nThreads:\t1\n") is None


def test_children_are_part_of_the_sum(tree_of_two: subprocess.Popen[str]) -> None:
    reading = ProcessTree(tree_of_two.pid).read(now_s=100.0)
    assert reading is not None
    assert reading.processes == 2
    assert reading.memory.rss_bytes > 40_000_000
    assert reading.threads >= 2
    assert reading.descriptors is not None
    assert reading.descriptors.fds >= 6


def test_what_the_kernel_counts_for_a_process_is_what_is_read() -> None:
    program = "print('up', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        reading = ProcessTree(process.pid).read(now_s=0.0)
        assert reading is not None
        assert reading.memory.rss_bytes == pytest.approx(
            psutil.Process(process.pid).memory_info().rss, rel=0.1
        )
        details = ProcessTree(process.pid).read_details()
        assert details is not None
        assert 0 < details.mappings.uss_bytes <= details.mappings.pss_bytes
        process.communicate(b"\n")


def test_a_process_that_ended_is_a_gap_not_a_number() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        tree = ProcessTree(process.pid)
        process.communicate(b"\n")
    assert tree.read(now_s=0.0) is None
