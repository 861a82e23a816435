"""A program of the C compiler's whose heap is shaped on request and that says what mallinfo2 says of it."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SOURCE = Path(__file__).with_name("heap_shapes.c")


@dataclass(frozen=True)
class Truth:
    """What mallinfo2(3) says in the process itself, in bytes."""

    system_bytes: int
    in_use_bytes: int
    free_bytes: int
    mmapped_blocks: int
    mmapped_bytes: int
    fast_bytes: int


AWAKE = {"running", {"x86_64": "202", "aarch64": "98"}.get(platform.machine(), "")}
"""First words of a thread's `syscall` in `/proc` that does not sleep for good: none, or futex."""


class Shaper:
    """The running program."""

    def __init__(self, program: Path, **environment: str) -> None:
        """Start it with `environment` laid over ours."""
        self.process = subprocess.Popen(
            [program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
            env={**os.environ, **environment},
        )
        self.pid = self.process.pid

    def tell(self, command: str) -> Truth:
        """Have one command carried out; return what is true after it."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{command}\n")
        system, uordblks, fordblks, blocks, mapped, fast = map(int, self.process.stdout.readline().split())
        return Truth(system, uordblks + mapped, fordblks, blocks, mapped, fast)

    def wait_until_asleep(self) -> None:
        """Wait until all threads sleep in the kernel for good, which then tells where their stacks are.

        Who waits at the barrier, or for another thread's lock, sleeps in a futex and will wake again.
        """
        ends_s = time.monotonic() + 30
        tasks = Path(f"/proc/{self.pid}/task")
        while any((each / "syscall").read_text().split()[0] in AWAKE for each in tasks.iterdir()):
            assert time.monotonic() < ends_s, "a thread never went to sleep"

    def end(self) -> None:
        """End it, and take its pipes down."""
        self.process.kill()
        self.process.communicate()

    def __enter__(self) -> Self:
        """Return self."""
        return self

    def __exit__(self, *_: object) -> None:
        """End it."""
        self.end()


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Return a function that compiles a C source of this folder with the flags given."""

    def compile_source(source: Path = SOURCE, *flags: str) -> Path:
        compiler = shutil.which("c++" if source.suffix == ".cc" else "cc")
        if compiler is None:
            pytest.skip(f"no compiler for {source.suffix} files is installed")
        program = tmp_path_factory.mktemp("program") / source.stem
        command = [compiler, "-O1", "-g", "-pthread", "-o", str(program), str(source), *flags]
        made = subprocess.run(command, capture_output=True, text=True, check=False)
        if made.returncode and "-static" in flags:
            pytest.skip(f"the static C library is not installed: {made.stderr.splitlines()[-1]}")
        assert made.returncode == 0, made.stderr
        return program

    return compile_source


@pytest.fixture(scope="session")
def heap_shapes(compiled: Callable[..., Path]) -> Path:
    """The compiled program."""
    return compiled()


@pytest.fixture
def shaper(heap_shapes: Path) -> Iterator[Shaper]:
    """The program, running, with glibc as it is by default."""
    with Shaper(heap_shapes) as running:
        yield running
