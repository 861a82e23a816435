"""Resident memory by class of mapping, of texts as kernels write them and of a real process."""

import subprocess
import sys
from pathlib import Path

import pytest

from soak.sources.smaps import MappingReading, classify, read_mappings, stack_pointers

MIB = 2**20
STACK_BYTES = 8 * MIB
HOLDER = """
import ctypes, mmap, os, sys, tempfile, threading
libc = ctypes.CDLL(None)
libc.malloc.argtypes, libc.malloc.restype = (ctypes.c_size_t,), ctypes.c_void_p
libc.memset.argtypes = (ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t)
def fill(blocks):
    for _ in range(blocks):
        libc.memset(libc.malloc(65536), 1, 65536)
fill(160)                                            # 10 MiB in the main heap
ready, end = threading.Barrier(5), threading.Event()
def work():
    fill(48)                                         # 3 MiB in the thread's own arena
    ready.wait()
    end.wait()
threads = [threading.Thread(target=work, daemon=True) for _ in range(4)]
for thread in threads: thread.start()
ready.wait()
block = mmap.mmap(-1, 20 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
block.write(b"x" * (20 << 20))
shared = os.memfd_create("shared"); os.truncate(shared, 5 << 20)
both = mmap.mmap(shared, 5 << 20); both.write(b"x" * (5 << 20))
with tempfile.TemporaryFile(dir=sys.argv[1]) as gone:
    gone.write(b"x" * (7 << 20)); gone.flush()
    deleted = mmap.mmap(gone.fileno(), 7 << 20)
    sum(deleted[at] for at in range(0, 7 << 20, 4096))
model = open(sys.argv[1] + "/model.onnx", "w+b"); model.write(b"x" * (6 << 20)); model.flush()
mapped = mmap.mmap(model.fileno(), 6 << 20, prot=mmap.PROT_READ)
sum(mapped[at] for at in range(0, 6 << 20, 4096))
print("ready", flush=True)
sys.stdin.read()
"""


def mapping(span: str, permissions: str, rss_kib: int, path: str = "", **more: int) -> str:
    """One mapping as `/proc/P/smaps` writes it; sizes in KiB."""
    inode = 0 if not path or path.startswith("[") else 42
    start, end = span.split("-")
    lines = [
        f"{start}-{end} {permissions} 00000000 08:01 {inode}".ljust(73) + path,
        f"Size: {(int(end, 16) - int(start, 16)) // 1024} kB",
        "KernelPageSize:        4 kB",
        f"Rss: {rss_kib} kB",
        f"Pss: {more.get('pss', rss_kib)} kB",
        "Shared_Clean: 0 kB",
        "Private_Clean: 0 kB",
        f"Private_Dirty: {rss_kib} kB",
        f"Anonymous: {rss_kib} kB",
        f"LazyFree: {more.get('lazy', 0)} kB",
        f"AnonHugePages: {more.get('huge', 0)} kB",
        "Swap: 0 kB",
        "VmFlags: rd wr mr mw me ac sd ",
    ]
    return "\n".join(lines) + "\n"


def sums(*mappings: str, pointers: tuple[int, ...] = ()) -> MappingReading:
    return classify("".join(mappings).encode(), pointers, stack_bytes=STACK_BYTES, kernel_rss_bytes=0)


def test_an_arena_is_known_by_its_reservation() -> None:
    found = sums(
        mapping("7f0004000000-7f0004300000", "rw-p", 3000),
        mapping("7f0004300000-7f0008000000", "---p", 0),
        mapping("7f0008000000-7f000c000000", "rw-p", 65536),  # full
        mapping("7f0010100000-7f0010400000", "rw-p", 2000),  # a block that begins anywhere
    )
    assert (found.map_arenas_bytes, found.map_arenas) == ((3000 + 65536) * 1024, 2)
    assert found.map_anonymous_bytes == 2000 * 1024


