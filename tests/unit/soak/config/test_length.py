"""How the length of a run is asked for, and what it comes to."""

import pytest

from soak.config import Length
from soak.errors import SoakError


@pytest.mark.parametrize(
    ("given", "settings"),
    [
        ({}, {}),
        ({"hours": 2}, {"duration_s": 7200, "connections": None, "max_minutes": None}),
        ({"minutes": 5, "connections": 9}, {"duration_s": 300, "connections": 9, "max_minutes": None}),
        ({"max_minutes": 5}, {"duration_s": None, "connections": None, "max_minutes": 5}),
        ({"until_decided": True}, {"until_decided": True}),
        (
            {"until_decided": True, "connections": 9},
            {"until_decided": True, "duration_s": None, "connections": 9, "max_minutes": None},
        ),
    ],
)
def test_one_kind_of_length_replaces_the_configured_one(
    given: dict[str, float], settings: dict[str, float | None]
) -> None:
    assert Length.asked(**given).settings() == settings  # type: ignore[arg-type]  # keywords of several types


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"hours": 1, "minutes": 1}, "give --hours or --minutes, not both"),
        ({"minutes": 1, "max_minutes": 1}, "give --minutes or --max-minutes, not both"),
        ({"max_minutes": 0}, "--max-minutes must be above 0, not 0"),
        ({"minutes": float("nan")}, "--minutes must be above 0"),
        ({"connections": -1}, "--connections must be above 0, not -1"),
    ],
)
def test_a_length_that_cannot_be_meant_is_refused_in_one_line(given: dict[str, float], message: str) -> None:
    with pytest.raises(SoakError, match=message):
        Length.asked(**given)  # type: ignore[arg-type]  # keywords of several types
