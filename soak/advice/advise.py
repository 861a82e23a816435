"""Advice that follows from what was measured: memory limit, thread numbers, time left before a limit."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from soak.quantity import format_bytes, format_duration, format_level
from soak.verdict.advice import Advice, AdviceNote, CapacityRow
from soak.verdict.verdict import Label

if TYPE_CHECKING:
    from soak.verdict.verdict import SeriesVerdict

MIB = 1024 * 1024
MULTIPLE_IO = 16
"""Decoder threads one io thread can serve (`multiple_io` of FunASR's published advice)."""
LIMIT_LOW_FACTOR = 1.2
LIMIT_HIGH_FACTOR = 1.3
"""A container gets 20–30 % more than the peak (FunASR's advice in issue 2164)."""
LIMIT_STEPS_BYTES = ((256 * MIB, 4 * MIB), (1024 * MIB, 16 * MIB), (8192 * MIB, 64 * MIB))
"""Peaks below the first number are rounded up to the second."""
CAPACITY_STEPS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
FUNASR_THREAD = "FunASR issue 2164, https://github.com/modelscope/FunASR/issues/2164"
MEASURED = "measured in this run"


@dataclass(frozen=True)
class AdviceContext:
    """What is known of the server beside its memory; every field may be left out."""

    decoder_thread_num: int | None = None
    io_thread_num: int | None = None
    model_thread_num: int | None = None
    on_cpu: bool = True
    limit_bytes: int | None = None
    """The container's (cgroup's) or the machine's memory limit."""
    cores: int | None = None
    """Cores of the machine."""
    cores_used: float | None = None
    """The most cores that the server kept busy, averaged over ten samples."""
    peak_open_connections: int | None = None
    """Most connections open at once."""
    queue_peak: int | None = None
    """Most decoding tasks that waited."""


def advise(memory: SeriesVerdict, context: AdviceContext | None = None) -> Advice:
    """Return the advice for a server whose memory was judged.

    Sources: the answers in FunASR issue 2164 (20–30 % above the peak; io threads by `multiple_io` = 16; one
    model thread on a CPU; restart on a schedule as a last guard).
    """
    context = context or AdviceContext()
    growth, peak_bytes, start_bytes = memory.growth_per_hour, memory.peak, memory.fresh
    is_plateau = memory.label is Label.PLATEAU
    climbing = memory.label is Label.CLIMBING and growth.estimate > 0
    limit = memory_limit_bytes(peak_bytes)
    target = context.limit_bytes or (limit[0] if limit else None)
    time_to_limit_s = None
    notes: list[AdviceNote] = []
    if limit:
        notes.append(_limit_note(peak_bytes, limit, climbing=climbing))
    if climbing and target is not None:
        time_to_limit_s = max(0.0, (target - memory.end) / growth.estimate * 3600.0)
        notes.append(_time_note(target, time_to_limit_s))
    restart_interval_s = None
    if not is_plateau and target is not None:
        restart_interval_s = _restart_interval_s(target, start_bytes, growth.high)
    if limit:
        notes.append(_restart_note(restart_interval_s, is_plateau=is_plateau, climbing=climbing))
    io_thread_num = None
    if context.decoder_thread_num is not None:
        notes += decoder_notes(context)
        io_thread_num = recommended_io_threads(context.decoder_thread_num)
        notes.append(_io_note(context, io_thread_num))
    model_thread_num = 1 if context.on_cpu else None
    if context.on_cpu:
        notes.append(_model_note(context))
    return Advice(
        memory_limit_bytes=limit,
        io_thread_num=io_thread_num,
        model_thread_num=model_thread_num,
        limit_bytes=context.limit_bytes,
        time_to_limit_s=time_to_limit_s,
        restart_interval_s=restart_interval_s,
        capacity=[] if climbing else capacity(start_bytes, peak_bytes, context.peak_open_connections),
        notes=notes,
    )


def memory_limit_bytes(peak_bytes: float) -> list[int]:
    """Return [1.2 × peak, 1.3 × peak] rounded up to a size a person would write; empty for no peak.

    The step is 4 MiB below 256 MiB, 16 MiB below 1 GiB, 64 MiB below 8 GiB, 256 MiB above.
    """
    if not math.isfinite(peak_bytes) or peak_bytes <= 0:
        return []
    step = next((step for below, step in LIMIT_STEPS_BYTES if peak_bytes < below), 256 * MIB)
    low = math.ceil(peak_bytes * LIMIT_LOW_FACTOR / step) * step
    high = math.ceil(peak_bytes * LIMIT_HIGH_FACTOR / step) * step
    return [low, max(high, low)]


def recommended_io_threads(decoder_thread_num: int) -> int:
    """Return ceil(decoder_thread_num / 16), at least 1 (FunASR issue 2164)."""
    return max(1, math.ceil(decoder_thread_num / MULTIPLE_IO))


def _restart_interval_s(target: float, start_bytes: float, at_most_bytes_per_hour: float) -> float | None:
    if not at_most_bytes_per_hour > 0 or target <= start_bytes:
        return None
    return (target - start_bytes) / at_most_bytes_per_hour * 3600.0


def _restart_note(interval_s: float | None, *, is_plateau: bool, climbing: bool) -> AdviceNote:
    if is_plateau:
        return AdviceNote(text="Restarts on a schedule: none needed.", source=MEASURED)
    if interval_s is None:
        return AdviceNote(text="Restarts on a schedule: not known yet; run longer.", source=MEASURED)
    every = format_duration(interval_s)
    if climbing:
        text = f"Until the leak is fixed, restart at least every {every}: headroom of a fresh process, "
        return AdviceNote(text=f"{text}divided by the upper end of the growth's interval.", source=MEASURED)
    text = f"Restarts on a schedule: not known yet; in the worst case this run leaves open, every {every}."
    return AdviceNote(text=text, source=MEASURED)


def capacity(start_bytes: float, peak_bytes: float, peak_open: int | None) -> list[CapacityRow]:
    """Return memory by connections open at once, up to twice what the run had open.

    Memory that connections took is kept for the next, so what a run at its greatest concurrency reached is
    what that concurrency takes. Below and above it a straight line from the start stands in, which no run
    has measured.
    """
    if peak_open is None or peak_open < 1 or not peak_bytes > start_bytes > 0:
        return []
    steps = sorted({*(step for step in CAPACITY_STEPS if step <= 2 * peak_open), peak_open})
    slope = (peak_bytes - start_bytes) / peak_open
    return [
        CapacityRow(
            open_connections=step,
            memory_bytes=round(start_bytes + slope * step),
            basis="measured" if step == peak_open else "between" if step < peak_open else "beyond",
        )
        for step in steps
    ]


def decoder_notes(context: AdviceContext) -> list[AdviceNote]:
    """Say what the run shows of the number of decoder threads."""
    decoders, peak_open = context.decoder_thread_num, context.peak_open_connections
    if decoders is None or peak_open is None:
        return []
    were_open = "1 connection was" if peak_open == 1 else f"{peak_open} connections were"
    text = f"decoder_thread_num = {decoders}: at most {were_open} open at once"
    if context.cores_used is not None and context.cores is not None:
        text += f", and the server kept at most {context.cores_used:.1f} of {context.cores} cores busy"
    if context.queue_peak is not None:
        text += f"; at most {context.queue_peak} pieces of audio waited for a decoder"
    if decoders > peak_open:
        text += f". For this load {peak_open} would have done: a thread decodes for one connection at a time"
    elif context.queue_peak and context.cores and decoders < context.cores:
        text += f". More, up to the {context.cores} cores, would shorten the wait"
    return [AdviceNote(text=f"{text}.", source=MEASURED)]


def _limit_note(peak_bytes: float, limit: list[int], *, climbing: bool) -> AdviceNote:
    text = (
        f"Give the container {format_bytes(limit[0])} to {format_bytes(limit[1])}: "
        f"20–30 % above the peak of {format_level(peak_bytes)}."
    )
    if climbing:
        text += " While memory climbs no limit is enough; restart on a schedule until the leak is fixed."
    return AdviceNote(text=text, source=FUNASR_THREAD)


def _time_note(target: float, time_to_limit_s: float) -> AdviceNote:
    if time_to_limit_s <= 0:
        return AdviceNote(text=f"The limit of {format_bytes(target)} is already reached.", source=MEASURED)
    left = format_duration(time_to_limit_s)
    text = f"At this rate {format_bytes(target)} is reached {left} after the end of the run."
    return AdviceNote(text=text, source=MEASURED)


def _io_note(context: AdviceContext, advised: int) -> AdviceNote:
    decoders = context.decoder_thread_num
    text = f"io_thread_num = {advised} for decoder_thread_num = {decoders} (one per {MULTIPLE_IO})"
    if context.io_thread_num is None or context.io_thread_num == advised:
        return AdviceNote(text=f"{text}.", source=FUNASR_THREAD)
    direction = (
        "more threads only cost memory"
        if context.io_thread_num > advised
        else "fewer may become the bottleneck"
    )
    return AdviceNote(
        text=f"{text}; this run had {context.io_thread_num}, {direction}.", source=FUNASR_THREAD
    )


def _model_note(context: AdviceContext) -> AdviceNote:
    text = "model_thread_num = 1 on a CPU: decoder threads already use the cores, more only cost memory"
    if context.model_thread_num is not None and context.model_thread_num > 1:
        text += f"; this run had {context.model_thread_num}"
    return AdviceNote(text=f"{text}.", source=FUNASR_THREAD)
