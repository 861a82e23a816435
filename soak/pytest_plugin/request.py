"""What the test session asks of the process in which it soaks a server."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from soak.pytest_plugin.options import SoakOptions


@dataclass(frozen=True)
class Request:
    """What is to be soaked, and how."""

    test: str
    """The test's node id, by which the run can be had again."""
    options: SoakOptions
    url: str
    """Address of the running server."""
    pid: int
    """Its process."""
    out: str
    """Where the run directory goes."""

    def to_json(self) -> str:
        """Write it as the process reads it."""
        return json.dumps(asdict(self))

    @classmethod
    def of_json(cls, text: str) -> Request:
        """Read what `to_json` wrote."""
        values = json.loads(text)
        return cls(**{**values, "options": SoakOptions(**values["options"])})
