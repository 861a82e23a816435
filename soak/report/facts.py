"""The tables of a report: failures, resources, advice, configuration, host, the harness's own cost."""

from __future__ import annotations

import math
import shlex
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import numpy as np

from soak.columns import Unit, declarations
from soak.quantity import (
    MISSING,
    format_bytes,
    format_count,
    format_duration,
    format_interval,
    format_level,
    format_milliseconds,
    format_number,
    format_percent,
    format_rate,
    is_known,
)
from soak.report.evidence import column, duration_s, judged_points, last_value, times_s
from soak.verdict.verdict import Follows

if TYPE_CHECKING:
    from collections.abc import Callable

    from soak.record import Run
    from soak.verdict.verdict import Verdict

MIB = 1024 * 1024


@dataclass(frozen=True)
class Row:
    """A name with its value, both as text, not escaped."""

    label: str
    value: str


@dataclass(frozen=True)
class Section:
    """A titled group of rows."""

    title: str
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class CapacityLine:
    """How much memory so many connections at once take, and how that is known; text, not escaped."""

    open_connections: str
    memory: str
    basis: str


@dataclass(frozen=True)
class Course:
    """How one reading went over the run: its first, last and highest value as text."""

    label: str
    start: str
    end: str
    peak: str


_METRICS = {"rss_bytes": "RSS", "rss_plus_swap_bytes": "RSS + swap"}
_BASES = {
    "rest windows": "lowest reading of each rest window",
    "load envelope": "lower envelope under load",
}


_FOLLOWS = {
    Follows.CONNECTIONS: "the number of connections",
    Follows.AUDIO: "the seconds of audio",
    Follows.TIME: "the time",
}


def judged_numbers(verdict: Verdict) -> tuple[Row, ...]:
    """Return the numbers the verdict rests on."""
    growth, each = verdict.growth_bytes_per_hour, verdict.growth_bytes_per_connection
    points = judged_points(verdict)
    rows = [
        Row(
            "What was judged", f"{_METRICS.get(verdict.metric, verdict.metric)}, {_BASES[str(verdict.basis)]}"
        ),
        Row("Samples", format_count(verdict.samples)),
        Row("Points judged", format_count(None if points is None else len(points[0]))),
        Row("Warm-up ended after", format_duration(verdict.warm_up_end_s)),
        Row("Growth per hour", _with_interval(growth.estimate, growth.low, growth.high, "h")),
    ]
    if each is not None:
        rows.append(Row("Growth per connection", _with_interval(each.estimate, each.low, each.high, None)))
    second = verdict.growth_bytes_per_audio_s
    if second is not None:
        value = _with_interval(second.estimate, second.low, second.high, None)
        rows.append(Row("Growth per audio second", value))
    rows += [
        Row("Accepted growth (budget)", format_rate(verdict.budget_bytes_per_hour, signed=False)),
        Row(
            "Smallest growth this run could see",
            format_rate(verdict.minimum_detectable_bytes_per_hour, signed=False),
        ),
        Row("Restarts", format_count(verdict.restarts)),
    ]
    each_smallest = verdict.minimum_detectable_bytes_per_connection
    if is_known(each_smallest):
        rows.insert(-1, Row("Smallest growth per connection it could see", format_bytes(each_smallest)))
    if verdict.follows is not None:
        rows.append(Row("Growth follows", _FOLLOWS[verdict.follows]))
    return tuple(row for row in rows if row.value != MISSING)


def _with_interval(estimate: float, low: float, high: float, per: str | None) -> str:
    value = format_rate(estimate, per) if per else format_bytes(estimate, signed=True)
    return f"{value} (95 %: {format_interval(low, high, per)})" if is_known(low) and is_known(high) else value


LATENCY = declarations("first_partial_p50_ms", "first_partial_p95_ms", "final_p50_ms", "final_p95_ms")
"""The latencies that are told and drawn."""
_COURSES = declarations(
    "rss_bytes",
    "rss_anon_bytes",
    "rss_file_bytes",
    "rss_shmem_bytes",
    "swap_bytes",
    "pss_bytes",
    "uss_bytes",
    "server_heap_in_use_bytes",
    "server_heap_free_bytes",
    "threads",
    "fds",
    "sockets",
    "sockets_established",
    "sockets_close_wait",
    "fd_deleted",
    "lazy_free_bytes",
    "anon_huge_bytes",
    "cgroup_current_bytes",
    "cgroup_anon_bytes",
    "processes",
    "server_sessions_alive",
    "server_gc_objects",
)
_WRITTEN: dict[Unit, Callable[[float | None], str]] = {
    Unit.BYTES: format_level,
    Unit.COUNT: format_count,
    Unit.SECONDS: format_duration,
    Unit.MILLISECONDS: format_milliseconds,
}


