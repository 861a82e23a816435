import ctypes
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
