"""How a run was made: configuration, target, host, versions, environment, command."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import PurePath
from typing import TYPE_CHECKING

from soak.quantity import format_bytes, format_count, format_number
from soak.record.events import Calibrated
from soak.record.manifest import ServerSettings
from soak.report.model.tables.rows import Row, Section

if TYPE_CHECKING:
    from soak.record import Run

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
_UNTRAINED_MODEL = "large"
"""The bundled server's model that has random weights."""


@dataclass(frozen=True)
class Setup:
    """How a run was made, as tables; empty where the run does not know."""

    started: str
    """When, to the minute: ``2025-11-22 18:04 UTC``."""
    server: str
    """Model and thread numbers in a line."""
    random_weights: bool
    """Whether the model is not trained, so that transcripts mean nothing."""
    target: tuple[Row, ...]
    """What was measured: kind, address, process, command line, model."""
    calibration: tuple[Row, ...]
    """How the arrival rate was found, where the driver measured it."""
    host: tuple[Row, ...]
    """Processor, memory, kernel, libc."""
    versions: tuple[Row, ...]
    """The versions in play, soak's own first."""
    environment: tuple[Row, ...] | None
    """The variables that change the allocator; empty if none was set, None if unknown."""
    configuration: tuple[Section, ...]
    """The resolved configuration, section by section, values as they were set."""
    command: str
    """The command that made the run, ready for a shell."""


def setup(run: Run) -> Setup:
    """Read from the record of a run how it was made."""
    server = run.manifest.configuration.server or ServerSettings()
    return Setup(
        started=_minute(run.manifest.started_utc),
        server=_server(server),
        random_weights=server.model == _UNTRAINED_MODEL,
        target=_target(run),
        calibration=_calibration(run),
        host=_host(run),
        versions=_versions(run),
        environment=_environment(run),
        configuration=_configuration(run),
        command=_command(run.manifest.command_line),
    )


def _minute(started_utc: str | None) -> str:
    return f"{started_utc.replace('T', ' ')[:16]} UTC" if started_utc else ""


def _server(server: ServerSettings) -> str:
    numbers = (server.decoder_thread_num, server.io_thread_num, server.model_thread_num)
    if all(number is None for number in numbers):
        return ""
    threads = "decoder/io/model threads " + "/".join(map(_plain, numbers))
    return f"model {server.model}, {threads}" if server.model else threads


def _target(run: Run) -> tuple[Row, ...]:
    found = run.manifest.target
    written = {key: _plain(value) for key, value in found.to_json_object().items() if value is not None}
    if found.command_line is not None:
        written["command_line"] = shlex.join(found.command_line)
    if found.start_time is not None:
        started = datetime.fromtimestamp(found.start_time, UTC)
        written["start_time"] = started.strftime("%Y-%m-%d %H:%M:%S UTC")
    return tuple(Row(key.replace("_", " "), text) for key, text in written.items())


def _calibration(run: Run) -> tuple[Row, ...]:
    calibrated = run.last_event(Calibrated)
    if calibrated is None:
        return ()
    return (
        Row("arrivals per second", _plain(calibrated.rate_per_s)),
        Row("throughput found, per second", format_number(calibrated.throughput_per_s)),
        Row("connections tried", format_count(calibrated.connections)),
    )


def _host(run: Run) -> tuple[Row, ...]:
    rows = []
    for key, value in run.manifest.host.to_json_object().items():
        is_size = key.endswith("_bytes") and isinstance(value, int | float)
        text = format_bytes(value) if is_size else _plain(value)
        rows.append(Row(_HOST_LABELS.get(key, key.replace("_", " ")), text))
    return tuple(rows)


def _versions(run: Run) -> tuple[Row, ...]:
    manifest = run.manifest
    rows = [Row("soak", manifest.soak_version)] if manifest.soak_version else []
    rows += [Row(name, version) for name, version in manifest.versions.items() if name != "soak"]
    return tuple(rows)


def _environment(run: Run) -> tuple[Row, ...] | None:
    found = run.manifest.environment
    return None if found is None else tuple(Row(name, _plain(value)) for name, value in found.items())


def _configuration(run: Run) -> tuple[Section, ...]:
    found = []
    for title, content in run.manifest.configuration.to_json_object().items():
        if isinstance(content, dict):
            rows = tuple(Row(key, _plain(value)) for key, value in content.items())
        else:
            rows = (Row(title, _plain(content)),)
        if rows:
            found.append(Section(title, rows))
    return tuple(found)


def _command(recorded: tuple[str, ...] | None) -> str:
    if not recorded:
        return ""
    program, *arguments = recorded
    # where the program lay on that machine is of no use on another
    name = PurePath(program).name
    words = ["python", "-m", "soak"] if name == "__main__.py" else [name]
    return shlex.join([*words, *arguments])


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