def courses(run: Run, verdict: Verdict) -> tuple[Course, ...]:
    """Return start, end and peak of every reading the run holds, but for the resources that were judged."""
    found = []
    for each in (*_COURSES, *run.foreign_columns):
        if each.name in verdict.resources or each.unit not in _WRITTEN:
            continue
        values, write = column(run, each.name), _WRITTEN[each.unit]
        if values is None:
            continue
        known = values[np.isfinite(values)]
        found.append(
            Course(each.label, write(float(known[0])), write(float(known[-1])), write(float(known.max())))
        )
    # RSS alone is told by the key figures
    return tuple(found) if len(found) > 1 else ()


def failures(run: Run) -> tuple[Row, ...]:
    """Return failed connections by kind, then other faults, those that happened only.

    Only the first failures of a run are recorded one by one; the rest of the total has no kind.
    """
    counted: Counter[str] = Counter()
    for event in run.events:
        by_kind = event.get("failures")
        if isinstance(by_kind, dict):
            counted = Counter({str(kind): int(count) for kind, count in by_kind.items()})
    if not counted:
        counted.update(
            str(event.get("kind", "unknown"))
            for event in run.events
            if event.get("event") == "connection_failed"
        )
    total = int(last_value(run, "connections_failed") or 0)
    rows = [Row(kind.replace("_", " "), format_count(count)) for kind, count in counted.most_common()]
    if total > counted.total():
        rows.append(Row("kind not recorded", format_count(total - counted.total())))
    return tuple(row for row in rows if row.value != "0")


