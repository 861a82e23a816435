"""What a profile comes to: for every allocation stack its bytes in use, one figure per quiet window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from soak.studies.profile.frames import Stack


@dataclass(frozen=True, eq=False)
class HeapCourse:
    """Bytes in use by stack over a run. All arrays have one entry per moment, oldest first."""

    t_s: NDArray[np.float64]
    """Seconds since the start of the run."""
    connections: NDArray[np.float64]
    """Connections completed by then."""
    bytes_by_stack: Mapping[Stack, NDArray[np.float64]]
    total_bytes: NDArray[np.float64]
    """All stacks together, those that are not named singly included."""
    unnamed: tuple[str, ...] = ()
    """Paths of programs and libraries whose calls could not be named, for want of symbols."""