def test_a_stack_merged_with_an_arena_below_the_border_keeps_the_arena_apart() -> None:
    found = sums(
        mapping("7f0003000000-7f0004100000", "rw-p", 1500),
        mapping("7f0004100000-7f0008000000", "---p", 0),
    )
    assert found.map_arenas_bytes == 1024 * 1024
    assert found.map_anonymous_bytes == 476 * 1024


def test_a_stack_lies_behind_a_guard_or_where_a_thread_points() -> None:
    guard = mapping("7f0010000000-7f0010001000", "---p", 0)
    behind = mapping("7f0010001000-7f0010801000", "rw-p", 64)
    elsewhere = mapping("7f0020000000-7f0020800000", "rw-p", 32)
    found = sums(guard, behind, elsewhere)
    assert (found.map_stacks_bytes, found.map_stacks) == (64 * 1024, 1)
    pointed = sums(guard, behind, elsewhere, pointers=(0x7F00207FF000,))
    assert (pointed.map_stacks_bytes, pointed.map_stacks) == (96 * 1024, 2)


def test_what_is_beyond_a_stacks_greatest_size_is_not_stack() -> None:
    found = sums(
        mapping("7f0010000000-7f0010001000", "---p", 0),
        mapping("7f0010001000-7f0012001000", "rw-p", 20 * 1024),
    )
    assert found.map_stacks_bytes == STACK_BYTES
    assert found.map_anonymous_bytes == 12 * MIB


def test_files_are_told_by_what_they_are() -> None:
    found = sums(
        mapping("555500000000-555500100000", "rw-p", 100, "[heap]"),
        mapping("7f0000000000-7f0000100000", "r-xp", 200, "/usr/lib/libonnxruntime.so.1"),
        mapping("7f0000100000-7f0000101000", "rw-p", 4, "/usr/lib/libonnxruntime.so.1"),
        mapping("7f0000101000-7f0000103000", "rw-p", 8),  # its static variables
        mapping("7f0001000000-7f0001100000", "rw-s", 50, "/memfd:segment (deleted)"),
        mapping("7f0003000000-7f0003001000", "r--p", 4, "[vvar]"),
    )
    assert found.map_heap_bytes == 100 * 1024
    assert found.map_libraries_bytes == 212 * 1024
    assert found.map_shared_bytes == 50 * 1024
    assert found.map_other_bytes == 4 * 1024


def test_a_model_and_a_deleted_file_are_no_libraries() -> None:
    assert sums(mapping("7f0000000000-7f0000100000", "r--s", 9, "/models/model.onnx")).map_files_bytes == 9216
    gone = mapping("7f0000000000-7f0000100000", "rw-s", 9, "/var/log/server.log (deleted)")
    assert sums(gone).map_deleted_bytes == 9216


def test_lazily_freed_and_huge_pages_are_told() -> None:
    found = sums(mapping("7f0010000000-7f0012000000", "rw-p", 4096, lazy=1024, huge=2048, pss=2000))
    assert (found.lazy_free_bytes, found.anon_huge_bytes) == (MIB, 2 * MIB)
    assert (found.pss_bytes, found.uss_bytes) == (2000 * 1024, 4 * MIB)


def test_a_real_process_comes_out_in_its_classes(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        folder = Path(f"/proc/{process.pid}")
        found = read_mappings(folder, stack_pointers(folder))
        process.communicate()
    assert found is not None
    assert found.map_heap_bytes >= 10 * MIB
    assert found.map_arenas == 4
    assert 12 * MIB <= found.map_arenas_bytes < 14 * MIB
    assert found.map_stacks == 5
    assert 0 < found.map_stacks_bytes < 2 * MIB
    assert found.map_anonymous_bytes >= 20 * MIB
    assert found.map_shared_bytes == 5 * MIB
    assert found.map_deleted_bytes == 7 * MIB
    assert 6 * MIB <= found.map_files_bytes < 8 * MIB
    assert found.map_libraries_bytes > MIB
    assert found.map_rss_bytes == pytest.approx(found.map_kernel_rss_bytes, rel=0.02)


def test_a_process_that_is_gone_is_a_gap(tmp_path: Path) -> None:
    assert read_mappings(tmp_path) is None
    assert stack_pointers(tmp_path) == []
