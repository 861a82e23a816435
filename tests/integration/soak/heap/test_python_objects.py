"""Small Python objects, seen from outside, against what was made inside."""

from __future__ import annotations

import glob
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from soak.sources.heap import HeapOfTree, HeapReader, HeapReading

if TYPE_CHECKING:
    from collections.abc import Iterator

KEEPER = """
import sys
kept = [[] for _ in range(2_000_000 // 1000)]
for line in sys.stdin:
    for each in kept[: int(line) // 1000]:
        each.extend([object() for _ in range(1000)])
    print("done", flush=True)
"""
OBJECT_BYTES = 16
MADE = 400_000


def interpreters() -> Iterator[str]:
    """Yield every CPython from 3.8 on that is found on PATH, this one first."""
    yield sys.executable
    for minor in range(8, 15):
        found = shutil.which(f"python3.{minor}")
        if found and minor != sys.version_info.minor and starts(found):
            yield found


def starts(python: str) -> bool:
    """Tell whether there is an interpreter behind the name."""
    return subprocess.run([python, "-c", ""], capture_output=True, check=False).returncode == 0


def ask(process: subprocess.Popen[str], count: int) -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"{count}\n")
    process.stdin.flush()
    assert process.stdout.readline() == "done\n"


@pytest.mark.parametrize("python", [*interpreters()], ids=os.path.basename)
def test_objects_that_are_kept_are_counted_to_the_byte(python: str) -> None:
    with subprocess.Popen(
        [python, "-c", KEEPER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        ask(process, 1000)
        reader = HeapReader(process.pid)
        before = reader.read()
        ask(process, MADE)
        after = reader.read()
        process.kill()
    assert isinstance(before, HeapReading)
    assert isinstance(after, HeapReading)
    assert before.python_bytes is not None
    assert after.python_bytes is not None
    assert after.python_bytes - before.python_bytes == pytest.approx(MADE * OBJECT_BYTES, rel=0.001)


def test_a_tree_is_the_sum_of_its_processes() -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", KEEPER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    try:
        for process in processes:
            ask(process, 1000)
        alone = [HeapReader(process.pid).read() for process in processes]
        both = HeapOfTree().read([process.pid for process in processes])
    finally:
        for process in processes:
            process.kill()
            process.communicate()
    assert isinstance(both, HeapReading)
    known = [each for each in alone if isinstance(each, HeapReading)]
    assert len(known) == 2
    # an interpreter that waits for its next line may still free a buffer
    assert both.in_use_bytes == pytest.approx(sum(each.in_use_bytes for each in known), rel=0.02)
    assert both.arenas == 2
    assert both.python_bytes is not None


def test_a_program_without_python_has_no_such_figure() -> None:
    sleep = shutil.which("sleep")
    assert sleep is not None
    with subprocess.Popen([sleep, "60"]) as process:
        while not glob.glob(f"/proc/{process.pid}/map_files/*"):  # it has begun
            pass
        reading = HeapReader(process.pid).read()
        process.kill()
    if isinstance(reading, HeapReading):
        assert reading.python_bytes is None
    else:
        assert reading.reason
