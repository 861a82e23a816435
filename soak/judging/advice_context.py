"""What a recorded run tells of the server and of the load beside its memory: what advice needs to know."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np

from soak.advice.advise import AdviceContext
from soak.judging.recorded import numbers

if TYPE_CHECKING:
    import pandas as pd

    from soak.record import Run

CORES_OVER_SAMPLES = 10
"""Samples over which the CPU's use is averaged."""


def advice_context(run: Run, limit_bytes: int | None) -> AdviceContext:
    """Return what is known of the server and of the load beside its memory."""
    if not run.manifest.is_recorded:  # what the server is, nobody said
        peak_open = None if run.origin and run.origin.step else _peak(run.samples, "open_connections")
        return AdviceContext(on_cpu=False, limit_bytes=limit_bytes, peak_open_connections=peak_open)
    host, server = run.manifest.host, run.manifest.reference_server
    context = AdviceContext(
        limit_bytes=limit_bytes or host.cgroup_limit_bytes,
        cores=host.cores,
        cores_used=_most_cores_used(run.samples),
        peak_open_connections=_peak(run.samples, "open_connections"),
        queue_peak=_peak(run.samples, "server_decode_queue_tasks"),
    )
    if server is None:
        return context
    return dataclasses.replace(
        context,
        decoder_thread_num=server.decoder_thread_num,
        io_thread_num=server.io_thread_num,
        model_thread_num=server.model_thread_num,
    )


def _peak(samples: pd.DataFrame, column: str) -> int | None:
    found = numbers(samples, column)
    return None if found is None else int(np.nanmax(found))


def _most_cores_used(samples: pd.DataFrame) -> float | None:
    """Return the most CPU seconds per second over any ten samples."""
    cpu_s = numbers(samples, "cpu_s")
    if cpu_s is None or len(cpu_s) <= CORES_OVER_SAMPLES:
        return None
    t_s = samples["t_s"].to_numpy(np.float64)
    seconds = t_s[CORES_OVER_SAMPLES:] - t_s[:-CORES_OVER_SAMPLES]
    used = (cpu_s[CORES_OVER_SAMPLES:] - cpu_s[:-CORES_OVER_SAMPLES])[seconds > 0] / seconds[seconds > 0]
    known = used[np.isfinite(used)]
    return float(known.max()) if len(known) else None
