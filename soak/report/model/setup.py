"""How a run was made: configuration, target, host, versions, environment, command."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from soak.quantity import format_bytes, format_count, format_number
from soak.report.model.rows import Row, Section

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
    server = section(run, "server")
    return Setup(
        started=_minute(run.manifest.get("started_utc")),
        server=_server(server),
        random_weights=server.get("model") == _UNTRAINED_MODEL,
        target=_target(run),
        calibration=_calibration(run),
        host=_host(run),
        versions=_versions(run),
        environment=_environment(run),
        configuration=_configuration(run),
        command=_command(run.manifest.get("command_line")),
    )


def section(run: Run, name: str) -> dict[str, Any]:
    """Return one section of the run's configuration, or an empty one."""
    found = (run.manifest.get("configuration") or {}).get(name)
    return found if isinstance(found, dict) else {}


def _minute(started_utc: object) -> str:
    return f"{str(started_utc).replace('T', ' ')[:16]} UTC" if started_utc else ""


def _server(server: dict[str, Any]) -> str:
    numbers = [server.get(f"{name}_thread_num") for name in ("decoder", "io", "model")]
    if all(number is None for number in numbers):
        return ""
    threads = "decoder/io/model threads " + "/".join(map(_plain, numbers))
    model = server.get("model")
    return f"model {model}, {threads}" if model else threads


def _target(run: Run) -> tuple[Row, ...]:
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


def _calibration(run: Run) -> tuple[Row, ...]:
    calibrated = run.last_event("calibrated")
    if not calibrated:
        return ()
    return (
        Row("arrivals per second", _plain(calibrated.get("rate_per_s"))),
        Row("throughput found, per second", format_number(calibrated.get("throughput_per_s"))),
        Row("connections tried", format_count(calibrated.get("connections"))),
    )


def _host(run: Run) -> tuple[Row, ...]:
    facts = run.manifest.get("host")
    if not isinstance(facts, dict):
        return ()
    rows = []
    for key, value in facts.items():
        label = _HOST_LABELS.get(key, str(key).replace("_", " "))
        text = format_bytes(value) if key.endswith("_bytes") and value is not None else _plain(value)
        rows.append(Row(label, text))
    return tuple(rows)


def _versions(run: Run) -> tuple[Row, ...]:
    rows = [Row("soak", str(run.manifest["soak_version"]))] if run.manifest.get("soak_version") else []
    found = run.manifest.get("versions")
    if isinstance(found, dict):
        rows += [Row(str(name), _plain(version)) for name, version in found.items() if name != "soak"]
    return tuple(rows)


def _environment(run: Run) -> tuple[Row, ...] | None:
    found = run.manifest.get("environment")
    if not isinstance(found, dict):
        return None
    return tuple(Row(str(name), _plain(value)) for name, value in found.items())


def _configuration(run: Run) -> tuple[Section, ...]:
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


def _command(recorded: object) -> str:
    if isinstance(recorded, str):
        return recorded
    if not isinstance(recorded, list) or not recorded:
        return ""
    program, *arguments = map(str, recorded)
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
