"""What the driver tells its parent: one JSON object a line, counters cumulative since the start.

Times are those of the driver's event loop: `time.monotonic()`, which every process of one Linux host shares.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

Phase = Literal["baseline", "calibrate", "load", "drain", "settle", "rest", "done"]
"""`baseline`: ready, no load yet; `calibrate`: measuring what the server can take; `load`: connections
arrive; `drain`: waiting for the last close; `settle`: the server's delayed free; `rest`: the quiet
window; `done`."""

FailureKind = Literal[
    "connect_timeout",
    "connect_refused",
    "handshake",
    "result_timeout",
    "server_error",
    "closed_by_server",
    "close_timeout",
    "protocol",
]
"""Why a connection failed: `connect_refused` is any failure to open the socket, `handshake` includes TLS,
`server_error` an error message of the server, `protocol` a message that is not of the protocol."""

EndReason = Literal["finished", "stopped", "not_ready"]
"""`finished`: the plan was carried out; `stopped`: told to stop; `not_ready`: no dialogue completed."""


@dataclass(frozen=True)
class PhaseChanged:
    """The driver entered a phase, sent at that moment."""

    t_monotonic_s: float
    phase: Phase
    block: int
    """0 up to the rest after the calibration; blocks of load count from 1, their rests included."""


@dataclass(frozen=True)
class Quantiles:
    """Latency quantiles in milliseconds, within 1 % of the true value."""

    p50: float
    p95: float
    p99: float
    count: int
    """Observations behind the quantiles."""


@dataclass(frozen=True)
class Counters:
    """Cumulative counts since the driver started; the dialogues that test readiness are not counted."""

    connections_opened: int = 0
    """WebSocket handshakes completed."""
    connections_completed: int = 0
    """Did all that their scenario asks; usually: opened, answered with a final result and closed again."""
    connections_failed: int = 0
    """Connections, or attempts to open one, that failed in any way."""
    connections_cut_short: int = 0
    """Closed by the driver before their result because it was told to stop; neither completed nor failed."""
    failures: Mapping[str, int] = field(default_factory=dict)
    """Failures by kind; kinds that did not occur are absent."""
    audio_s: float = 0.0
    """Seconds of audio sent."""
    arrivals_delayed: int = 0
    """Connections that were due while the cap on open connections was reached, and had to wait."""
    transcripts_changed: int = 0
    """Final transcripts that differ from the first one of the same clip."""
    transcripts_checked: int = 0
    """Final transcripts of clips with a reference, with which they were compared."""
    character_errors: int = 0
    """Their character errors (see `soak.load.character_errors`)."""
    reference_characters: int = 0
    """The characters of their references: the errors divided by these are the character error rate."""


@dataclass(frozen=True)
class Interval:
    """What happened up to now, and the latencies since the message before."""

    t_monotonic_s: float
    counters: Counters
    open_connections: int
    """Most connections in use at once since the message before, those being opened or closed included: short
    connections would mostly fall between two looks at a clock."""
    first_partial_ms: Quantiles | None
    """From the first audio frame to the first result of any kind; None without an observation."""
    final_ms: Quantiles | None
    """From the end-of-audio message to the final result."""
    driver_rss_bytes: int
    driver_cpu_s: float


@dataclass(frozen=True)
class DriverEvent:
    """Something worth a line of its own.

    `ready` (attempts, waited_s, transcript) · `not_ready` (attempts, kind, detail) ·
    `calibrated` (rate_per_s, throughput_per_s, connections, seconds) ·
    `connection_failed` (kind, detail, clip, connection) ·
    `first_transcript` (clip, connection, reference, transcript, character_errors, reference_characters) ·
    `transcript_changed` (clip, connection, now, first, first_connection) ·
    `transcripts` (clips: for each its connections, transcripts_changed, character_errors and
    reference_characters so far) · `no_more_details` (of: the event that from now on is only counted).

    Connections are numbered from 1 in the order they were begun; the dialogues that test readiness have none.
    What is not known (the errors of a clip without reference) is None.
    """

    t_monotonic_s: float
    event: str
    details: Mapping[str, Any] = field(default_factory=dict)
    """The event's own fields; in JSON they stand beside `event`."""


