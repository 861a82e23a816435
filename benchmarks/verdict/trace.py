"""A seeded generator of labelled memory traces, in a part to tune on and a part only to be scored.

A trace is fixed by its part, its family and its number alone. The two parts differ in their seeds; the test
part also draws some parameters (the ends of warm-ups, the memory and size of noise, the share of failed
readings, the time of late steps, …: every `widen=`) from ranges that are 10 to 40 % wider, and adds to four
traces of ten one more disturbance that suits their length (a saw-tooth, spikes, bursts, an hourly swing or a
daily swing) or, under a leak, an unrelated step. A leak under a saw-tooth that also swings by the day exists
only there.

Lengths are log-uniform from 6 minutes to 8 days, unless the family needs days; 1 to 100 s per reading, 60 to
20,000 readings; levels log-uniform from 180 MB to 8 GB.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.verdict.draw import Draw, Part
from benchmarks.verdict.healthy import HEALTHY
from benchmarks.verdict.leaking import LEAKING
from benchmarks.verdict.sketch import Sketch, finish

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from soak.analyse import Series


@dataclass(frozen=True, eq=False)
class Trace:
    """A series of memory readings whose truth is known."""

    name: str
    """The family and the number, "exponential_warm_up/0007"."""
    family: str
    leaking: bool
    """The label: whether the right answer is climbing (True) or plateau (False)."""
    series: Series
    """`t_s`, `rss_bytes` and, where they were recorded, the other columns."""
    growth_bytes_per_hour: float
    """The persistent growth: 0 for healthy traces. The mean pace of the leak over the trace; from its
    beginning where it starts late, over the last half where it slows down, within the lives where the process
    was killed."""
    growth_bytes_per_connection: float | None = None
    """The same per completed connection, where the leak is per connection."""
    signal_to_noise: float | None = None
    """What the leak adds over the trace / the standard deviation of all that is not trend (noise, swings,
    teeth, rounding), 2.5 to 60; None for healthy traces. A leak adds at least 1 % of the level over the
    trace: below the default budget (0.25 % of the level over the run) growth is by definition no leak."""
    growth_bytes_per_audio_s: float | None = None
    """The same per second of audio, where the leak is per second of audio."""
    level_bytes: float = float("nan")
    """The settled level without leak or disturbance."""
    onset_share: float = 0.0
    """The share of the trace at which the leak begins: before it no rule can be right."""
    group: str | None = None
    """Of a recorded trace, the server that made it: what a rule was fitted to may hold none of its group."""


@dataclass(frozen=True)
class Family:
    """A kind of trace, after a real thing that its function's docstring names."""

    name: str
    leaking: bool
    sketch: Callable[[Draw], Sketch]


FAMILIES: dict[str, Family] = {
    build.__name__: Family(build.__name__, leaking, build)
    for leaking, builds in ((False, HEALTHY), (True, LEAKING))
    for build in builds
}
"""Every family by its name, the healthy ones first."""

DEFAULT_COUNT_PER_FAMILY = 25
"""About 1,000 traces in all: a rate of 1 % is then ten of them."""


def make_trace(part: Part, family: str, index: int) -> Trace:
    """Make one trace. Raises KeyError when there is no such family."""
    kind = FAMILIES[family]
    draw = Draw.of(part, family, index)
    sketch = kind.sketch(draw)
    finished = finish(draw, sketch)
    return Trace(
        name=f"{family}/{index:04d}",
        family=family,
        leaking=kind.leaking,
        series=finished.series,
        growth_bytes_per_hour=finished.growth_bytes_per_hour,
        growth_bytes_per_connection=finished.growth_bytes_per_connection,
        signal_to_noise=finished.signal_to_noise,
        growth_bytes_per_audio_s=finished.growth_bytes_per_audio_s,
        level_bytes=finished.level_bytes,
        onset_share=sketch.leak.onset if sketch.leak is not None else 0.0,
    )


def generate(
    part: Part, families: Iterable[str] | None = None, count_per_family: int = DEFAULT_COUNT_PER_FAMILY
) -> list[Trace]:
    """Make traces 0 to `count_per_family` - 1 of the named families (None: of all), in that order."""
    return [
        make_trace(part, family, index)
        for family in (FAMILIES if families is None else families)
        for index in range(count_per_family)
    ]
