"""What load to put on a server: the one document the driver is given."""

from __future__ import annotations

import dataclasses
import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

if TYPE_CHECKING:
    from collections.abc import Mapping

Arrival = Literal["rate", "closed"]
Pace = Literal["realtime", "unpaced"]
Mode = Literal["online", "offline", "2pass"]
ClipOrder = Literal["cycle", "shuffle"]
Closing = Literal["normal", "abrupt"]

CONNECTION_NUMBER = "{connection}"
"""Stands in the hotwords for the number of the connection."""

_CHOICES: dict[str, tuple[str, ...]] = {
    "arrival": get_args(Arrival),
    "pace": get_args(Pace),
    "mode": get_args(Mode),
    "clip_order": get_args(ClipOrder),
    "closing": get_args(Closing),
}
_POSITIVE = (
    "duration_s",
    "connections",
    "rate_per_s",
    "max_rate_per_s",
    "group",
    "max_open",
    "block_s",
    "connect_timeout_s",
    "result_timeout_s",
    "close_timeout_s",
    "report_interval_s",
    "ready_timeout_s",
)
_NOT_NEGATIVE = ("settle_s", "rest_s", "baseline_s")
_INTEGERS = ("connections", "group", "max_open", "seed")
_BOOLEANS = ("until_decided", "verify_tls", "compression")
_OPTIONAL = ("duration_s", "connections", "rate_per_s", "block_s", "ready_timeout_s")


class PlanError(ValueError):
    """A load plan that cannot be carried out; the message is one line that names the field."""


