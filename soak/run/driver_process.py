"""The load driver as a process of its own, so that its work disturbs neither the sampling nor the server."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from typing import TYPE_CHECKING

from soak.errors import ExitCode, SoakError
from soak.load.messages import FINISH_LINE, STOP_LINE, Message, decode
from soak.targets.child import tail
from soak.tether import tied_to_this_process

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from soak.load.plan import LoadPlan

LINE_LIMIT_BYTES = 4 * 1024 * 1024
STOP_GRACE_S = 15.0
KILL_GRACE_S = 10.0
LONGEST_SILENCE_S = 300.0
"""It reports every second; one that is silent for so long hangs, or was stopped."""


class DriverProcess:
    """A running `python -m soak.load`, which dies with this process."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        """Wrap a running driver; use `start`."""
        self._process = process
        self._log = log

    @classmethod
    async def start(cls, plan: LoadPlan, log: Path) -> DriverProcess:
        """Start the driver and give it its plan; its complaints go to the file `log`."""
        with log.open("ab") as log_stream:
            process = await asyncio.create_subprocess_exec(
                *tied_to_this_process([sys.executable, "-m", "soak.load"]),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log_stream,
                limit=LINE_LIMIT_BYTES,
                start_new_session=True,
            )
        driver = cls(process, log)
        await driver._write(plan.to_json_line() + "\n")
        return driver

    async def messages(self) -> AsyncIterator[Message]:
        """Yield what the driver reports until it ends; raises `SoakError` when it breaks down."""
        assert self._process.stdout is not None  # noqa: S101 - for the type checker: it was asked for
        while line := await self._next_line(self._process.stdout):
            try:
                yield decode(line.decode())
            except ValueError as error:
                what = f"{error}; please report this as a bug of soak"
                raise SoakError(what, exit_code=ExitCode.SOAK_FAILED) from error
        status = await self._process.wait()
        if status != 0:
            said = " ".join(tail(self._log)[-1:])
            where = f"{said}; see {self._log}" if said else "without a word"
            raise SoakError(
                f"the load driver ended {_how(status)}: {where}",
                exit_code=ExitCode.USAGE if status == ExitCode.USAGE else ExitCode.SOAK_FAILED,
            )

    async def _next_line(self, output: asyncio.StreamReader) -> bytes:
        try:
            async with asyncio.timeout(LONGEST_SILENCE_S):
                return await output.readline()
        except TimeoutError:
            what = f"the load driver has said nothing for {LONGEST_SILENCE_S:g} s"
        except ValueError:
            what = f"the load driver wrote a line of more than {LINE_LIMIT_BYTES} bytes"
        raise SoakError(f"{what}; please report this as a bug of soak", exit_code=ExitCode.SOAK_FAILED)

    async def request_stop(self) -> None:
        """Ask it to close its connections and end; its last messages still arrive."""
        await self._write(STOP_LINE)

    async def request_finish(self) -> None:
        """Ask it to end after the present block and its rest."""
        await self._write(FINISH_LINE)

    async def end(self) -> None:
        """Make sure it has ended."""
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
        with contextlib.suppress(TimeoutError):  # what the kernel does not let go of dies with this process
            async with asyncio.timeout(KILL_GRACE_S):
                await self._process.wait()
        with contextlib.suppress(FileNotFoundError):
            if self._log.stat().st_size == 0:
                self._log.unlink()

    async def _write(self, line: str) -> None:
        assert self._process.stdin is not None  # noqa: S101 - for the type checker: it was asked for
        with contextlib.suppress(ConnectionError):  # it has ended: its status says why
            self._process.stdin.write(line.encode())
            await self._process.stdin.drain()


def _how(status: int) -> str:
    return f"with status {status}" if status >= 0 else f"by {signal.Signals(-status).name}"
