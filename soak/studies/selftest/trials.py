"""What is tried: every kind of leak at full and at a tenth of its size, and clean controls beside them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from asr_server.inject import KINDS, Injection
from soak.errors import SoakError
from soak.verdict.attribution import Culprit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

KIB = 1024
DEFAULT_CONNECTIONS = 288
"""Sixteen blocks of the eighteen bundled recordings: a trial takes a good minute."""
THOROUGH_CONNECTIONS = 432
"""Twenty-four blocks: a leak per second of 50 KiB was still inconclusive after 216 connections and detected
after 360."""
SETTINGS = (
    "load.rate_per_s=8",
    "load.max_open=2",
    "load.block_s=2.25",
    "load.settle_s=0.5",
    "load.rest_s=1.0",
    "load.baseline_s=1.0",
    "load.duration_s=240",
    "server.sweep_interval_s=0",
    "sample.interval_s=0.25",
    "sample.metrics_interval_s=0.5",
    "sample.smaps_interval_s=1",
    "sample.smaps_share=0.01",
)
"""Short waits, because this server frees a connection at its close here; the rest is as in a long run. The
duration is a limit for machines that cannot take the load."""


class Share(StrEnum):
    """How much of its size a kind is given."""

    NONE = "control"
    FULL = "full"
    TENTH = "tenth"


class TrialScenario(StrEnum):
    """What the clients do."""

    PLAIN = "plain"
    CUT = "cut off"
    COMPRESSED = "compressed"
    HOTWORDS = "unique hotwords"


SCENARIO_SETTINGS: Mapping[TrialScenario, tuple[str, ...]] = {
    TrialScenario.PLAIN: (),
    TrialScenario.CUT: ("load.closing=abrupt",),
    TrialScenario.COMPRESSED: ("load.compression=true", "server.compression=true"),
    TrialScenario.HOTWORDS: (
        "load.hotwords=" + " ".join(f"{word}{{connection}}" for word in "天地玄黄宇宙洪荒日月"),
    ),
}


@dataclass(frozen=True)
class Specimen:
    """How one kind is tried."""

    size_bytes: int
    """At full size; from the magnitudes that were reported of such leaks, mostly their lower end."""
    scenario: TrialScenario = TrialScenario.PLAIN
    """What the clients must do for it to happen."""
    can_be_seen: bool = True
    """Whether a trial of the default length can see it at full size."""
    culprit: Culprit = Culprit.PYTHON
    """What an attribution must name first."""


SPECIMENS: Mapping[str, Specimen] = {
    "session": Specimen(32 * KIB),
    "state": Specimen(1024 * KIB, culprit=Culprit.SESSIONS),
    "abrupt": Specimen(64 * KIB, TrialScenario.CUT),
    "audio": Specimen(64 * KIB),
    "segment": Specimen(64 * KIB),
    "inference": Specimen(256 * KIB),
    "result": Specimen(2 * KIB),
    "hotword": Specimen(2 * KIB, TrialScenario.HOTWORDS),
    "cycle": Specimen(128 * KIB),
    "cache": Specimen(64 * KIB),
    "native": Specimen(256 * KIB, culprit=Culprit.NATIVE),
    "native-segment": Specimen(64, can_be_seen=False, culprit=Culprit.NATIVE),
    "compression": Specimen(32 * KIB, TrialScenario.COMPRESSED, culprit=Culprit.NATIVE),
    "timer": Specimen(50 * KIB, culprit=Culprit.NATIVE),
    "shm": Specimen(256 * KIB, culprit=Culprit.SHARED),
    "fd": Specimen(4 * KIB, culprit=Culprit.DESCRIPTORS),
    "socket": Specimen(4 * KIB, culprit=Culprit.SOCKETS),
    "thread": Specimen(64 * KIB, culprit=Culprit.THREADS),
    "file": Specimen(64 * KIB, culprit=Culprit.DELETED),
}


@dataclass(frozen=True)
class LeakTrial:
    """One run of the self-test."""

    scenario: TrialScenario
    injection: Injection | None = None
    """None: a clean control."""
    share: Share = Share.NONE

    @property
    def name(self) -> str:
        """What its run is called."""
        if self.injection is not None:
            return f"{self.injection.kind}-{self.share}"
        return (
            "control"
            if self.scenario is TrialScenario.PLAIN
            else f"control-{self.scenario.replace(' ', '-')}"
        )

    @property
    def culprit(self) -> Culprit:
        """What must be named when it climbs; raises `ValueError` for a clean control."""
        if self.injection is None:
            raise ValueError("nothing is injected, so nothing is to be named")
        return SPECIMENS[self.injection.kind].culprit

    @property
    def must_climb(self) -> bool:
        """Whether it is missed unless it is called climbing."""
        if self.injection is None or self.share is not Share.FULL:
            return False
        kind = self.injection.kind
        return SPECIMENS[kind].can_be_seen and not KINDS[kind].is_bounded

    @property
    def must_not_climb(self) -> bool:
        """Whether it is a false alarm when it is called climbing."""
        return self.injection is None or KINDS[self.injection.kind].is_bounded

    def settings(self, connections: int) -> tuple[str, ...]:
        """Return the settings of its run, as `section.key=value`."""
        own = () if self.injection is None else (f'server.inject=["{self.injection}"]',)
        return (*SETTINGS, *SCENARIO_SETTINGS[self.scenario], f"load.connections={connections}", *own)


def trial_of(kind: str, share: Share) -> LeakTrial:
    """Return the trial of a kind; a tenth of what is counted one by one is one event in ten."""
    specimen = SPECIMENS[kind]
    injection = Injection(kind, specimen.size_bytes)
    if share is Share.TENTH and KINDS[kind].is_counted():
        injection = Injection(kind, specimen.size_bytes, probability=0.1)
    elif share is Share.TENTH:
        injection = Injection(kind, max(1, round(specimen.size_bytes / 10)))
    return LeakTrial(specimen.scenario, injection, share)


def quick_trials() -> list[LeakTrial]:
    """Return what says most about an installation in some minutes: each resource once, and a control."""
    full = [trial_of(kind, Share.FULL) for kind in ("session", "native", "socket", "thread")]
    return [LeakTrial(TrialScenario.PLAIN), *full, trial_of("session", Share.TENTH)]


def controls(count: int) -> list[LeakTrial]:
    """Return so many clean runs."""
    return [LeakTrial(TrialScenario.PLAIN)] * count


def trials_of(kinds: Sequence[str], shares: Sequence[Share] = (Share.FULL, Share.TENTH)) -> list[LeakTrial]:
    """Return the trials of these kinds, at each of these shares, after the controls of their scenarios.

    Raises `SoakError` for a kind that there is none of.
    """
    for kind in kinds:
        if kind not in SPECIMENS:
            raise SoakError(f"--kind {kind}: there is no such kind; there are {', '.join(SPECIMENS)}")
    scenarios = dict.fromkeys(SPECIMENS[kind].scenario for kind in kinds)
    leaks = [trial_of(kind, share) for kind in kinds for share in shares]
    return [*(LeakTrial(scenario) for scenario in scenarios), *leaks]
