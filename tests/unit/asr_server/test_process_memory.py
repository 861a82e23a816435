import ctypes
import os
import subprocess
import sys
import threading

import psutil
import pytest

from asr_server import process_memory

MEBIBYTE = 2**20


def test_resident_memory_and_threads_are_what_the_kernel_says() -> None:
    usage = process_memory.read_process_usage()
    assert usage is not None
    assert usage.resident_memory_bytes == pytest.approx(psutil.Process().memory_info().rss, rel=0.05)
    assert usage.threads >= threading.active_count()


def test_a_malloc_shows_in_the_heap_and_leaves_it_when_freed() -> None:
    libc = ctypes.CDLL(None)
    libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, (ctypes.c_size_t,)
    libc.free.argtypes = (ctypes.c_void_p,)
    before = process_memory.read_heap_usage()
    if before is None:
        pytest.skip("this C library has no mallinfo2")
    block = libc.malloc(64 * MEBIBYTE)
    during = process_memory.read_heap_usage()
    libc.free(block)
    after = process_memory.read_heap_usage()
    assert during is not None
    assert after is not None
    assert during.in_use_bytes - before.in_use_bytes == pytest.approx(64 * MEBIBYTE, abs=MEBIBYTE)
    assert after.in_use_bytes == pytest.approx(before.in_use_bytes, abs=MEBIBYTE)


def test_a_c_library_without_the_calls_reads_as_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_memory, "_mallinfo2", None)
    monkeypatch.setattr(process_memory, "_malloc_trim", None)
    assert process_memory.read_heap_usage() is None
    assert process_memory.trim_heap() is False


MAPPED_BLOCK = """
import ctypes
from asr_server import process_memory
if RAISE:
    process_memory.raise_heap_thresholds()
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, (ctypes.c_size_t,)
before = process_memory._mallinfo2().hblks
libc.malloc(8 * 2**20)
print(process_memory._mallinfo2().hblks - before)
"""


@pytest.mark.parametrize(
    ("raised", "environment", "mapped"),
    [(False, {}, 1), (True, {}, 0), (True, {"MALLOC_MMAP_THRESHOLD_": "131072"}, 1)],
    ids=["as it is", "raised", "set by the environment"],
)
def test_after_the_thresholds_are_raised_large_blocks_come_from_the_heap(
    raised: bool, environment: dict[str, str], mapped: int
) -> None:
    if process_memory.read_heap_usage() is None:
        pytest.skip("this C library has no mallinfo2")
    done = subprocess.run(
        [sys.executable, "-c", MAPPED_BLOCK.replace("RAISE", str(raised))],
        env={**os.environ, **environment},
        capture_output=True,
        check=True,
        text=True,
    )
    assert int(done.stdout) == mapped
