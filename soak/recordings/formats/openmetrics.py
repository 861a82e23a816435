"""OpenMetrics text: what a server answers on /metrics, scraped again and again, or with time stamps."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from prometheus_client.parser import text_string_to_metric_families

from soak.recordings.cells import Table
from soak.recordings.interpreting import interpret
from soak.recordings.recording import Recording, RecordingFormat, UnreadableError

if TYPE_CHECKING:
    from soak.recordings.asked import Asked

WANTED = re.compile(
    r"^(process_resident_memory_bytes|container_memory_(?:rss|working_set_bytes|usage_bytes)"
    r"|\w*(?:rss|resident)\w*bytes\w*)(?=[ {])",
    re.MULTILINE,
)
"""Samples that are memory; the first kind that occurs is read."""


@dataclass(frozen=True)
class OpenMetrics(RecordingFormat):
    """What `/metrics` answers, several answers one after the other; also what promtool and mtail export."""

    name: ClassVar[str] = "openmetrics"
    label: ClassVar[str] = "OpenMetrics text"
    example: ClassVar[str] = """\
# TYPE process_resident_memory_bytes gauge
process_resident_memory_bytes 845152256 1732918800000
process_resident_memory_bytes 845156352 1732918815000
process_resident_memory_bytes 845160448 1732918830000
# EOF
"""

    def recognise(self, head: str) -> float | None:
        """See a sample of memory."""
        return 0.95 if WANTED.search(head) else None

    def read(self, text: str, asked: Asked) -> Recording:
        """Read the samples of memory, each set of labels as a series."""
        wanted = WANTED.search(text)
        if wanted is None:
            raise UnreadableError("it has no process_resident_memory_bytes")
        lines = [line for line in text.splitlines() if re.match(rf"{wanted[1]}[ {{]", line)]
        try:
            samples = [
                sample
                for line in lines
                for family in text_string_to_metric_families(f"{line}\n")
                for sample in family.samples
            ]
        except ValueError as error:
            raise UnreadableError(f"it is no OpenMetrics text: {error}") from None
        stamped = all(sample.timestamp is not None for sample in samples)
        rows = tuple(
            (
                _stamp(float(sample.timestamp or 0.0)),
                str(sample.value),
                ",".join(f"{name}={value}" for name, value in sample.labels.items()),
            )
            for sample in samples
        )
        table = Table(
            ("timestamp", wanted[1], "labels"), rows, (wanted[1],), "B", "timestamp", ("labels",), "scrape"
        )
        if not stamped:
            table = Table(
                (wanted[1], "labels"),
                tuple(row[1:] for row in rows),
                (wanted[1],),
                "B",
                None,
                ("labels",),
                "scrape",
            )
        return interpret(table, asked)


def _stamp(timestamp: float) -> str:
    """Return seconds since 1970: the parser takes OpenMetrics' seconds for Prometheus's milliseconds."""
    return str(timestamp * 1000.0 if timestamp < 1e8 else timestamp)
