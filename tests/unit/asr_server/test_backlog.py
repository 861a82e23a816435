"""How much audio may wait: for one connection, and for all together."""

from asr_server.backlog import Backlog, SharedBacklog


def test_a_connection_waits_when_its_own_backlog_is_full() -> None:
    backlog = Backlog(2.0, SharedBacklog(100.0))
    assert [backlog.take_in(1.0) for _ in range(3)] == [True, True, False]
    assert backlog.take_out(1.0)  # somebody waits for it
    assert backlog.take_in(1.0)
    assert not backlog.take_out(1.0)


def test_a_task_that_is_longer_than_the_limit_is_taken_when_nothing_waits() -> None:
    backlog = Backlog(2.0, SharedBacklog(100.0))
    assert backlog.take_in(5.0)
    assert not backlog.take_in(0.1)


def test_together_they_have_a_limit_and_each_has_room_for_one_task() -> None:
    shared = SharedBacklog(4.0)
    greedy, modest = Backlog(20.0, shared), Backlog(20.0, shared)
    assert [greedy.take_in(1.0) for _ in range(5)] == [True] * 4 + [False]
    assert [modest.take_in(1.0) for _ in range(2)] == [True, False]
    assert shared.cost_s == 5.0
    greedy.take_out(1.0)
    greedy.take_out(1.0)
    assert modest.take_in(1.0)


def test_what_is_dropped_makes_room_and_is_not_counted_twice() -> None:
    shared = SharedBacklog(4.0)
    gone, other = Backlog(20.0, shared), Backlog(20.0, shared)
    for _ in range(3):
        gone.take_in(1.0)
    other.take_in(1.0)
    gone.drop()
    assert shared.cost_s == 1.0
    gone.take_out(1.0)  # the task that ran meanwhile
    assert shared.cost_s == 1.0