@dataclass(frozen=True)
class Done:
    """The last message: totals and the latencies of the whole run."""

    t_monotonic_s: float
    reason: EndReason
    counters: Counters
    rate_per_s: float | None
    """The arrival rate used, as planned or as calibrated; None in a closed loop."""
    first_partial_ms: Quantiles | None
    final_ms: Quantiles | None


Message = PhaseChanged | Interval | DriverEvent | Done

STOP_LINE = '{"command": "stop"}\n'
"""What the parent writes to the driver's standard input to end it early; closing the pipe does the same."""
MOST_CHARACTERS = 2000
"""Of one text in an event."""
FINISH_LINE = '{"command": "finish"}\n'
"""What it writes to end the load in good order: after the block it is in, that block's rest included."""


def encode(message: Message) -> str:
    """Return the message as one line of JSON, without the line end."""
    values: dict[str, Any]
    match message:
        case PhaseChanged():
            values = {"type": "phase", **dataclasses.asdict(message)}
        case Interval():
            values = {"type": "interval", **dataclasses.asdict(message)}
            values.update(values.pop("counters"))
        case DriverEvent():
            head = {"type": "event", "event": message.event, "t_monotonic_s": message.t_monotonic_s}
            values = {**head, **_bounded(message.details)}
        case Done():
            values = {"type": "done", **dataclasses.asdict(message)}
            values.update(values.pop("counters"))
            values["latency"] = {name: values.pop(name) for name in ("first_partial_ms", "final_ms")}
    return json.dumps(values, ensure_ascii=False)


def _bounded(details: Mapping[str, Any]) -> dict[str, Any]:
    """Cut what a server said to a length that a record has room for: it may say megabytes."""
    return {name: _cut(value) if isinstance(value, str) else value for name, value in details.items()}


def _cut(text: str) -> str:
    return text if len(text) <= MOST_CHARACTERS else f"{text[:MOST_CHARACTERS]}…"


def decode(line: str) -> Message:
    """Parse one line of the driver's output; unknown keys are ignored. Raises ValueError with one line."""
    try:
        values = json.loads(line)
        match values["type"]:
            case "phase":
                return PhaseChanged(values["t_monotonic_s"], values["phase"], values["block"])
            case "interval":
                return _interval(values)
            case "event":
                known = ("type", "event", "t_monotonic_s")
                details = {name: value for name, value in values.items() if name not in known}
                return DriverEvent(values["t_monotonic_s"], values["event"], details)
            case "done":
                return _done(values)
            case other:
                problem = f"unknown type {other!r}"
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(f"not a message of the load driver ({error!r}): {line[:200]!r}") from None
    raise ValueError(f"not a message of the load driver ({problem}): {line[:200]!r}")


def _counters(values: Mapping[str, Any]) -> Counters:
    return Counters(**{item.name: values[item.name] for item in dataclasses.fields(Counters)})


def _quantiles(values: Mapping[str, Any] | None) -> Quantiles | None:
    return None if values is None else Quantiles(**values)


def _interval(values: Mapping[str, Any]) -> Interval:
    return Interval(
        t_monotonic_s=values["t_monotonic_s"],
        counters=_counters(values),
        open_connections=values["open_connections"],
        first_partial_ms=_quantiles(values["first_partial_ms"]),
        final_ms=_quantiles(values["final_ms"]),
        driver_rss_bytes=values["driver_rss_bytes"],
        driver_cpu_s=values["driver_cpu_s"],
    )


def _done(values: Mapping[str, Any]) -> Done:
    return Done(
        t_monotonic_s=values["t_monotonic_s"],
        reason=values["reason"],
        counters=_counters(values),
        rate_per_s=values["rate_per_s"],
        first_partial_ms=_quantiles(values["latency"]["first_partial_ms"]),
        final_ms=_quantiles(values["latency"]["final_ms"]),
    )
