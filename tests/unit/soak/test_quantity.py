from __future__ import annotations

import math

import pytest

from soak.quantity import (
    MISSING,
    format_bytes,
    format_count,
    format_duration,
    format_interval,
    format_level,
    format_milliseconds,
    format_number,
    format_percent,
    format_rate,
    format_rounded_count,
)

MIB = 1024.0**2


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0 B"),
        (13, "13 B"),
        (-75, "-75 B"),
        (65536, "64 KiB"),
        (894 * MIB, "894 MiB"),
        (1.5 * 1024 * MIB, "1.5 GiB"),
        (1010 * 1024, "0.99 MiB"),
        (-0.27, "-0.27 B"),
        (float("nan"), MISSING),
        (math.inf, MISSING),
        (None, MISSING),
    ],
)
def test_sizes_have_a_fitting_unit_and_three_digits(value: float | None, text: str) -> None:
    assert format_bytes(value) == text


def test_a_signed_size_shows_growth_and_shrinking() -> None:
    assert [format_bytes(value * MIB, signed=True) for value in (12.5, -12.5, 0)] == [
        "+12.5 MiB",
        "-12.5 MiB",
        "0 B",
    ]


def test_levels_of_one_order_keep_one_unit() -> None:
    assert [format_level(value * MIB) for value in (894, 1041, 1180.4)] == [
        "894 MiB",
        "1,041 MiB",
        "1,180 MiB",
    ]
    assert format_level(20 * 1024 * MIB) == "20 GiB"
    assert format_level(3 * MIB) == "3 MiB"


def test_both_ends_of_an_interval_share_a_unit() -> None:
    assert format_interval(-0.12 * MIB, 0.7 * MIB * 10, "h") == "-0.12 to 7 MiB/h"
    assert format_interval(float("nan"), 1.0) == MISSING


def test_a_rate_names_what_it_is_per() -> None:
    assert format_rate(3.2 * MIB) == "+3.2 MiB/h"
    assert format_rate(64 * 1024, "connection", signed=False) == "64 KiB/connection"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (0.012, "12 ms"),
        (4.2, "4.2 s"),
        (59.7, "1 min"),
        (125, "2 min 5 s"),
        (7500, "2 h 5 min"),
        (86_399, "1 d"),
        (273_600, "3 d 4 h"),
        (-5, "-5 s"),
        (None, MISSING),
    ],
)
def test_durations_are_written_in_their_two_largest_units(seconds: float | None, text: str) -> None:
    assert format_duration(seconds) == text


def test_small_quantities() -> None:
    assert format_milliseconds(128.4) == "128 ms"
    assert format_milliseconds(1240) == "1.24 s"
    assert format_count(252_008) == "252,008"
    assert format_number(0.0025) == "0.0025"
    assert format_percent(0.0213) == "2.13 %"
    writers = (format_count, format_number, format_percent, format_milliseconds)
    assert {write(None) for write in writers} == {MISSING}


def test_an_estimated_count_is_rounded_up_to_what_is_known_of_it() -> None:
    assert [format_rounded_count(count) for count in (11.2, 431, 12345)] == ["12", "440", "13,000"]
    assert format_rounded_count(float("inf")) == "n/a"


def test_what_rounds_to_nothing_has_no_sign() -> None:
    assert format_bytes(-1e-6, signed=True) == "0 B"
    assert format_bytes(1e-6, signed=True) == "0 B"
    assert format_interval(-1e-6, 4.5) == "0 to 4.5 B"
