"""The formats by name."""

from __future__ import annotations

from soak.plugins import Registry
from soak.recordings.recording import RecordingFormat

FORMATS: Registry[RecordingFormat] = Registry(
    RecordingFormat,  # type: ignore[type-abstract]  # the kind that all are
    "format",
    "soak.recordings",
    {
        "psrecord": "soak.recordings.formats.psrecord:Psrecord",
        "mprof": "soak.recordings.formats.mprof:Mprof",
        "pidstat": "soak.recordings.formats.pidstat:Pidstat",
        "sar": "soak.recordings.formats.sar:Sar",
        "top": "soak.recordings.formats.top:Top",
        "ps": "soak.recordings.formats.ps:Ps",
        "smem": "soak.recordings.formats.smem:Smem",
        "free": "soak.recordings.formats.free:Free",
        "docker-stats": "soak.recordings.formats.docker_stats:DockerStats",
        "kubectl-top": "soak.recordings.formats.kubectl_top:KubectlTop",
        "prometheus": "soak.recordings.formats.prometheus:PrometheusRange",
        "openmetrics": "soak.recordings.formats.openmetrics:OpenMetrics",
        "json-lines": "soak.recordings.formats.json_lines:JsonLines",
        "memory-profiler": "soak.recordings.formats.memory_profiler:MemoryProfiler",
        "markdown": "soak.recordings.formats.markdown:MarkdownTable",
        "clock-pairs": "soak.recordings.formats.clock_pairs:ClockPairs",
        "csv": "soak.recordings.formats.csv_table:CsvTable",
        "bare-columns": "soak.recordings.formats.bare_columns:BareColumns",
        "log": "soak.recordings.formats.log_lines:LogLines",
    },
)
