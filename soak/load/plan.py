"""What load to put on a server: the one document the driver is given."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, get_args

from soak.dialects import DIALECTS, Dialect
from soak.load.arrivals import ARRIVALS, Arrivals, Intensity
from soak.load.clip_order import ClipOrder
from soak.load.scenarios import SCENARIOS, Scenario
from soak.plugins import (
    OptionError,
    Part,
    PluginError,
    check_choice,
    check_flag,
    check_number,
    check_text,
    option_names,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from soak.plugins import Registry

PARTS: Mapping[str, tuple[Registry[Any], str]] = {
    "dialect": (DIALECTS, "funasr"),
    "arrival": (ARRIVALS, "rate"),
    "scenario": (SCENARIOS, "dialogue"),
}
"""Fields that name an exchangeable part, with what is known of each and the default. In JSON and TOML the
options of the parts stand beside the other fields: `{"dialect": "funasr", "mode": "2pass"}`."""

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
    arrival: Arrivals = field(default_factory=lambda: _default("arrival"))
    """`rate`: connections arrive at a fixed rate; `closed`: `max_open` clients, each starting over."""
    rate_per_s: float | None = None
    """Arrivals per second; None measures what the server can take and uses half of it (see `calibrate`)."""
    max_rate_per_s: float = 10.0
    """Upper bound of a calibrated rate."""
    group: int = 1
    """Connections that arrive together: a group every `group / rate_per_s` seconds."""
    max_open: int = 1
    """Most connections open at once (`rate`), or the number of clients (`closed`)."""
    dialect: Dialect = field(default_factory=lambda: _default("dialect"))
    """The protocol of the server, with its options (see `soak.dialects`)."""
    scenario: Scenario = field(default_factory=lambda: _default("scenario"))
    """What each connection does, with its options (see `soak.load.scenarios`)."""
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
    verify_tls: bool = True
    """Check the server's certificate. FunASR ships a self-signed one: leave it so by `--no-verify-tls`,
    or have it trusted by SSL_CERT_FILE."""
    certificate: str = ""
    """PEM file: the server must show this certificate, or one it has signed; empty for the system's
    authorities. That of the bundled server is put in by itself."""
    clips: str = ""
    """Folder of the recordings to send, with what is said in them (see `soak.load.clips`); empty for the
    bundled ones."""
    check_references: bool = True
    """Compare transcripts with what is said in the recordings. Whether those of one recording stay the same
    is checked in any case."""
    compression: bool = False
    """Offer permessage-deflate, as browsers do; the server must take it (`server.compression`)."""
    ready_timeout_s: float | None = 120.0
    """Wait this long for a completed dialogue before the load; None takes readiness for granted."""
    baseline_s: float = 0.0
    """Quiet time (phase `baseline`) between readiness and the first connection that counts."""

    def __post_init__(self) -> None:
        """Refuse what cannot be carried out, with the field's name in the message."""
        try:
            self._check_types()
            self._check_ranges()
            self._check_together()
        except OptionError as error:
            raise PlanError(f"load.{error}") from None

    @property
    def intensity(self) -> Intensity:
        """What the plan says of rate and number, for the arrivals."""
        return Intensity(self.rate_per_s, self.max_rate_per_s, self.group, self.max_open)

    def _check_types(self) -> None:
        check_choice("clip_order", self.clip_order, get_args(ClipOrder))
        for name in (*_POSITIVE, *_NOT_NEGATIVE, "seed"):
            value = getattr(self, name)
            if value is not None or name not in _OPTIONAL:
                check_number(name, value, whole=name in _INTEGERS)
        for name in ("url", "clips", "certificate"):
            check_text(name, getattr(self, name))
        for name in _BOOLEANS:
            check_flag(name, getattr(self, name))

    def _check_ranges(self) -> None:
        for name in _POSITIVE:
            value = getattr(self, name)
            if value is not None and value <= 0:
                raise OptionError(f"{name} is {value}: it must be above 0")
        for name in _NOT_NEGATIVE:
            if getattr(self, name) < 0:
                raise OptionError(f"{name} is {getattr(self, name)}: it cannot be negative")

    def _check_together(self) -> None:
        if not self.url.startswith(("ws://", "wss://")):
            raise OptionError(f"url is {self.url!r}: it must start with ws:// or wss://")
        if self.duration_s is None and self.connections is None:
            raise PlanError("load has no end: set load.duration_s or load.connections")
        self.arrival.check(self.intensity)
        quiet_s = self.settle_s + self.rest_s
        if self.duration_s is not None and self.duration_s <= quiet_s:
            raise OptionError(
                f"duration_s is {self.duration_s:g}: it must be above settle_s + rest_s ({quiet_s:g})"
            )

    def to_json_object(self) -> dict[str, Any]:
        """Return the plan as JSON-ready values, the options of its parts beside the other fields."""
        values: dict[str, Any] = {}
        for each in dataclasses.fields(self):
            value = getattr(self, each.name)
            if isinstance(value, Part):
                values |= {each.name: value.name, **value.options()}
            else:
                values[each.name] = value
        return values

    def to_json_line(self) -> str:
        """Return the plan as one line of JSON, without the line end."""
        return json.dumps(self.to_json_object(), ensure_ascii=False)

    @classmethod
    def from_json_object(cls, values: Mapping[str, Any]) -> LoadPlan:
        """Build a plan from JSON values; unknown keys, wrong types and bad values raise `PlanError`."""
        kinds = {name: _find(name, values.get(name, default)) for name, (_, default) in PARTS.items()}
        owners = {each.name: "load" for each in dataclasses.fields(cls)}
        for kind in kinds.values():
            for option in option_names(kind):
                if option in owners:
                    raise PlanError(f"{kind.name} and {owners[option]} both have an option {option}")
                owners[option] = kind.name
        unknown = sorted(set(values) - set(owners))
        if unknown:
            raise PlanError(f"load.{unknown[0]} is not a setting: the settings are {', '.join(owners)}")
        if "url" not in values:
            raise PlanError("load.url is missing: give the server's address, such as ws://127.0.0.1:10095")
        fields = {name: value for name, value in values.items() if owners[name] == "load"}
        parts = {
            name: _build(name, kind, {key: values[key] for key in option_names(kind) if key in values})
            for name, kind in kinds.items()
        }
        return cls(**{**fields, **parts})

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


def _default(field_name: str) -> Any:
    registry, name = PARTS[field_name]
    return registry.make(name, {})


def _find(field_name: str, name: object) -> type[Part]:
    registry, _ = PARTS[field_name]
    try:
        kind: type[Part] = registry.find(name)
    except PluginError as error:
        raise PlanError(f"load.{field_name} is {error}") from None
    return kind


def _build(field_name: str, kind: type[Part], options: Mapping[str, Any]) -> Part:
    registry, _ = PARTS[field_name]
    try:
        part: Part = registry.build(kind, options)
    except OptionError as error:
        raise PlanError(f"load.{error}") from None
    except PluginError as error:
        raise PlanError(f"load.{field_name} is {error}") from None
    return part
