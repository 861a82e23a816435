"""What the server says of itself on `/metrics`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from soak.columns import Column, Owner, declarations, written_by
from soak.plugins import check_above_zero
from soak.sources.cadence import Every
from soak.sources.scrape import ServerPages
from soak.sources.source import Gap, Gone, MemorySource, Outcome, Reading, SourceReader, Watched

if TYPE_CHECKING:
    from soak.sources.cadence import Cadence

TRIES_BEFORE_GIVING_UP = 3
"""A server that never answered so many times is taken to have no such page."""
NO_ANSWER = Gap("no answer from /metrics in time")
NO_PAGE = Gap("the server has no /metrics that soak knows", Gone.SOURCE)


@dataclass(frozen=True)
class MetricsSource(MemorySource):
    """Figures of the bundled server, or of another with the same names."""

    interval_s: float = 2.0
    """Between two readings."""
    name: ClassVar[str] = "metrics"

    def __post_init__(self) -> None:
        """Check the options; raises `OptionError`."""
        check_above_zero("interval_s", self.interval_s)

    def columns(self) -> tuple[Column, ...]:
        """See `MemorySource`."""
        return declarations(*written_by(Owner.SERVER))

    def cadence(self) -> Cadence:
        """See `MemorySource`."""
        return Every(self.interval_s)

    def open(self, target: Watched) -> SourceReader:
        """See `MemorySource`."""
        return _MetricsReader(
            ServerPages(target.url, verify_tls=target.verify_tls, certificate=target.certificate)
        )


class _MetricsReader(SourceReader):
    def __init__(self, pages: ServerPages) -> None:
        self._pages = pages
        self._tries_left = TRIES_BEFORE_GIVING_UP

    def read(self) -> Outcome:
        values = self._pages.scrape_metrics()
        if values is not None:
            self._tries_left = 0  # there is such a page: what fails now may succeed again
            return Reading(values)
        if self._tries_left == 1:
            return NO_PAGE
        self._tries_left -= self._tries_left > 0
        return NO_ANSWER
