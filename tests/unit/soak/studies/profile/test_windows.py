from __future__ import annotations

from soak.record.events import Event, LoadEnded, Phase, RunStarted
from soak.studies.profile.windows import RunClock, Window, quiet_windows

BEGAN = "2026-11-26T20:00:00.000+00:00"
BEGAN_UNIX_S = 1795723200.0


def phase(t_s: float, name: str) -> Event:
    return Phase(t_s=t_s, phase=name)


def test_a_quiet_window_ends_with_the_next_phase_or_with_the_load() -> None:
    events = [
        RunStarted(t_s=0.0, utc=BEGAN),
        phase(1.0, "baseline"),
        phase(2.0, "load"),
        phase(5.0, "settle"),
        phase(6.0, "rest"),
        phase(8.5, "load"),
        phase(12.0, "rest"),
        LoadEnded(t_s=14.0),
    ]
    assert quiet_windows(events) == [
        Window(8.5, BEGAN_UNIX_S + 8.5),
        Window(14.0, BEGAN_UNIX_S + 14.0),
    ]


def test_a_window_that_has_not_ended_is_none() -> None:
    events = [RunStarted(t_s=0.0, utc=BEGAN), phase(2.0, "load"), phase(5.0, "rest")]
    assert quiet_windows(events) == []
    assert quiet_windows([]) == []


def test_connections_are_counted_between_samples() -> None:
    clock = RunClock(BEGAN_UNIX_S, (0.0, 10.0), (0.0, 50.0))
    assert clock.seconds_into_the_run(BEGAN_UNIX_S + 4.0) == 4.0
    assert clock.connections_at(4.0) == 20.0
