"""How long a run goes on: one value, however it was asked for (flags, a test's marker, a TOML file)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from soak.errors import SoakError

if TYPE_CHECKING:
    from collections.abc import Mapping

SETTINGS = ("duration_s", "connections", "max_minutes", "until_decided")
"""The settings of a [load] section that together say how long a run goes on."""
DEFAULT_CONNECTIONS = 500
"""The length of a run when neither file nor command line gives one."""
DEFAULT_MAX_MINUTES = 60.0
"""What a run until decided takes at most when neither gives a maximum. The published geometry with 32 decoder
threads was still inconclusive after twenty minutes."""


@dataclass(frozen=True, kw_only=True)
class Length:
    """How long a run is asked to go on. What is None was not asked for; the configuration's length holds."""

    duration_s: float | None = None
    """Seconds; with `until_decided`, at most."""
    connections: int | None = None
    """Connections in all; with `until_decided`, at most."""
    max_minutes: float | None = None
    """Minutes that a run until decided takes at most; refused where the run is not until decided."""
    until_decided: bool = False
    """Whether the run ends as soon as plateau or climbing stands; False leaves it to the configuration."""

    @classmethod
    def asked(
        cls,
        *,
        hours: float | None = None,
        minutes: float | None = None,
        connections: int | None = None,
        max_minutes: float | None = None,
        until_decided: bool = False,
    ) -> Self:
        """Return the length that the options of these names ask for.

        Raises `SoakError` in one line for a length that cannot be meant.
        """
        given = {
            "--hours": hours,
            "--minutes": minutes,
            "--max-minutes": max_minutes,
            "--connections": connections,
        }
        for name, value in given.items():
            if value is not None and not value > 0:
                raise SoakError(f"{name} must be above 0, not {value:g}")
        durations = [name for name in ("--hours", "--minutes", "--max-minutes") if given[name] is not None]
        if len(durations) > 1:
            raise SoakError(f"give {durations[0]} or {durations[1]}, not both")
        duration_s = hours * 3600 if hours is not None else minutes * 60 if minutes is not None else None
        return cls(
            duration_s=duration_s,
            connections=connections,
            max_minutes=max_minutes,
            until_decided=until_decided,
        )

    @property
    def has_an_end(self) -> bool:
        """Whether time or connections were asked for."""
        return any(value is not None for value in (self.duration_s, self.connections, self.max_minutes))

    def settings(self) -> dict[str, Any]:
        """Return what is laid over a [load] section: any end asked for replaces all that are configured."""
        settings: dict[str, Any] = {"until_decided": True} if self.until_decided else {}
        if self.has_an_end:
            settings |= {
                "duration_s": self.duration_s,
                "connections": self.connections,
                "max_minutes": self.max_minutes,
            }
        return settings


def with_an_end(load: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a [load] section with `max_minutes` as `duration_s`, and with a default end.

    Settings that are None count as not given. Raises `SoakError` in one line for a maximum that is no number
    of minutes, that limits nothing, or that is given twice.
    """
    given = {name: value for name, value in load.items() if value is not None}
    max_minutes = given.pop("max_minutes", None)
    until_decided = given.get("until_decided") is True
    if max_minutes is not None:
        _check_max_minutes(max_minutes, given, until_decided=until_decided)
        given["duration_s"] = max_minutes * 60.0
    if "connections" not in given and "duration_s" not in given:
        given |= (
            {"duration_s": DEFAULT_MAX_MINUTES * 60.0}
            if until_decided
            else {"connections": DEFAULT_CONNECTIONS}
        )
    return given


def _check_max_minutes(max_minutes: object, given: Mapping[str, Any], *, until_decided: bool) -> None:
    if isinstance(max_minutes, bool) or not isinstance(max_minutes, int | float) or not max_minutes > 0:
        raise SoakError(f"load.max_minutes is {max_minutes!r}: it must be a number above 0")
    if not until_decided:
        raise SoakError(
            "load.max_minutes is the limit of a run until decided: add --until-decided (load.until_decided), "
            "or give a fixed length instead"
        )
    if "duration_s" in given:
        raise SoakError("load.max_minutes and load.duration_s both limit the run: give one")
