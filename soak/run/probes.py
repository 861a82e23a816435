"""Probes: after the load, what can be given back is given back, step by step, and memory is read each time.

What falls back was kept for reuse (retained), what stays is in use, or leaked. Everything goes to the events;
the samples, on which the verdict rests, are over by then. Only the server's own pages are asked: a debugger's
call that goes wrong inside a process ends it. After every page the server must be seen to answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import psutil

from soak.quantity import format_bytes
from soak.record.events import Probe, ProbeFailed, PythonObjects, event_of
from soak.run.daemon_thread import in_daemon_thread
from soak.run.ending import record_exit
from soak.sources import ProcessTree, ServerPages
from soak.targets import Capability, ServerExit

if TYPE_CHECKING:
    from soak.config import SoakConfig
    from soak.record import RunDirectory
    from soak.run.view import View
    from soak.sources import DetailedReading
    from soak.targets import TargetServer

STEPS = ("gc", "arena_shrink", "trim")
"""Pages of the server, in the order in which one frees what the next can give back."""
ANSWERS_WITHIN_S = 10.0
"""A server that was asked for something is busy with it for a moment; one silent for so long hangs."""
ANSWER_POLL_S = 0.2
PROBED_UNASKED = {Capability.DEBUG_PAGES, Capability.PROBED}
OBJECTS_AT_START = "objects?freeze=1"
"""Before the load there is no garbage worth keeping, and what lives then is frozen as the server had it."""
OBJECTS_AT_END = "objects"


class Probes:
    """The probes of one run."""

    def __init__(self, config: SoakConfig, directory: RunDirectory, target: TargetServer, view: View) -> None:
        """Probe `target` as the configuration says: `auto` asks only pages of a server that may be asked."""
        choice = config.sample.probe
        self._asks_server = choice == "server" or (choice == "auto" and target.capabilities >= PROBED_UNASKED)
        self._pages = ServerPages(
            target.url, verify_tls=config.load.verify_tls, certificate=config.load.certificate
        )
        self._directory, self._target, self._view = directory, target, view

    async def before_the_load(self) -> None:
        """Record the server's Python objects while nobody is connected."""
        if self._asks_server:
            await self._count_objects("start", OBJECTS_AT_START)

    async def after_the_load(self) -> ServerExit | None:
        """Record the objects again, then probe step by step.

        Returns how the server ended when it did not survive a step, or answers no more; the steps that are
        left are left out. None when it is as well as before.
        """
        if not self._asks_server:
            return None
        self._view.say("Probing: what does the server give back when it is asked to?")
        await self._count_objects("end", OBJECTS_AT_END)
        lost = await self._lost(OBJECTS_AT_END)
        for step in STEPS:
            if lost is not None:
                break
            await self._step(step)
            lost = await self._lost(step)
        return lost

    async def _count_objects(self, when: str, page: str) -> None:
        found = await in_daemon_thread(lambda: self._pages.introspect(page), f"probe {page}")
        if found is not None:
            self._directory.append_event(event_of(PythonObjects.NAME, {"when": when, **found}))

    async def _step(self, probe: str) -> None:
        before = await self._read()
        began_s = time.monotonic()
        detail = await in_daemon_thread(lambda: self._pages.introspect(probe), f"probe {probe}")
        took_s = time.monotonic() - began_s
        after = await self._read()
        if before is None or after is None or detail is None:
            failed = ProbeFailed(probe=probe, by="server", why="no answer, or no reading")
            self._directory.append_event(failed)
            return
        told = {"probe": probe, "by": "server", "took_s": round(took_s, 3)}
        told |= {"before": before, "after": after, "detail": detail}
        self._directory.append_event(event_of(Probe.NAME, told))
        if detail.get("shrunk") is not False:  # without an arena there is nothing to tell
            returned = before["rss_bytes"] - after["rss_bytes"]
            self._view.say(f"  {probe}: {format_bytes(returned)} given back")

    async def _lost(self, probe: str) -> ServerExit | None:
        """Return how the server was lost after `probe`, written down as an event; None when it answers."""
        give_up_s = time.monotonic() + ANSWERS_WITHIN_S
        exited = self._target.poll()
        while exited is None:
            if await in_daemon_thread(self._pages.answers, "probe answers"):
                return None
            exited = self._target.poll()
            if exited is None and time.monotonic() >= give_up_s:
                exited = ServerExit(return_code=None, oom_killed=False, log_tail=(), silent=True)
            await asyncio.sleep(ANSWER_POLL_S)
        how = record_exit(self._directory, exited, when=f"right after the probe {probe.partition('?')[0]}")
        self._view.warn(f"the server was lost: {how}")
        return exited

    async def _read(self) -> dict[str, Any] | None:
        details = await in_daemon_thread(self._read_details, "probe memory")
        if details is None or self._target.poll() is not None:
            return None
        mappings = asdict(details.mappings)
        classes = {name: value for name, value in mappings.items() if name.startswith("map_")}
        return {"rss_bytes": mappings["map_kernel_rss_bytes"], "classes": classes}

    def _read_details(self) -> DetailedReading | None:
        if self._target.pid is None:
            return None
        with contextlib.suppress(psutil.NoSuchProcess):
            tree = ProcessTree(self._target.pid)
            tree.read(time.monotonic())  # which finds the children
            return tree.read_details()
        return None
