"""The answer of Prometheus's query_range as JSON: every series of the matrix."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from soak.recordings.cells import Table
from soak.recordings.interpreting import interpret
from soak.recordings.recording import Recording, RecordingFormat, UnreadableError

if TYPE_CHECKING:
    from soak.recordings.asked import Asked


@dataclass(frozen=True)
class PrometheusRange(RecordingFormat):
    """What `/api/v1/query_range` answers."""

    name: ClassVar[str] = "prometheus"
    label: ClassVar[str] = "Prometheus's answer to a range query"
    example: ClassVar[str] = """\
{"status": "success", "data": {"resultType": "matrix", "result": [
  {"metric": {"__name__": "container_memory_rss", "pod": "asr-0"},
   "values": [[1732918800, "845152256"], [1732918815, "845156352"], [1732918830, "845160448"]]}]}}
"""

    def recognise(self, head: str) -> float | None:
        """See its keys."""
        marks = ('"resultType"', '"matrix"', '"metric"')
        return 1.0 if head.lstrip().startswith("{") and all(mark in head for mark in marks) else None

    def read(self, text: str, asked: Asked) -> Recording:
        """Read every series by its labels."""
        try:
            result = json.loads(text)["data"]["result"]
            rows = [
                (str(stamp), str(value), _labels(series["metric"]))
                for series in result
                for stamp, value in series["values"]
            ]
        except (ValueError, KeyError, TypeError) as error:
            raise UnreadableError(f"its JSON is no range query's: {error}") from None
        return interpret(
            Table(("timestamp", "memory", "series"), tuple(rows), ("memory",), "B", "timestamp", ("series",)),
            asked,
        )


def _labels(metric: dict[str, Any]) -> str:
    told = {name: value for name, value in metric.items() if name != "__name__"}
    for name in ("pod", "container", "name", "instance", "job"):
        if name in told:
            return str(told[name])
    return ",".join(f"{name}={value}" for name, value in told.items()) or str(metric.get("__name__", ""))
