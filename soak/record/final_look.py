"""How a run until decided was last looked at, so that it can be judged the same way again."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from soak.record.events import FinalLook
    from soak.record.reader import Run

HALF_A_STAMP_S = 0.0005
"""Times are recorded to the millisecond."""


def seen_by(look: FinalLook, run: Run) -> Run:
    """Return `run` with the samples `look` saw."""
    samples = run.samples
    seen = samples[~(samples["t_s"] > look.up_to_s + HALF_A_STAMP_S)]
    return dataclasses.replace(run, samples=seen.reset_index(drop=True))
