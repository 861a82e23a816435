import pytest
from hypothesis import given
from hypothesis import strategies as st

from soak.load.blocks import BlockSchedule, block_connections, block_length_s
from soak.load.plan import LoadPlan


def plan(**values: object) -> LoadPlan:
    return LoadPlan.from_json_object({"url": "ws://127.0.0.1:1", "max_open": 64, **values})


def follow(schedule: BlockSchedule, left: int, load_s: float, drain_s: float, quiet_s: float) -> list[int]:
    """Run the schedule with fixed times; returns the connections of every block."""
    now_s, sizes = 0.0, []
    while size := schedule.next_size(now_s, left, drain_s):
        sizes.append(size)
        left -= size
        now_s += load_s + drain_s + quiet_s
    return sizes


@pytest.mark.parametrize(
    ("values", "rate_per_s", "expected_s"),
    [
        ({"connections": 500}, 5.0, 500 / 5 / 16),
        ({"connections": 20}, 10.0, 3.0),  # never shorter than three seconds
        ({"connections": 500, "group": 32}, 5.0, 32 / 5),  # nor than one group's period
        ({"duration_s": 600}, 5.0, 25 - 9),
        ({"duration_s": 120}, 5.0, 20 - 9),
        ({"duration_s": 86400}, 5.0, 240 - 9),
        ({"duration_s": 86400}, None, 240 - 9),
        ({"duration_s": 600, "connections": 160}, 1.0, 10),  # the connections are used up first
        ({"duration_s": 600, "connections": 10**6}, 1.0, 25 - 9),
        ({"duration_s": 600, "block_s": 42}, 1.0, 42),
        ({"duration_s": 3600, "until_decided": True}, 5.0, 20 - 9),  # an answer can come early
        ({"duration_s": 86400, "until_decided": True}, 5.0, 60 - 9),
        ({"connections": 36000, "until_decided": True}, 5.0, 30 - 9),
    ],
)
def test_block_length_follows_from_the_plan(
    values: dict[str, object], rate_per_s: float | None, expected_s: float
) -> None:
    assert block_length_s(plan(**values), rate_per_s) == pytest.approx(expected_s)


@pytest.mark.parametrize(
    ("values", "rate_per_s", "expected"),
    [
        ({"connections": 500}, 7.0, 36),  # 31 wanted: two rounds of 18
        ({"connections": 200}, 5.0, 18),  # 15 wanted: one round
        ({"connections": 50}, 2.0, 6),  # rounds would leave two blocks: the recordings go on in the next one
        ({"duration_s": 600}, 0.5, 18),  # 8 wanted, but thirteen blocks of a round fit
        ({"duration_s": 600, "group": 8}, 0.5, 24),
        ({"connections": 500, "group": 8}, 7.0, 32),  # groups stay whole
        ({"duration_s": 86400}, 10.0, 2304),  # 230 s of load: 128 rounds
        ({"connections": 3}, 0.1, 1),
    ],
)
def test_blocks_are_whole_rounds_of_the_recordings(
    values: dict[str, object], rate_per_s: float, expected: int
) -> None:
    assert block_connections(plan(**values), rate_per_s, clips=18) == expected


@pytest.mark.parametrize(
    ("left", "sizes"),
    [
        (450, [18, *[36] * 12]),  # a remainder of half a block or more is a block of its own, the first
        (440, [44, *[36] * 11]),  # a smaller one joins the first block
        (465, [33, *[36] * 12]),
        (72, [36, 36]),
        (7, [7]),
    ],
)
def test_blocks_are_alike_but_for_the_first(left: int, sizes: list[int]) -> None:
    schedule = BlockSchedule(size=36, load_s=5, quiet_s=9, left=left, run_ends_at_s=None)
    assert follow(schedule, left, 5, 0.5, 9) == sizes


def test_a_time_limit_leaves_room_for_the_last_rest() -> None:
    schedule = BlockSchedule(size=80, load_s=16, quiet_s=9, left=None, run_ends_at_s=110)
    sizes = follow(schedule, 10**9, 16, 0.5, 9)
    assert sizes == [80] * 4  # 4 x 25.5 s = 102 s
    assert schedule.load_must_end_at_s(now_s=76.5, drain_s=0.5) == 110 - 9 - 0.5


def test_a_run_too_short_for_a_block_has_one_that_ends_in_time() -> None:
    schedule = BlockSchedule(size=80, load_s=16, quiet_s=9, left=None, run_ends_at_s=12)
    assert follow(schedule, 10**9, 16, 0, 9) == [80]
    assert schedule.load_must_end_at_s(now_s=0, drain_s=0) == 3


@given(st.integers(1, 5000), st.integers(1, 400))
def test_every_connection_is_made_once(left: int, size: int) -> None:
    schedule = BlockSchedule(size=size, load_s=5, quiet_s=9, left=left, run_ends_at_s=None)
    sizes = follow(schedule, left, 5, 0.5, 9)
    assert sum(sizes) == left
    assert set(sizes[1:]) <= {size}
    assert sizes[0] < 1.5 * size
