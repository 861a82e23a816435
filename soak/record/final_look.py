"""How a run until decided was last looked at, so that it can be judged the same way again."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from soak.quantity import format_bytes, format_count, format_duration
from soak.verdict.verdict import Label

if TYPE_CHECKING:
    from soak.record.events import FinalLook
    from soak.record.reader import Run
    from soak.verdict.verdict import Verdict

HALF_A_STAMP_S = 0.0005
"""Times are recorded to the millisecond."""


def seen_by(look: FinalLook, run: Run) -> Run:
    """Return `run` with the samples `look` saw."""
    samples = run.samples
    seen = samples[~(samples["t_s"] > look.up_to_s + HALF_A_STAMP_S)]
    return dataclasses.replace(run, samples=seen.reset_index(drop=True))


def look_in_words(look: FinalLook, verdict: Verdict) -> str:
    """Return why the run ended when it did, and what its `verdict` therefore does not say."""
    if not look.stopped_early:
        return f"The run was to stop once it was decided; it went on to its end, {_longest(look)}."
    because = (
        f"The run stopped early, after {format_duration(look.up_to_s)} of {_longest(look)}, because "
        f"{look.verdict} stood at look after look ({look.looks} in all, sharing one chance of error)."
    )
    if verdict.verdict is not Label.PLATEAU:
        return because
    per_hour = verdict.budget_bytes_per_hour
    excluded = f"{format_bytes(per_hour)} per hour"
    points = verdict.points
    if points is not None and points.connections is not None and look.up_to_s > 0:
        per_second = float(points.connections[-1]) / look.up_to_s
        if per_second > 0:
            excluded += f", or {format_bytes(per_hour / 3600.0 / per_second)} per connection"
    return (
        f"{because} A leak of {excluded} is excluded, as small a one as the longest run was to "
        "exclude; a smaller one, or one that begins later, is not."
    )


def _longest(look: FinalLook) -> str:
    limits = [] if look.duration_s is None else [format_duration(look.duration_s)]
    if look.connections is not None:
        limits.append(f"{format_count(look.connections)} connections")
    return f"at most {' or '.join(limits)}" if look.stopped_early else " or ".join(limits)
