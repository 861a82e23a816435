"""What FunASR issue 2164 reports of three configurations."""

from __future__ import annotations

from dataclasses import dataclass

PUBLISHED_NOTE = (
    "Published: the original FunASR server on its own models, as reported in FunASR issue 2164. "
    "Compare the order and the shape, not the level."
)


@dataclass(frozen=True)
class Published:
    """What is reported of a configuration, in gigabytes as printed there."""

    start_gb: float
    plateau_gb: float

    def __str__(self) -> str:
        """Return the figures as they are printed there."""
        return f"{self.start_gb:g} → {self.plateau_gb:g} GB"


PUBLISHED = {
    "minimal": Published(1.5, 1.7),
    "medium": Published(1.5, 2.1),
    "high": Published(1.5, 2.5),
}
"""By name of the configuration."""