def latency(run: Run) -> tuple[Course, ...]:
    """Return first-partial and final latency: median of the intervals at start and end, and the worst."""
    found = []
    for each in LATENCY:
        values = column(run, each.name)
        if values is None:
            continue
        known = values[np.isfinite(values)]
        fifth = max(1, len(known) // 5)
        found.append(
            Course(
                each.label,
                format_milliseconds(float(np.median(known[:fifth]))),
                format_milliseconds(float(np.median(known[-fifth:]))),
                format_milliseconds(float(known.max())),
            )
        )
    return tuple(found)


def limit_lines(verdict: Verdict) -> tuple[Row, ...]:
    """Return the advised memory limit as one sets it in Docker, Kubernetes and systemd."""
    limits = verdict.advice["memory_limit_bytes"]
    if not limits:
        return ()
    mebibytes = math.ceil(limits[-1] / MIB)
    return (
        Row("Docker", f"docker run --memory={mebibytes}m --memory-swap={mebibytes}m …"),
        Row("Kubernetes", f'resources: {{limits: {{memory: "{mebibytes}Mi"}}}}'),
        Row("systemd", f"MemoryMax={mebibytes}M"),
    )


BASIS_IN_WORDS = {
    "measured": "measured: the peak of this run",
    "between": "a straight line from the start to that",
    "beyond": "the same line beyond what was measured",
}
"""Where a row of the capacity table comes from."""


def capacity(verdict: Verdict) -> tuple[CapacityLine, ...]:
    """Return memory by connections open at once, as text."""
    return tuple(
        CapacityLine(
            format_count(row["open_connections"]),
            format_level(row["memory_bytes"]),
            BASIS_IN_WORDS[row["basis"]],
        )
        for row in verdict.advice["capacity"]
    )


def section(run: Run, name: str) -> dict[str, Any]:
    """Return one section of the run's configuration, or an empty one."""
    found = (run.manifest.get("configuration") or {}).get(name)
    return found if isinstance(found, dict) else {}


def configuration(run: Run) -> tuple[Section, ...]:
    """Return the resolved configuration, section by section, values as they were set."""
    sections = run.manifest.get("configuration")
    if not isinstance(sections, dict):
        return ()
    found = []
    for title, content in sections.items():
        if isinstance(content, dict):
            rows = tuple(Row(str(key), _plain(value)) for key, value in content.items())
        else:
            rows = (Row(str(title), _plain(content)),)
        if rows:
            found.append(Section(str(title), rows))
    return tuple(found)


_HOST_LABELS = {
    "cpu_model": "CPU",
    "cores": "cores",
    "memory_bytes": "memory",
    "kernel": "kernel",
    "libc": "libc",
    "python": "Python",
    "os": "operating system",
    "thp": "transparent huge pages",
    "cgroup_limit_bytes": "memory limit (cgroup)",
}


def host(run: Run) -> tuple[Row, ...]:
    """Return where the run happened: processor, memory, kernel, libc."""
    facts = run.manifest.get("host")
    if not isinstance(facts, dict):
        return ()
    rows = []
    for key, value in facts.items():
        label = _HOST_LABELS.get(key, str(key).replace("_", " "))
        text = format_bytes(value) if key.endswith("_bytes") and value is not None else _plain(value)
        rows.append(Row(label, text))
    return tuple(rows)


def versions(run: Run) -> tuple[Row, ...]:
    """Return the versions in play, soak's own first."""
    rows = [Row("soak", str(run.manifest["soak_version"]))] if run.manifest.get("soak_version") else []
    found = run.manifest.get("versions")
    if isinstance(found, dict):
        rows += [Row(str(name), _plain(version)) for name, version in found.items() if name != "soak"]
    return tuple(rows)


def allocator_environment(run: Run) -> tuple[Row, ...] | None:
    """Return the environment variables that change the allocator; empty if none was set, None if unknown."""
    found = run.manifest.get("environment")
    if not isinstance(found, dict):
        return None
    return tuple(Row(str(name), _plain(value)) for name, value in found.items())


def target(run: Run) -> tuple[Row, ...]:
    """Return what was measured: kind, address, process, command line, model."""
    found = run.manifest.get("target")
    if not isinstance(found, dict):
        return ()
    rows = []
    for key, value in found.items():
        if value is None:
            continue
        if key == "command_line" and isinstance(value, list):
            text = shlex.join(map(str, value))
        elif key == "start_time" and isinstance(value, int | float):
            text = datetime.fromtimestamp(value, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        else:
            text = _plain(value)
        rows.append(Row(str(key).replace("_", " "), text))
    return tuple(rows)


def harness(run: Run) -> tuple[Row, ...]:
    """Return what measuring cost: the harness's own memory and CPU share, late and missed samples."""
    rows = []
    rss = column(run, "harness_rss_bytes")
    if rss is not None:
        known = rss[np.isfinite(rss)]
        rows.append(Row("its own RSS", f"{format_bytes(float(known[0]))} → {format_bytes(float(known[-1]))}"))
    cpu_s = column(run, "harness_cpu_s")
    length_s = duration_s(run)
    if cpu_s is not None and length_s > 0:
        known = cpu_s[np.isfinite(cpu_s)]
        rows.append(Row("its own CPU", f"{format_percent((known[-1] - known[0]) / length_s)} of one core"))
    late_s = column(run, "late_s")
    if late_s is not None:
        interval_s = _interval_s(run)
        known = late_s[np.isfinite(late_s)]
        late = int((known > interval_s / 2).sum())
        rows.append(
            Row("late samples", f"{format_count(late)} (latest by {format_duration(float(known.max()))})")
        )
    if run.events:
        missed = sum(
            int(event.get("count", 1)) for event in run.events if event.get("event") == "sample_missed"
        )
        rows.append(Row("missed samples", format_count(missed)))
    return tuple(rows)


def _interval_s(run: Run) -> float:
    configured = section(run, "sample").get("interval_s")
    if isinstance(configured, int | float) and configured > 0:
        return float(configured)
    steps_s = np.diff(times_s(run))
    return float(np.nanmedian(steps_s)) if len(steps_s) else 1.0


def calibration(run: Run) -> tuple[Row, ...]:
    """Return how the arrival rate was found, where the driver measured it."""
    calibrated = run.last_event("calibrated") or {}
    rows = [
        Row("arrivals per second", _plain(calibrated.get("rate_per_s"))),
        Row("throughput found, per second", format_number(calibrated.get("throughput_per_s"))),
        Row("connections tried", format_count(calibrated.get("connections"))),
    ]
    return tuple(rows) if calibrated else ()


def command_line(run: Run) -> str | None:
    """Return the command that made the run, ready for a shell, or None."""
    recorded = run.manifest.get("command_line")
    if isinstance(recorded, str):
        return recorded or None
    if not isinstance(recorded, list) or not recorded:
        return None
    program, *arguments = map(str, recorded)
    # where the program lay on that machine is of no use on another
    name = PurePath(program).name
    words = ["python", "-m", "soak"] if name == "__main__.py" else [name]
    return shlex.join([*words, *arguments])


def server_summary(run: Run) -> str | None:
    """Return model and thread numbers in a line, or None when the run does not know them."""
    server = section(run, "server")
    numbers = [server.get(f"{name}_thread_num") for name in ("decoder", "io", "model")]
    if all(number is None for number in numbers):
        return None
    threads = "decoder/io/model threads " + "/".join(_plain(number) for number in numbers)
    model = server.get("model")
    return f"model {model}, {threads}" if model else threads


def _plain(value: object) -> str:
    """Write a configured value as a person would: lists with commas, no quotes around text."""
    if value is None:
        return "none"
    if isinstance(value, dict):
        return ", ".join(f"{key} {_plain(item)}" for key, item in value.items()) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return str(value).removesuffix(".0")
    if isinstance(value, list | tuple):
        return ", ".join(map(_plain, value)) or "none"
    return str(value) or "none"
