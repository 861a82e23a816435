"""Watching growing traces, and following on what is told to settle them, with a judge that is scripted."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest

from benchmarks.verdict import peeking, settling
from benchmarks.verdict.peeking import ONCE, look_shares, watched
from benchmarks.verdict.settling import Told, ask_trace, settled_of_all
from benchmarks.verdict.trace import Trace
from soak.analyse import Series
from soak.verdict.quantities import Quantity
from soak.verdict.verdict import Label, SeriesVerdict, Settling

if TYPE_CHECKING:
    from collections.abc import Callable

CLIMBING, PLATEAU, INCONCLUSIVE = Label.CLIMBING, Label.PLATEAU, Label.INCONCLUSIVE
LENGTH_S = 1000.0


def trace(*, leaking: bool, onset_share: float = 0.0) -> Trace:
    t_s = np.arange(0.0, LENGTH_S + 1, 10.0)
    series = Series(t_s, 1e9 + (1e5 * t_s if leaking else 0.0 * t_s))
    return Trace("made/0", "made", leaking, series, 3.6e8 if leaking else 0.0, onset_share=onset_share)


def from_share(changes: dict[float, Label]) -> Callable[[float], Label]:
    """Say each label from its share of the trace on."""
    return lambda share: changes[max(at for at in changes if at <= share + 1e-9)]


class TestWatching:
    def test_looks_begin_at_a_twentieth_and_end_with_the_whole(self) -> None:
        shares = look_shares()
        assert shares[0] == 0.05
        assert shares[-1] == 1.0
        assert all(later == pytest.approx(1.25 * sooner) for sooner, later in pairwise(shares[:-1]))

    def test_a_verdict_ends_the_run_when_so_many_looks_in_a_row_gave_it(self) -> None:
        judged = from_share({0.0: INCONCLUSIVE, 0.1: CLIMBING, 0.15: INCONCLUSIVE, 0.3: CLIMBING})
        at = {way: watched(trace(leaking=True), "made", way, judged).at_share for way in (1, 2, 3)}
        later = [share for share in look_shares() if share >= 0.3]
        assert at[1] < 0.15
        assert (at[2], at[3]) == (later[1], later[2])

    def test_a_run_that_nothing_ends_says_what_a_judgement_at_its_end_says(self) -> None:
        judged = from_share({0.0: INCONCLUSIVE, 1.0: PLATEAU})
        said = watched(trace(leaking=False), "made", 2, judged)
        assert (said.label, said.at_share, said.stopped) == (PLATEAU, 1.0, False)

    def test_a_plateau_before_the_leak_began_is_told_apart(self) -> None:
        judged = from_share({0.0: PLATEAU, 0.5: CLIMBING})
        said = watched(trace(leaking=True, onset_share=0.4), "made", 1, judged)
        assert (said.label, said.too_soon, said.ever_wrong) == (PLATEAU, True, True)

    def test_a_wrong_word_counts_even_where_the_end_is_right(self) -> None:
        judged = from_share({0.0: INCONCLUSIVE, 0.2: CLIMBING, 0.4: PLATEAU})
        said = watched(trace(leaking=False), "made", 2, judged)
        assert (said.label, said.ever_wrong) == (CLIMBING, True)
        once = watched(trace(leaking=False), "made", ONCE, judged)
        assert (once.label, once.ever_wrong) == (PLATEAU, False)

    def test_the_judge_itself_bears_out_what_ended_the_run(self) -> None:
        said = peeking.watch_trace(trace(leaking=True), "made")
        assert all(each.agrees for each in said)
        laid = peeking.sections([*said, *peeking.watch_trace(trace(leaking=False), "made")])
        assert all(len(row) == len(one.header) for one in laid for row in one.rows)


def told_until(settled_share: float, more_s: float | None) -> Callable[[float], SeriesVerdict]:
    """Be undecided, and promise so much more, until a share of the trace."""

    def judged(share: float) -> SeriesVerdict:
        if share >= settled_share - 1e-9:
            return SeriesVerdict(Quantity.MEMORY, PLATEAU, (), 0.0, 0.0)
        settling = Settling(more_s, None)
        return SeriesVerdict(Quantity.MEMORY, INCONCLUSIVE, (), 0.0, 0.0, settling=settling)

    return judged


class TestSettling:
    def first(self, settled_share: float, more_s: float | None) -> Told:
        return ask_trace(trace(leaking=False), told_until(settled_share, more_s))[0]

    def test_a_run_that_is_decided_in_time_has_settled_within_n(self) -> None:
        told = self.first(settled_share=0.2, more_s=100.0)
        assert (told.cut, told.settled_at) == (0.1, 1.0)
        assert told.more == pytest.approx(1.0)
        assert told.within(1.0)
        assert told.right

    def test_one_that_takes_longer_has_settled_within_twice_that(self) -> None:
        told = self.first(settled_share=0.24, more_s=100.0)
        assert told.within(1.0) is False
        assert told.within(2.0) is True

    def test_where_the_trace_ends_before_it_is_not_known(self) -> None:
        told = self.first(settled_share=2.0, more_s=600.0)
        assert told.within(1.0) is False
        assert told.within(2.0) is None

    def test_runs_that_end_before_count_for_as_long_as_they_are_followed(self) -> None:
        def told(settled_at: float | None, followed: float) -> Told:
            return Told(False, 0.1, 1.0, settled_at, followed, settled_at is not None)

        several = [told(0.5, 2.0), told(None, 0.75), told(1.0, 2.0), told(None, 2.0)]
        assert settled_of_all(several, 1.0) == pytest.approx(1 - 3 / 4 * 1 / 2)
        assert settled_of_all(several, 0.6) == pytest.approx(1 / 4)

    def test_what_is_promised_nothing_is_not_counted(self) -> None:
        assert ask_trace(trace(leaking=False), told_until(2.0, None)) == []

    def test_a_leak_that_has_not_begun_is_not_asked_about(self) -> None:
        told = ask_trace(trace(leaking=True, onset_share=0.3), told_until(2.0, 100.0))
        assert [each.cut for each in told] == [0.4, 0.5]

    def test_every_row_has_its_cells(self) -> None:
        told = ask_trace(trace(leaking=False), told_until(0.35, 100.0))
        laid = settling.section(told, "made")
        assert all(len(row) == len(laid.header) for row in laid.rows)
        assert laid.rows[0][:3] == ("all", "3", "3")
