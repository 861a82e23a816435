"""When a source is read: scripted clock readings and quiet windows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from soak.run.due import LONGEST_WAIT_FOR_QUIET_S, LONGEST_WITHOUT_A_WINDOW_S, due_by
from soak.sources import Every, EverySample, InQuietWindows, OnceInEveryQuietWindow

if TYPE_CHECKING:
    from soak.sources.cadence import Cadence

MINUTE_OF_LOAD_THEN_QUIET_S = 80
QUIET_FROM_S = 60


def window_at(second: int) -> int | None:
    """A minute of load, twenty quiet seconds, again and again."""
    block, within = divmod(second, MINUTE_OF_LOAD_THEN_QUIET_S)
    return block + 1 if within >= QUIET_FROM_S else None


def read_at(cadence: Cadence, seconds: int, *, cost_s: float = 0.0, quiet: bool = True) -> list[int]:
    """Return the seconds at which a source of that cadence is read, if it is asked once a second."""
    due = due_by(cadence)
    found = []
    for second in range(seconds):
        window = window_at(second) if quiet else None
        if due.is_due(second, window):
            found.append(second)
            due.was_read(second, second + cost_s, window)
    return found


def test_every_sample_is_every_sample() -> None:
    assert read_at(EverySample(), 5) == [0, 1, 2, 3, 4]


def test_an_interval_is_kept_whatever_goes_on() -> None:
    assert read_at(Every(2.5), 11) == [0, 3, 5, 8, 10]


def test_once_in_every_quiet_window_is_when_it_begins() -> None:
    assert read_at(OnceInEveryQuietWindow(), 240)[1:] == [60, 140, 220]  # the first begins the run


def test_once_in_a_window_it_still_keeps_to_its_budget() -> None:
    assert read_at(OnceInEveryQuietWindow(share=0.01), 240, cost_s=1.0)[1:] == [140]


def test_a_load_without_quiet_windows_is_read_now_and_then() -> None:
    found = read_at(OnceInEveryQuietWindow(), 700, quiet=False)
    assert found == [0, LONGEST_WITHOUT_A_WINDOW_S, 2 * LONGEST_WITHOUT_A_WINDOW_S]


def test_costly_readings_wait_for_quiet_and_are_rationed() -> None:
    found = read_at(InQuietWindows(at_least_every_s=10.0), 160)[1:]
    assert found == [60, 70, 140, 150]
    dear = read_at(InQuietWindows(at_least_every_s=10.0, share=0.1), 160, cost_s=5.0)[1:]
    assert dear == [60, 140]


def test_what_is_overdue_is_read_under_load() -> None:
    found = read_at(InQuietWindows(at_least_every_s=10.0), 200, quiet=False)
    assert found[1:3] == [pytest.approx(10 + LONGEST_WAIT_FOR_QUIET_S), 140]