@dataclass(frozen=True)
class LoadPlan:
    """The load one driver puts on one server. Every value is checked on construction (`PlanError`)."""

    url: str
    """WebSocket address, ws:// or wss://."""
    duration_s: float | None = None
    """Wall-clock limit of the whole load, rests included. At least one of this and `connections` is set."""
    connections: int | None = None
    """Connections to make in all, failed ones and those of the calibration included."""
    until_decided: bool = False
    """Whether somebody watches the memory and may end the load early: blocks are then short, so that an
    answer can come early, and `duration_s` and `connections` are what it takes at most."""
    arrival: Arrival = "rate"
    """`rate`: connections arrive at a fixed rate; `closed`: `max_open` clients, each starting over."""
    rate_per_s: float | None = None
    """Arrivals per second; None measures what the server can take and uses half of it (see `calibrate`)."""
    max_rate_per_s: float = 10.0
    """Upper bound of a calibrated rate."""
    group: int = 1
    """Connections that arrive together: a group every `group / rate_per_s` seconds."""
    max_open: int = 1
    """Most connections open at once (`rate`), or the number of clients (`closed`)."""
    pace: Pace = "unpaced"
    """`realtime`: frames come as from a microphone; `unpaced`: as fast as the server takes it."""
    mode: Mode = "2pass"
    """FunASR's recognition mode."""
    chunk_size: tuple[int, int, int] = (5, 10, 5)
    """Left context, chunk and right context in units of 60 ms."""
    clip_order: ClipOrder = "cycle"
    """`cycle`: the clips in their order, again and again; `shuffle`: each round in an order from `seed`."""
    seed: int = 0
    """Seed of the shuffled order."""
    block_s: float | None = None
    """Length of one block of load between two rests; None derives it from the plan (see `blocks`)."""
    settle_s: float = 6.0
    """Wait after the last close, before the rest: FunASR frees closed connections in a sweep every 5 s."""
    rest_s: float = 3.0
    """Length of the quiet window in which the floor of the memory is read."""
    connect_timeout_s: float = 10.0
    """Limit for TCP, TLS and the WebSocket handshake together."""
    result_timeout_s: float = 30.0
    """Limit from the end of the audio to the final result; also the slack for sending the audio."""
    close_timeout_s: float = 5.0
    """Limit for the closing handshake."""
    report_interval_s: float = 1.0
    """Interval between two `Interval` messages."""
    verify_tls: bool = False
    """Check the server's certificate. Off by default: FunASR ships a self-signed one."""
    clips: str = ""
    """Folder of the recordings to send, with what is said in them (see `soak.load.clips`); empty for the
    bundled ones."""
    check_references: bool = True
    """Compare transcripts with what is said in the recordings. Whether those of one recording stay the same
    is checked in any case."""
    hotwords: str = ""
    """The `hotwords` field of the opening message, as FunASR takes it: words with spaces between them, or a
    JSON object of words and weights in a string. They work where the second pass is contextual. Where it
    says {connection} the number of the connection stands, so that every client has a list of its own."""
    closing: Closing = "normal"
    """`normal`: the closing handshake, code 1000; `abrupt`: after the final result the connection is cut
    (TCP reset), as by a client that is killed."""
    compression: bool = False
    """Offer permessage-deflate, as browsers do; the server must take it (`server.compression`)."""
    ready_timeout_s: float | None = 120.0
    """Wait this long for a completed dialogue before the load; None takes readiness for granted."""
    baseline_s: float = 0.0
    """Quiet time (phase `baseline`) between readiness and the first connection that counts."""

    def __post_init__(self) -> None:
        """Refuse what cannot be carried out, with the field's name in the message."""
        # JSON has no tuples: accept a list for the chunk size.
        if isinstance(self.chunk_size, list):
            object.__setattr__(self, "chunk_size", tuple(self.chunk_size))
        self._check_types()
        self._check_ranges()
        self._check_together()

    def _check_types(self) -> None:
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in choices:
                raise PlanError(f"load.{name} is {getattr(self, name)!r}: choose one of {', '.join(choices)}")
        for name in (*_POSITIVE, *_NOT_NEGATIVE, "seed"):
            value = getattr(self, name)
            if value is None and name in _OPTIONAL:
                continue
            wanted = int if name in _INTEGERS else (int, float)
            if isinstance(value, bool) or not isinstance(value, wanted) or not math.isfinite(value):
                kind = "a whole number" if name in _INTEGERS else "a number"
                raise PlanError(f"load.{name} is {value!r}: it must be {kind}")
        for name in ("url", "clips", "hotwords"):
            if not isinstance(getattr(self, name), str):
                raise PlanError(f"load.{name} is {getattr(self, name)!r}: it must be a string")
        for name in _BOOLEANS:
            if not isinstance(getattr(self, name), bool):
                raise PlanError(f"load.{name} is {getattr(self, name)!r}: it must be true or false")
        self._check_chunk_size()

    def _check_chunk_size(self) -> None:
        chunk = self.chunk_size
        integers = isinstance(chunk, tuple) and all(type(part) is int and part >= 0 for part in chunk)
        if not integers or len(chunk) != 3 or chunk[1] == 0:
            raise PlanError(
                f"load.chunk_size is {chunk!r}: it must be three whole numbers such as [5, 10, 5]"
            )

    def _check_ranges(self) -> None:
        for name in _POSITIVE:
            value = getattr(self, name)
            if value is not None and value <= 0:
                raise PlanError(f"load.{name} is {value}: it must be above 0")
        for name in _NOT_NEGATIVE:
            if getattr(self, name) < 0:
                raise PlanError(f"load.{name} is {getattr(self, name)}: it cannot be negative")

    def _check_together(self) -> None:
        if not self.url.startswith(("ws://", "wss://")):
            raise PlanError(f"load.url is {self.url!r}: it must start with ws:// or wss://")
        if self.duration_s is None and self.connections is None:
            raise PlanError("load has no end: set load.duration_s or load.connections")
        if self.arrival == "rate" and self.group > self.max_open:
            raise PlanError(
                f"load.group ({self.group}) is above load.max_open ({self.max_open}): it could never start"
            )
        quiet_s = self.settle_s + self.rest_s
        if self.duration_s is not None and self.duration_s <= quiet_s:
            raise PlanError(
                f"load.duration_s is {self.duration_s:g}: it must be above settle_s + rest_s ({quiet_s:g})"
            )

    def to_json_object(self) -> dict[str, Any]:
        """Return the plan as JSON-ready values."""
        return {**dataclasses.asdict(self), "chunk_size": list(self.chunk_size)}

    def to_json_line(self) -> str:
        """Return the plan as one line of JSON, without the line end."""
        return json.dumps(self.to_json_object(), ensure_ascii=False)

    @classmethod
    def from_json_object(cls, values: Mapping[str, Any]) -> LoadPlan:
        """Build a plan from JSON values; unknown keys, wrong types and bad values raise `PlanError`."""
        known = [field.name for field in dataclasses.fields(cls)]
        unknown = sorted(set(values) - set(known))
        if unknown:
            raise PlanError(f"load.{unknown[0]} is not a setting: the settings are {', '.join(known)}")
        if "url" not in values:
            raise PlanError("load.url is missing: give the server's address, such as ws://127.0.0.1:10095")
        return cls(**values)

    @classmethod
    def from_json_line(cls, line: str) -> LoadPlan:
        """Parse one line of JSON; raises `PlanError`."""
        try:
            values = json.loads(line)
        except ValueError as error:
            raise PlanError(f"the load plan is not JSON: {error}") from None
        if not isinstance(values, dict):
            raise PlanError("the load plan is not a JSON object")
        return cls.from_json_object(values)
