"""A fingerprint of traces, so that anyone can check that they are the ones that were frozen."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from benchmarks.verdict.trace import Trace

NUMBERS = ("t_s", "values", "connections_completed", "open_connections", "swap_bytes", "audio_s")
"""Columns that are hashed as little-endian doubles; the phase is hashed as text."""


def sha256_of(traces: Iterable[Trace]) -> str:
    """Return the SHA-256 over names, labels, truths and every reading of some traces, in their order."""
    sha256 = hashlib.sha256()
    for trace in traces:
        truth = f"{trace.name} {trace.leaking} {trace.growth_bytes_per_hour:.4g} {trace.series.quantity}"
        sha256.update(truth.encode())
        for name in NUMBERS:
            column = getattr(trace.series, name)
            sha256.update(name.encode())
            if column is not None:
                found = np.where(np.isnan(column), np.nan, column) + 0.0
                sha256.update(found.astype("<f8").tobytes())
        if trace.series.phase is not None:
            sha256.update("\n".join(trace.series.phase.tolist()).encode())
    return sha256.hexdigest()
