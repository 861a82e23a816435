"""A run's main figures as OpenMetrics text: GitLab compares such a file between branches."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Gauge
from prometheus_client.openmetrics.exposition import generate_latest

from soak.private_file import replacing

if TYPE_CHECKING:
    from pathlib import Path

    from soak.studies.check.result import CheckResult

FIGURES = {
    "start_bytes": "RSS at the start.",
    "level_bytes": "RSS on the plateau, or in the last quiet windows.",
    "peak_bytes": "Highest RSS.",
    "bytes_per_connection": "Growth after warm-up, by connection.",
    "cpu_s_per_audio_s": "The server's CPU seconds per second of audio.",
    "final_p50_ms": "Final latency, median, in ms.",
    "final_p99_ms": "Final latency, 99th percentile, in ms.",
}


def write_openmetrics(result: CheckResult, path: Path) -> None:
    """Write the figures that are known to `path`; raises `SoakError` when it cannot be written."""
    registry = CollectorRegistry()
    for name, words in FIGURES.items():
        value = getattr(result.figures, name)
        if math.isfinite(value):
            Gauge(f"soak_{name}", words, ["config"], registry=registry).labels(result.run.name).set(value)
    with replacing(path) as stream:
        stream.write(generate_latest(registry))
