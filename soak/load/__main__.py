"""The driver's process: a plan on standard input, messages on standard output.

The first line of standard input is the plan (`LoadPlan.to_json_line`). A line `{"command": "finish"}` ends
the load after the present block and its rest, `{"command": "stop"}` ends it at once, and so does the end of
standard input: a driver does not outlive its parent. Exit code 0 after a `done` message, 2 for a plan that
cannot be carried out or recordings that cannot be read.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import resource
import signal
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from soak.load.clips import CLIP_FOLDER, ClipError, load_clips
from soak.load.driver import Driver
from soak.load.messages import encode
from soak.load.plan import LoadPlan, PlanError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from soak.load.clips import Clip
    from soak.load.messages import Message

_STDIN, _STDOUT = 0, 1


def main() -> int:
    """Run the driver; returns the exit code."""
    # Ctrl-C reaches the whole process group: the parent decides what it means and tells us
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _allow_many_sockets()
    lines = _stdin_lines()
    try:
        plan = LoadPlan.from_json_line(next(lines, ""))
        clips = load_clips(Path(plan.clips) if plan.clips else CLIP_FOLDER)
        if not plan.check_references:
            clips = tuple(replace(clip, transcript=None) for clip in clips)
    except (PlanError, ClipError) as error:
        sys.stderr.write(f"soak.load: {error}\n")
        return 2
    # a parent that is gone cannot read: its end of the pipe being closed ends the load
    try:
        with contextlib.suppress(BrokenPipeError):
            asyncio.run(_drive(plan, clips, lines))
    except PlanError as error:
        sys.stderr.write(f"soak.load: {error}\n")
        return 2
    return 0


async def _drive(plan: LoadPlan, clips: tuple[Clip, ...], lines: Iterator[str]) -> None:
    driver = Driver(plan, clips, _emit)
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, driver.stop)

    def listen() -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: the load is over anyway
            for command in _commands(lines):
                if command == "finish":
                    loop.call_soon_threadsafe(driver.finish)
                elif command == "stop":
                    break
            loop.call_soon_threadsafe(driver.stop)

    # a thread, because asyncio cannot wait for every kind of standard input (a file, for one)
    threading.Thread(target=listen, name="stdin", daemon=True).start()
    await driver.run()


def _emit(message: Message) -> None:
    """Write one line, whole, at once."""
    data = (encode(message) + "\n").encode()
    while data:
        data = data[os.write(_STDOUT, data) :]


def _stdin_lines() -> Iterator[str]:
    """Yield the lines of standard input, unbuffered: a buffer's lock would be held at interpreter exit."""
    pending = b""
    while block := os.read(_STDIN, 65536):
        pending += block
        *lines, pending = pending.split(b"\n")
        for line in lines:
            yield line.decode("utf-8", "replace")
    if pending:
        yield pending.decode("utf-8", "replace")


def _commands(lines: Iterator[str]) -> Iterator[str]:
    """Yield the commands as they come, until the end of standard input; anything else is ignored."""
    for line in lines:
        with contextlib.suppress(ValueError):
            message = json.loads(line)
            if isinstance(message, dict) and isinstance(message.get("command"), str):
                yield message["command"]


def _allow_many_sockets() -> None:
    """Raise the soft limit of open files to the hard one: every connection needs a socket."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


if __name__ == "__main__":
    sys.exit(main())
