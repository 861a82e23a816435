"""What a user says of a file of somebody else, checked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from soak.errors import SoakError

if TYPE_CHECKING:
    from soak.recordings import Asked


def asked_of(
    time_column: str | None, memory_column: str | None, unit: str | None, every: str | None, per: str | None
) -> Asked:
    """Check the options of a verb that reads recordings; raises `SoakError` in one line that names one."""
    from soak.recordings import Asked
    from soak.recordings.amounts import unit_named
    from soak.recordings.clock import duration_s

    bytes_in = None if unit is None else unit_named(unit)
    if unit is not None and bytes_in is None:
        raise SoakError(f"--unit {unit}: write B, KB, MB or GB")
    every_s = None if every is None else duration_s(every)
    if every is not None and not every_s:
        raise SoakError(f"--every {every}: write a time such as 60s or 5min")
    return Asked(time_column, memory_column, bytes_in, every_s, per)
