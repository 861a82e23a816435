"""The driver: carries a plan out, connection by connection, and says what happens as it happens.

Its clock is that of its event loop, for reading as for waiting: `time.monotonic()` in asyncio's own loops,
and whatever a test's loop says.
"""

from __future__ import annotations

import asyncio
import math
import sys
from typing import TYPE_CHECKING

from soak.load.arrivals.closed_loop import BusyClients
from soak.load.blocks import BlockSchedule, block_connections
from soak.load.calibration import CalibrationLimits, ThroughputMeter
from soak.load.clip_order import clip_order
from soak.load.endpoint import Endpoint
from soak.load.messages import DriverEvent, PhaseChanged
from soak.load.readiness import NotReadyError, shortest, wait_for_first_result
from soak.load.scenarios.dialogue import Dialogue
from soak.load.session import Session, SessionError
from soak.load.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Callable

    from soak.load.arrivals import ArrivalProcess
    from soak.load.clips import Clip
    from soak.load.messages import EndReason, Message, Phase
    from soak.load.plan import LoadPlan


class Driver:
    """Puts the load of one plan on its server. Use once."""

    def __init__(self, plan: LoadPlan, clips: tuple[Clip, ...], emit: Callable[[Message], None]) -> None:
        """`emit` receives every message at the moment it is due."""
        self._now_s = asyncio.get_running_loop().time
        self._plan = plan
        self._clips = clips
        self._emit = emit
        self._tally = Tally(emit, self._now_s)
        self._endpoint = Endpoint.from_plan(plan)
        self._order = clip_order(len(clips), plan.clip_order, plan.seed)
        self._begun = 0
        self._left = sys.maxsize if plan.connections is None else plan.connections
        self._sessions: set[asyncio.Task[None]] = set()
        self._session_ended = asyncio.Event()
        self._meter: ThroughputMeter | None = None
        self._rate_per_s = plan.arrival.planned_rate_per_s(plan.intensity)
        self._longest_drain_s = 0.0
        self._block = 0
        self._stop = asyncio.Event()
        self._finishing = False

    def stop(self) -> None:
        """End the load now: open connections are closed, within the close timeout."""
        self._stop.set()

    def finish(self) -> None:
        """End the load in good order: the present block and its rest are the last."""
        self._finishing = True

    async def run(self) -> EndReason:
        """Carry the plan out, until its end, `finish` or `stop`; the last message is `Done`."""
        reporting = asyncio.create_task(self._report())
        work = asyncio.create_task(self._carry_out())
        stopping = asyncio.create_task(self._stop.wait())
        try:
            await asyncio.wait({reporting, work, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if reporting.done():  # it never ends by itself: nobody listens any more, or there is a fault
                reporting.result()
            reason: EndReason = work.result() if work.done() else "stopped"
        finally:
            await _cancel(reporting, work, stopping)
            await _cancel(*self._sessions)
        self._phase("done")
        self._emit(self._tally.interval())
        self._tally.tell_clips()
        self._emit(self._tally.done(reason, self._rate_per_s))
        return reason

    async def _carry_out(self) -> EndReason:
        plan = self._plan
        if plan.ready_timeout_s is not None and not await self._become_ready(plan.ready_timeout_s):
            return "not_ready"
        if plan.baseline_s:
            self._phase("baseline")
            await asyncio.sleep(plan.baseline_s)
        started_s = self._now_s()
        ends_at_s = None if plan.duration_s is None else started_s + plan.duration_s
        rate_per_s = self._rate_per_s
        if rate_per_s is None:
            rate_per_s = await self._calibrate()
            if ends_at_s is None or self._now_s() + plan.settle_s + plan.rest_s < ends_at_s:
                await self._be_quiet()
        await self._load_in_blocks(rate_per_s, ends_at_s)
        # what is left is too short for a block: the last rest is the longer for it
        if ends_at_s is not None and self._left and not self._finishing:
            await asyncio.sleep(ends_at_s - self._now_s())
        return "finished"

    async def _load_in_blocks(self, rate_per_s: float, ends_at_s: float | None) -> None:
        plan = self._plan
        size = block_connections(plan, rate_per_s, len(self._clips))
        blocks = BlockSchedule(
            size=size,
            load_s=size / rate_per_s,
            quiet_s=plan.settle_s + plan.rest_s,
            left=None if plan.connections is None else self._left,
            run_ends_at_s=ends_at_s,
        )
        while not self._finishing and (
            count := blocks.next_size(self._now_s(), self._left, self._longest_drain_s)
        ):
            self._block += 1
            self._phase("load")
            if size >= len(self._clips):  # the same recordings in the same order, block after block
                self._order = clip_order(len(self._clips), plan.clip_order, plan.seed)
            until_s = blocks.load_must_end_at_s(self._now_s(), self._longest_drain_s)
            process = plan.arrival.begin(plan.intensity, rate_per_s, self._now_s())
            await self._arrive(process, until_s, leave=self._left - count)
            await self._drain()
            await self._be_quiet()
            # the gaps double, so that a run of any length tells little and a kill loses at most half
            if self._block.bit_count() == 1:
                self._tally.tell_clips()

    async def _become_ready(self, timeout_s: float) -> bool:
        clip, scenario = shortest(self._clips), self._plan.scenario.readiness or Dialogue()
        try:
            ready = await wait_for_first_result(self._endpoint, scenario, timeout_s, clip)
        except NotReadyError as error:
            kind, detail = (error.last.kind, error.last.detail) if error.last else ("result_timeout", "")
            self._event("not_ready", attempts=error.attempts, kind=kind, detail=detail)
            return False
        waited_s = round(ready.waited_s, 3)
        self._event("ready", attempts=ready.attempts, waited_s=waited_s, transcript=ready.transcript)
        return True

    async def _calibrate(self) -> float:
        """Return the rate to plan with: the throughput, or what the arrivals make of it.

        The throughput is what the server completes with `max_open` connections open all the time.
        """
        self._phase("calibrate")
        plan = self._plan
        mean_clip_s = sum(clip.duration_s for clip in self._clips) / len(self._clips)
        meter = self._meter = ThroughputMeter(plan.max_open, mean_clip_s)
        limits = CalibrationLimits.of(
            max_open=plan.max_open,
            settle_s=plan.settle_s,
            duration_s=plan.duration_s,
            connections=plan.connections,
        )
        started_s = self._now_s()

        def is_over() -> bool:
            lasted_s = self._now_s() - started_s
            return meter.completed >= limits.completions and lasted_s >= limits.shortest_s

        await self._arrive(
            BusyClients(),
            started_s + limits.longest_s,
            is_over=is_over,
            leave=max(0, self._left - limits.connections),
        )
        await self._drain()
        elapsed_s = self._now_s() - started_s
        throughput_per_s = meter.throughput_per_s(elapsed_s)
        self._meter = None
        self._rate_per_s = plan.arrival.measured_rate_per_s(plan.intensity, throughput_per_s)
        self._event(
            "calibrated",
            rate_per_s=self._rate_per_s,
            throughput_per_s=round(throughput_per_s, 3),
            connections=meter.completed,
            seconds=round(elapsed_s, 3),
        )
        return throughput_per_s if self._rate_per_s is None else self._rate_per_s

    async def _arrive(
        self,
        process: ArrivalProcess,
        until_s: float,
        *,
        leave: int,
        is_over: Callable[[], bool] = lambda: False,
    ) -> None:
        """Start connections as they arrive, until `until_s`, `is_over`, or only `leave` are left to make."""
        delayed_before = self._tally.arrivals_delayed
        while self._left > leave and (now_s := self._now_s()) < until_s and not is_over():
            room = self._plan.max_open - len(self._sessions)
            for _ in range(min(process.arrivals(now_s, room), self._left - leave)):
                self._start_session(process)
            self._tally.arrivals_delayed = delayed_before + process.arrivals_delayed
            wait_s = process.wait_s(self._now_s())
            if wait_s is None:
                await self._wait_for_session_end(until_s)
            else:
                await asyncio.sleep(min(wait_s, max(0.0, until_s - self._now_s())))

    async def _wait_for_session_end(self, until_s: float) -> None:
        self._session_ended.clear()
        try:
            async with asyncio.timeout(None if until_s == math.inf else max(0.0, until_s - self._now_s())):
                await self._session_ended.wait()
        except TimeoutError:
            pass

    def _start_session(self, process: ArrivalProcess) -> None:
        self._left -= 1
        self._begun += 1
        clip = self._clips[next(self._order)]
        task = asyncio.create_task(self._hold_session(clip, self._begun, process))
        self._sessions.add(task)
        task.add_done_callback(self._forget_session)

    def _forget_session(self, task: asyncio.Task[None]) -> None:
        self._sessions.discard(task)
        self._session_ended.set()

    async def _hold_session(self, clip: Clip, connection: int, process: ArrivalProcess) -> None:
        tally = self._tally
        tally.begun()
        session = Session(self._endpoint, clip, connection, on_open=tally.opened)
        try:
            answer = await session.hold(self._plan.scenario)
        except asyncio.CancelledError:
            tally.cut_short()
            raise
        except SessionError as error:
            tally.failed(clip, error, connection)
        else:
            tally.completed(clip, answer, connection)
            if self._meter is not None:
                self._meter.add(self._now_s(), clip.duration_s)
        finally:
            tally.ended()
            tally.audio_sent(session.audio_s)
        await asyncio.sleep(process.pause_s(tally.failures_in_a_row))

    async def _drain(self) -> None:
        """Wait for the last close; every connection has time limits of its own."""
        self._phase("drain")
        started_s = self._now_s()
        while self._sessions:
            await asyncio.wait(self._sessions)
        self._longest_drain_s = max(self._longest_drain_s, self._now_s() - started_s)

    async def _be_quiet(self) -> None:
        self._phase("settle")
        await asyncio.sleep(self._plan.settle_s)
        self._phase("rest")
        await asyncio.sleep(self._plan.rest_s)

    async def _report(self) -> None:
        """Emit an interval whenever one is due, on a fixed grid; those missed while stalled are skipped."""
        interval_s = self._plan.report_interval_s
        started_s, count = self._now_s(), 0
        while True:
            count = max(count, math.floor((self._now_s() - started_s) / interval_s)) + 1
            await asyncio.sleep(max(0.0, started_s + count * interval_s - self._now_s()))
            self._emit(self._tally.interval())

    def _phase(self, phase: Phase) -> None:
        self._emit(PhaseChanged(self._now_s(), phase, self._block))

    def _event(self, event: str, **details: object) -> None:
        self._emit(DriverEvent(self._now_s(), event, details))


async def _cancel(*tasks: asyncio.Task[object]) -> None:
    """Cancel the tasks and wait for them; what they end with was dealt with, or does not matter any more."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
