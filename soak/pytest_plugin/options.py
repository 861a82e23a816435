"""What a test's marker asks for."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Literal

import pytest

if TYPE_CHECKING:
    from collections.abc import Sequence

GROWTH = re.compile(r"(?P<size>[^/]+)/\s*(?P<per>connection|hour|h)\s*")


@dataclass(frozen=True, kw_only=True)
class SoakOptions:
    """Keyword arguments of `@pytest.mark.soak`."""

    connections: int | None = None
    """Run for so many; without it until it is decided, within `timeout_s`."""
    max_growth: str | None = None
    """Most growth after warm-up: `"64KiB/connection"` or `"5MiB/hour"`."""
    max_rss: str | None = None
    """Most memory, such as `"2GiB"`."""
    max_fds: int | None = None
    """Most open file descriptors."""
    max_failures: float = 0.01
    """Largest share of connections that may fail."""
    allow_inconclusive: bool = False
    """Pass although it could not be decided."""
    timeout_s: float = 600.0
    """The soak fails when it takes longer; waiting for another soak on this machine does not count."""
    config: str | None = None
    """A configuration of soak; `minimal`, or `attached` for a command."""
    settings: Sequence[str] = ()
    """`section.key=value`, as with `soak check --set`."""
    command: Sequence[str] | None = None
    """Start this server in place of the bundled one; `{port}` is replaced by a free port."""
    url: str = "ws://127.0.0.1:{port}"
    """Its address."""

    @classmethod
    def of(cls, marker: pytest.Mark | None) -> SoakOptions:
        """Read `marker`; raises `pytest.UsageError` in one line for what it does not know."""
        if marker is None:
            return cls()
        known = {field.name for field in fields(cls)}
        unknown = sorted(set(marker.kwargs) - known)
        if marker.args or unknown:
            what = unknown[0] if unknown else repr(marker.args[0])
            raise pytest.UsageError(
                f"@pytest.mark.soak: {what} is unknown; it takes {', '.join(sorted(known))}"
            )
        options = cls(**marker.kwargs)
        options.growth_per("hour")
        return options

    def growth_per(self, unit: Literal["connection", "hour"]) -> str | None:
        """Return the size that memory may grow by per `unit`, None where `max_growth` is of another unit.

        Raises `pytest.UsageError` in one line for a `max_growth` that is of neither.
        """
        if self.max_growth is None:
            return None
        match = GROWTH.fullmatch(self.max_growth)
        if match is None:
            raise pytest.UsageError(
                f"@pytest.mark.soak: max_growth={self.max_growth!r}: write a size per connection or "
                'hour, such as "64KiB/connection" or "5MiB/hour"'
            )
        return match["size"].strip() if match["per"][0] == unit[0] else None
