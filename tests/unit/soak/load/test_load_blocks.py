import pytest
from hypothesis import given
from hypothesis import strategies as st

from soak.load.blocks import BlockSchedule, block_length_s
from soak.load.plan import LoadPlan


def plan(**values: object) -> LoadPlan:
    return LoadPlan.from_json_object({"url": "ws://127.0.0.1:1", "max_open": 64, **values})


def follow(schedule: BlockSchedule, drain_s: float) -> list[tuple[float, float]]:
    """Run the schedule with a fixed drain; returns (start, end of load) of every block."""
    now_s, blocks = 0.0, []
    while schedule.has_time_for_block(now_s, drain_s):
        end_s = schedule.load_ends_at_s(now_s, drain_s)
        blocks.append((now_s, end_s))
        now_s = end_s + drain_s + schedule.quiet_s
    return blocks


@pytest.mark.parametrize(
    ("values", "rate_per_s", "expected_s"),
    [
        ({"connections": 500}, 5.0, 500 / 5 / 16),
        ({"connections": 20}, 10.0, 3.0),  # never shorter than three seconds
        ({"connections": 500, "group": 32}, 5.0, 32 / 5),  # nor than one group's period
        ({"duration_s": 600}, 5.0, 25 - 9),
        ({"duration_s": 120}, 5.0, 20 - 9),
        ({"duration_s": 86400}, 5.0, 300 - 9),
        ({"duration_s": 86400}, None, 300 - 9),
        ({"duration_s": 600, "connections": 160}, 1.0, 10),  # the connections are used up first
        ({"duration_s": 600, "connections": 10**6}, 1.0, 25 - 9),
        ({"duration_s": 600, "block_s": 42}, 1.0, 42),
    ],
)
def test_block_length_follows_from_the_plan(
    values: dict[str, object], rate_per_s: float | None, expected_s: float
) -> None:
    assert block_length_s(plan(**values), rate_per_s) == pytest.approx(expected_s)


def test_the_last_rest_ends_with_the_run_and_a_short_remainder_joins_its_block() -> None:
    blocks = follow(BlockSchedule(block_s=16, quiet_s=9, run_ends_at_s=110), drain_s=0)
    assert blocks == [(0, 16), (25, 41), (50, 66), (75, 101)]


def test_a_run_without_a_time_limit_always_has_time() -> None:
    schedule = BlockSchedule(block_s=5, quiet_s=9, run_ends_at_s=None)
    assert schedule.has_time_for_block(1e9, 100)
    assert schedule.load_ends_at_s(1e9, 100) == 1e9 + 5


@given(
    block_s=st.floats(3, 300),
    quiet_s=st.floats(0, 20),
    drain_s=st.floats(0, 10),
    length_s=st.floats(30, 5000),
)
def test_blocks_keep_within_the_run(block_s: float, quiet_s: float, drain_s: float, length_s: float) -> None:
    blocks = follow(BlockSchedule(block_s, quiet_s, run_ends_at_s=length_s), drain_s)
    assert blocks or length_s < block_s + quiet_s + drain_s + 3
    for start_s, end_s in blocks:
        assert start_s <= end_s <= length_s - quiet_s - drain_s + 1e-6
        assert end_s - start_s <= 2 * block_s + drain_s + quiet_s
