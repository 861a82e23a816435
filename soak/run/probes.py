"""Probes: after the load, what can be given back is given back, step by step, and memory is read each time.

What falls back was kept for reuse (retained), what stays is in use, or leaked. Everything goes to the events;
the samples, on which the verdict rests, are over by then.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import time
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Any

from soak.errors import SoakError
from soak.quantity import format_bytes
from soak.sources import ServerPages

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from soak.config import ProbeChoice, SoakConfig
    from soak.record import RunDirectory
    from soak.run.view import View
    from soak.sources import ProcessTree
    from soak.targets import TargetServer

    Action = Callable[[], Awaitable[dict[str, Any] | None]]

STEPS = ("gc", "arena_shrink", "trim")
"""Pages of the server, in the order in which one frees what the next can give back."""
GDB_TIMEOUT_S = 60.0
GDB = ("gdb", "--nx", "--batch", "-p")
GDB_TRIM = ("-ex", "call (int) malloc_trim(0)")
OBJECTS_AT_START = "objects?freeze=1"
"""Before the load there is no garbage worth keeping, and what lives then is frozen as the server had it."""
OBJECTS_AT_END = "objects"


def check_probe(choice: ProbeChoice) -> None:
    """Refuse a way of probing that this machine cannot go; raises `SoakError`."""
    if choice == "gdb" and shutil.which("gdb") is None:
        raise SoakError("--probe gdb needs gdb, which is not installed: apt-get install gdb")


class Probes:
    """The probes of one run."""

    def __init__(
        self, config: SoakConfig, directory: RunDirectory, target: TargetServer, tree: ProcessTree, view: View
    ) -> None:
        """Probe `target` as the configuration says: `auto` is the bundled server's own pages, or nothing."""
        choice = config.sample.probe
        is_bundled = target.identity()["kind"] == "bundled"
        self._asks_server = choice == "server" or (
            choice == "auto" and is_bundled and config.server.introspection
        )
        self._uses_gdb = choice == "gdb"
        self._pages = ServerPages(target.url, verify_tls=config.load.verify_tls)
        self._directory, self._target, self._tree, self._view = directory, target, tree, view

    async def before_the_load(self) -> None:
        """Record the server's Python objects while nobody is connected."""
        if self._asks_server:
            await self._count_objects("start", OBJECTS_AT_START)

    async def after_the_load(self) -> None:
        """Record the objects again, then probe step by step."""
        if self._asks_server:
            self._view.say("Probing: what does the server give back when it is asked to?")
            await self._count_objects("end", OBJECTS_AT_END)
            for step in STEPS:
                await self._step(step, partial(self._ask, step), by="server")
        elif self._uses_gdb:
            self._view.say("Probing: malloc_trim by gdb; the server stands still meanwhile.")
            await self._step("trim", self._trim_by_gdb, by="gdb")

    async def _count_objects(self, when: str, page: str) -> None:
        found = await asyncio.to_thread(self._pages.introspect, page)
        if found is not None:
            self._directory.append_event("python_objects", when=when, **found)

    async def _step(self, probe: str, act: Action, *, by: str) -> None:
        before = await self._read()
        began_s = time.monotonic()
        try:
            detail = await act()
        except SoakError as error:
            self._directory.append_event("probe_failed", probe=probe, by=by, why=str(error))
            self._view.warn(f"probe {probe}: {error}")
            return
        took_s = time.monotonic() - began_s
        after = await self._read()
        if before is None or after is None or detail is None:
            self._directory.append_event("probe_failed", probe=probe, by=by, why="no answer, or no reading")
            return
        self._directory.append_event(
            "probe", probe=probe, by=by, took_s=round(took_s, 3), before=before, after=after, detail=detail
        )
        if detail.get("shrunk") is not False:  # without an arena there is nothing to tell
            returned = before["rss_bytes"] - after["rss_bytes"]
            self._view.say(f"  {probe}: {format_bytes(returned)} given back")

    async def _ask(self, page: str) -> dict[str, Any] | None:
        return await asyncio.to_thread(self._pages.introspect, page)

    async def _read(self) -> dict[str, Any] | None:
        details = await asyncio.to_thread(self._tree.read_details)
        if details is None or self._target.poll() is not None:
            return None
        mappings = asdict(details.mappings)
        classes = {name: value for name, value in mappings.items() if name.startswith("map_")}
        return {"rss_bytes": mappings["map_kernel_rss_bytes"], "classes": classes}

    async def _trim_by_gdb(self) -> dict[str, Any]:
        """Call malloc_trim in the server; raises `SoakError` when gdb may not, or the process has none."""
        process = await asyncio.create_subprocess_exec(
            *(*GDB, str(self._target.pid), *GDB_TRIM),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            output, _ = await asyncio.wait_for(process.communicate(), GDB_TIMEOUT_S)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()  # gdb lets its target go when it is asked to end
            await process.wait()
            raise SoakError(f"gdb did not end within {GDB_TIMEOUT_S:.0f} s") from None
        lines = output.decode(errors="replace").splitlines()
        if not any(line.startswith("$1 = ") for line in lines):
            last = next((line for line in reversed(lines) if line.strip()), "it said nothing")
            raise SoakError(
                f"gdb could not call malloc_trim (allowed to trace {self._target.pid}?): {last:.200}"
            )
        return {"trimmed": True}
