import pytest

from benchmarks.serving.capacity import most_streams


@pytest.mark.parametrize("limit", [0, 1, 2, 7, 8, 100, 1000])
@pytest.mark.parametrize("guess", [0, 1, 7, 50, 3000])
def test_the_limit_is_found_from_any_guess(limit: int, guess: int) -> None:
    tried: list[int] = []

    def keeps_up(streams: int) -> bool:
        tried.append(streams)
        return streams <= limit

    assert most_streams(keeps_up, guess, tolerance=0.0) == limit
    assert len(tried) == len(set(tried))


def test_the_search_ends_within_the_tolerance() -> None:
    tried: list[int] = []

    def keeps_up(streams: int) -> bool:
        tried.append(streams)
        return streams <= 997

    found = most_streams(keeps_up, 900, tolerance=0.03)
    assert 997 / 1.03 <= found <= 997
    assert len(tried) <= 6
