"""Scores worked out by hand, and what is asked about each trace."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from benchmarks.verdict.agreement import contradictions
from benchmarks.verdict.answers import Answer, Arrival, Half, Held
from benchmarks.verdict.former import answers_on
from benchmarks.verdict.goals import goals_of
from benchmarks.verdict.intervals import Growths, coverage, held, hold
from benchmarks.verdict.judging import FORMER, LEANING, SOAK, Question, ask, is_fair, prefix
from benchmarks.verdict.layout import percent_of, to_markdown
from benchmarks.verdict.probabilities import area_under_curve, log_loss
from benchmarks.verdict.rates import Rate
from benchmarks.verdict.recorded import read_recorded, recorded_names
from benchmarks.verdict.scoring import arrive, in_band, of_halves, score, timing
from benchmarks.verdict.selection import Part, wanted
from benchmarks.verdict.table import Results, misjudged, sections, to_json
from benchmarks.verdict.trace import FAMILIES, Trace
from soak.analyse import Series
from soak.verdict.verdict import Estimate, Label

if TYPE_CHECKING:
    from pathlib import Path

CLIMBING, PLATEAU, INCONCLUSIVE = Label.CLIMBING, Label.PLATEAU, Label.INCONCLUSIVE


def answer(
    label: Label,
    *,
    leaking: bool,
    family: str = "some",
    signal_to_noise: float | None = None,
    arrival: Arrival | None = None,
    held: tuple[Held, ...] = (),
    probability: float | None = None,
    contradictions: tuple[str, ...] | None = None,
    half: Half | None = None,
    group: str | None = None,
) -> Answer:
    return Answer(
        SOAK, f"{family}/0000", family, leaking, signal_to_noise, label, 0.002, probability, contradictions,
        held, half, arrival, group,
    )  # fmt: skip


def several() -> list[Answer]:
    """Give five leaks (three caught, one missed) and five healthy traces (one false alarm, three right)."""
    leaks = [CLIMBING] * 3 + [PLATEAU, INCONCLUSIVE]
    healthy = [CLIMBING] + [PLATEAU] * 3 + [INCONCLUSIVE]
    return [answer(x, leaking=True) for x in leaks] + [answer(x, leaking=False) for x in healthy]


class TestRate:
    def test_the_interval_is_wilsons(self) -> None:
        assert Rate(8, 10).interval == pytest.approx((0.4902, 0.9433), abs=1e-4)
        assert Rate(0, 20).interval == pytest.approx((0.0, 0.1611), abs=1e-4)
        assert Rate(20, 20).interval[1] == 1.0

    def test_of_nothing_it_is_unknown(self) -> None:
        assert math.isnan(Rate(0, 0).share)
        assert percent_of(Rate(0, 0)) == "–"
        assert percent_of(Rate(8, 10)) == "80.0 (49.0–94.3)"


class TestScore:
    def test_by_hand(self) -> None:
        s = score(several())
        assert (s.traces, s.right, s.wrong) == (10, 6, 2)
        assert s.right_of_decided == Rate(6, 8)
        assert s.false_alarms == Rate(1, 5)
        assert s.missed == Rate(1, 5)
        assert s.inconclusive == Rate(2, 10)
        assert s.inconclusive_leaks == s.inconclusive_healthy == Rate(1, 5)
        assert s.cpu_ms == pytest.approx(2.0)
        assert math.isnan(s.area_under_curve)

    def test_a_share_of_nothing_is_unknown(self) -> None:
        s = score([answer(PLATEAU, leaking=False)])
        assert s.right_of_decided.share == 1.0
        assert math.isnan(s.missed.share)

    def test_verdicts_that_contradict_themselves_are_counted_where_numbers_are_stated(self) -> None:
        against = answer(PLATEAU, leaking=False, contradictions=("a bound above the budget", "another"))
        agreeing = answer(PLATEAU, leaking=False, contradictions=())
        assert score([against, agreeing, answer(PLATEAU, leaking=False)]).contradicted == Rate(1, 2)

    def test_halves_are_scored_where_they_are_asked(self) -> None:
        asked = answer(CLIMBING, leaking=True, half=Half(PLATEAU, 0.1))
        s = score(of_halves([asked, answer(CLIMBING, leaking=True)]))
        assert (s.traces, s.missed) == (1, Rate(1, 1))
        assert s.log_loss == pytest.approx(-math.log(0.1))

    def test_bands_hold_their_lower_end_and_the_last_its_upper(self) -> None:
        answers = [answer(CLIMBING, leaking=True, signal_to_noise=x) for x in (2.5, 4.9, 5.0, 60.0)]
        answers.append(answer(PLATEAU, leaking=False))
        assert [len(in_band(answers, band)) for band in ((2.5, 5.0), (5.0, 10.0), (20.0, 60.0))] == [2, 1, 1]


class TestProbabilities:
    def test_the_area_counts_pairs_in_the_right_order(self) -> None:
        assert area_under_curve([0.9, 0.4, 0.6, 0.1], [True, True, False, False]) == 0.75
        assert area_under_curve([0.9, 0.8, 0.2], [True, True, False]) == 1.0
        assert area_under_curve([0.5, 0.5], [True, False]) == 0.5

    def test_it_needs_both_kinds(self) -> None:
        assert math.isnan(area_under_curve([0.9], [True]))

    def test_the_loss_is_the_mean_surprise(self) -> None:
        assert log_loss([0.9, 0.2], [True, False]) == pytest.approx(-(math.log(0.9) + math.log(0.8)) / 2)

    def test_no_answer_is_a_coins_guess_and_being_wrongly_sure_costs_much_but_not_all(self) -> None:
        assert log_loss([math.nan], [True]) == pytest.approx(math.log(2))
        assert 13 < log_loss([0.0], [True]) < 14


class TestContradictions:
    def test_a_verdict_that_agrees_with_its_numbers(self) -> None:
        assert contradictions(PLATEAU, Estimate(0.0, 0.0, 5.0), 5.0, probability=0.1, confidence=0.9) == ()
        assert contradictions(CLIMBING, Estimate(9.0, 5.0, 12.0), 5.0, probability=0.9, confidence=0.9) == ()
        assert contradictions(INCONCLUSIVE, Estimate(9.0, 1.0, 12.0), 5.0) == ()

    @pytest.mark.parametrize(
        ("label", "growth", "count"),
        [
            (PLATEAU, Estimate(2.0, 0.0, 6.0), 1),
            (PLATEAU, Estimate(6.0, 0.0, 8.0), 2),
            (CLIMBING, Estimate(6.0, 4.0, 8.0), 1),
            (CLIMBING, Estimate(4.0, 0.0, 8.0), 2),
            (INCONCLUSIVE, Estimate(8.0, 6.0, 9.0), 1),
            (INCONCLUSIVE, Estimate(2.0, 1.0, 4.0), 1),
        ],
    )
    def test_bounds_and_estimates_on_the_other_side(self, label: Label, growth: Estimate, count: int) -> None:
        assert len(contradictions(label, growth, 5.0)) == count

    @pytest.mark.parametrize(
        ("label", "probability"),
        [(PLATEAU, 0.2), (CLIMBING, 0.8), (INCONCLUSIVE, 0.95), (INCONCLUSIVE, 0.02)],
    )
    def test_a_probability_that_asks_for_another_label(self, label: Label, probability: float) -> None:
        fitting = {PLATEAU: Estimate(1, 0, 4), CLIMBING: Estimate(7, 6, 9), INCONCLUSIVE: Estimate(5, 1, 9)}
        found = contradictions(label, fitting[label], 5.0, probability=probability, confidence=0.9)
        assert len(found) == 1

    def test_without_an_estimate_nothing_is_said_twice(self) -> None:
        assert contradictions(PLATEAU, Estimate(math.nan, math.nan, math.nan), 5.0) == ()


class TestArrive:
    def test_the_first_look_of_the_last_unbroken_row_of_right_ones(self) -> None:
        said = dict(
            zip((0.2, 0.4, 0.6, 0.8, 1.0), (CLIMBING, PLATEAU, CLIMBING, CLIMBING, CLIMBING), strict=True)
        )
        assert arrive(said.__getitem__, leaking=True, shares=tuple(said)) == 0.6

    def test_a_change_of_mind_at_the_end_is_never_right(self) -> None:
        said = dict(zip((0.5, 0.75, 1.0), (CLIMBING, CLIMBING, PLATEAU), strict=True))
        assert arrive(said.__getitem__, leaking=True, shares=tuple(said)) is None
        assert arrive(said.__getitem__, leaking=False, shares=tuple(said)) == 1.0

    def test_inconclusive_is_not_yet_right(self) -> None:
        said = dict(zip((0.5, 0.75, 1.0), (INCONCLUSIVE, PLATEAU, PLATEAU), strict=True))
        assert arrive(said.__getitem__, leaking=False, shares=tuple(said)) == 0.75

    def test_right_from_the_first_look(self) -> None:
        assert arrive(lambda _: PLATEAU, leaking=False) == 0.05

    def test_no_credit_before_a_leak_has_begun(self) -> None:
        assert arrive(lambda _: CLIMBING, leaking=True, onset_share=0.3) == pytest.approx(0.35)

    def test_timing_counts_never_right_as_the_whole(self) -> None:
        arrivals = [Arrival(0.1, 100.0), Arrival(0.3, None), Arrival(None, None)]
        t = timing([answer(CLIMBING, leaking=True, arrival=x) for x in arrivals])
        assert t.median_share == 0.3
        assert t.mean_share == pytest.approx((0.1 + 0.3 + 1.0) / 3)
        assert t.ever_right == pytest.approx(2 / 3)
        assert t.median_connections == 100.0

    def test_timing_needs_times(self) -> None:
        with pytest.raises(ValueError, match="not measured"):
            timing([answer(CLIMBING, leaking=True)])


def trace() -> Trace:
    """Give a plain leak of an hour."""
    t_s = np.arange(0.0, 3600.0, 3.0)
    series = Series(t_s=t_s, values=5e8 + 1e5 * t_s, connections_completed=t_s)
    return Trace("made/0000", "made", True, series, 3.6e8, 1e5, 30.0, level_bytes=5e8)


class TestIntervals:
    def test_an_interval_holds_its_ends(self) -> None:
        assert hold("hour", Estimate(1.0, 0.0, 2.0), 2.0, leaking=True)[0].inside
        assert not hold("hour", Estimate(1.0, 0.5, 2.0), 0.0, leaking=False)[0].inside

    @pytest.mark.parametrize(
        ("interval", "truth"),
        [(None, 1.0), (Estimate(1.0, 0.0, 2.0), None), (Estimate(math.nan, math.nan, math.nan), 1.0)],
    )
    def test_an_unknown_one_is_not_counted(self, interval: Estimate | None, truth: float | None) -> None:
        assert hold("hour", interval, truth, leaking=True) == ()

    def test_a_leak_is_held_in_the_unit_its_pace_is_steady_in(self) -> None:
        stated = Growths(Estimate(3e8, 2e8, 3.5e8), Estimate(9e4, 8e4, 1.2e5), None)
        assert held(trace(), stated) == (Held("connection", True, True),)
        by_time = replace(trace(), growth_bytes_per_connection=None)
        assert held(by_time, stated) == (Held("hour", True, False),)
        assert held(replace(by_time, family="in_bursts"), stated) == ()

    def test_what_is_healthy_is_held_against_none(self) -> None:
        healthy = replace(trace(), leaking=False, growth_bytes_per_hour=0.0, growth_bytes_per_connection=None)
        stated = Growths(Estimate(1.0, 0.0, 2.0), Estimate(1.0, 0.5, 2.0), None)
        assert held(healthy, stated) == (Held("hour", False, True), Held("connection", False, False))

    def test_coverage_is_by_unit_and_truth(self) -> None:
        stated = (Held("hour", True, True), Held("hour", True, False), Held("connection", True, True))
        answers = [answer(CLIMBING, leaking=True, held=stated)]
        assert coverage(answers, unit="hour", leaking=True) == Rate(1, 2)
        assert coverage(answers, leaking=True) == Rate(2, 3)
        assert coverage([], unit="hour", leaking=False) == Rate(0, 0)


class TestAsking:
    def test_a_prefix_is_a_share_of_the_time_with_all_columns(self) -> None:
        half = prefix(trace().series, 0.5)
        assert half.t_s[-1] == 1797.0
        assert half.connections_completed is not None
        assert half.connections_completed.size == half.values.size == half.t_s.size
        assert half.open_connections is None

    def test_every_rule_is_asked_and_timed(self) -> None:
        answers = ask(trace(), question=Question(("LBR", "predict_linear"), timed=True))
        assert [a.rule for a in answers] == ["LBR", "predict_linear"]
        assert all(a.right and a.cpu_s >= 0.0 and a.held == () for a in answers)
        assert all(a.half == Half(CLIMBING, None) for a in answers)
        assert all(a.arrival is not None and a.arrival.share == 0.05 for a in answers)
        assert all(a.arrival is not None and a.arrival.connections == 177.0 for a in answers)

    def test_what_soak_says_comes_with_its_numbers(self) -> None:
        said, leans = ask(trace(), question=Question((SOAK, LEANING)))
        assert said.probability == leans.probability
        assert said.probability is not None
        assert said.contradictions == ()
        assert [each.unit for each in said.held] == ["connection"]
        assert said.half is not None
        assert said.half.probability is not None
        assert leans.label is not INCONCLUSIVE
        assert (leans.held, leans.contradictions) == ((), None)
        assert said.cpu_s == leans.cpu_s > 0.0

    def test_the_first_half_is_asked_about_only_where_a_leak_has_shown_by_then(self) -> None:
        assert is_fair(trace(), 0.5)
        assert not is_fair(trace(), 0.003)
        assert not is_fair(replace(trace(), onset_share=0.6), 0.5)
        assert not is_fair(replace(trace(), growth_bytes_per_hour=1e6), 0.5)
        assert is_fair(replace(trace(), growth_bytes_per_hour=math.nan), 0.5)
        assert is_fair(replace(trace(), leaking=False, growth_bytes_per_hour=0.0), 0.5)

    def test_a_rule_that_fails_is_named_with_the_trace(self) -> None:
        with pytest.raises(RuntimeError, match="no such rule failed on made/0000"):
            ask(trace(), question=Question(("no such rule",)))


class TestFormer:
    def test_its_answers_are_read_by_the_name_of_the_trace(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("benchmarks.verdict.former.FOLDER", tmp_path)
        said = ["plateau", 0.08, 1e6, [2e6, -1e6, 3e6], [9e4, 8e4, 1.2e5], None, 250.0]
        found = {"answers": {"made/0000": said}, "halves": {"made/0000": said}}
        (tmp_path / "kept.json").write_text(json.dumps(found), encoding="utf-8")
        [kept] = ask(trace(), question=Question((FORMER,), part="kept"))
        assert (kept.label, kept.probability, kept.cpu_s) == (PLATEAU, 0.08, 0.25)
        assert kept.contradictions is not None
        assert len(kept.contradictions) == 2
        assert kept.held == (Held("connection", True, True),)
        assert kept.half == Half(PLATEAU, 0.08)
        answers_on.cache_clear()

    def test_of_a_trace_it_was_not_asked_about_it_says_nothing(self) -> None:
        assert ask(trace(), question=Question((FORMER,), part="no such part")) == []


class TestSelection:
    def test_parts_are_listed_by_family_by_number_or_by_name(self) -> None:
        assert len(wanted(Part.TEST, count=2)) == 2 * len(FAMILIES)
        assert [which.index for which in wanted(Part.FROZEN, count=3)] == [0, 1, 2]
        assert {which.name for which in wanted(Part.REAL)} == set(recorded_names())

    def test_so_many_are_timed_and_always_the_same(self) -> None:
        chosen = wanted(Part.FROZEN, count=40, timed=7)
        assert sum(which.timed for which in chosen) == 7
        assert chosen == wanted(Part.FROZEN, count=40, timed=7)
        assert all(which.timed for which in wanted(Part.FROZEN, count=5, timed=7))

    def test_a_trace_of_the_learned_world_is_the_same_when_it_is_made_twice(self) -> None:
        which = wanted(Part.WORLD, count=4)
        first, again = which[3].get(), which[3].get()
        np.testing.assert_array_equal(first.series.values, again.series.values)
        assert all(one.get().leaking == (one.get().growth_bytes_per_hour > 0) for one in which)


class TestTables:
    def results(self) -> Results:
        stated = (Held("hour", True, True),)
        answers = [
            answer(
                CLIMBING, leaking=True, family="a", signal_to_noise=3.0, arrival=Arrival(0.5, 10.0),
                held=stated, probability=0.9, contradictions=("a bound below the budget",),
                half=Half(CLIMBING, 0.8), group="nginx",
            ),
            answer(
                CLIMBING, leaking=False, family="b", arrival=Arrival(None, None), probability=0.95,
                contradictions=(), half=Half(INCONCLUSIVE, 0.5), group="redis",
            ),
        ]  # fmt: skip
        return Results("frozen", (SOAK,), tuple(answers))

    def test_markdown_rows_have_as_many_cells_as_their_header(self) -> None:
        laid = [*sections(self.results()), misjudged(self.results())]
        assert all(len(row) == len(section.header) for section in laid for row in section.rows)
        text = to_markdown(laid, command="made by hand")
        assert "`made by hand`" in text
        assert "| false alarms | at most 0.5 % | 100.0 %, off by 99.5 % |" in text
        assert "| contradictions | at most 0 | 1, off by 1 |" in text
        assert "| soak | a bound below the budget | 1 |" in text
        assert "| a | leak | 1 | 100 (0) |" in text
        assert "| redis | 1 | 0 | 0 (100) |" in text

    def test_json_has_null_for_what_is_unknown(self) -> None:
        text = json.dumps(to_json(self.results()), allow_nan=False)
        found = json.loads(text)
        assert found["rules"]["soak"]["families"]["b"]["missed"]["share"] is None
        assert found["rules"]["soak"]["right_of_decided"]["share"] == 0.5
        assert found["rules"]["soak"]["interval_coverage"]["any, leak"]["part"] == 1
        assert found["rules"]["soak"]["time_to_right"]["mean_share"] == 0.75
        assert found["answers"][0]["label"] == "climbing"

    def test_heap_in_use_is_held_to_more_and_real_servers_to_all(self) -> None:
        bounds = {part: {g.what: (g.low, g.high) for g in goals_of(part)} for part in ("heaps", "real")}
        assert bounds["heaps"]["inconclusive"] == (None, 0.05)
        assert bounds["real"]["right of decided"] == (1.0, None)


class TestRecorded:
    def write(self, directory: Path, label: str) -> None:
        directory.mkdir()
        (directory / "label.json").write_text(label, encoding="utf-8")
        (directory / "samples.csv").write_text("t_s,rss_bytes\n0,5\n1,6\n", encoding="utf-8")

    def test_a_directory_with_a_label_is_a_trace(self, tmp_path: Path) -> None:
        self.write(tmp_path / "b", '{"leaking": true, "growth_bytes_per_connection": 8192, "what": "8 KiB"}')
        self.write(tmp_path / "a", '{"leaking": false, "growth_bytes_per_connection": null, "what": "clean"}')
        (tmp_path / "programs").mkdir()
        assert recorded_names(tmp_path) == ["a", "b"]
        leak = read_recorded("b", tmp_path)
        assert (leak.leaking, leak.growth_bytes_per_connection, leak.series.values.tolist()) == (
            True,
            8192.0,
            [5.0, 6.0],
        )
        assert math.isnan(leak.growth_bytes_per_hour)
        assert read_recorded("a", tmp_path).growth_bytes_per_hour == 0.0

    def test_a_label_must_say_whether_it_leaks(self, tmp_path: Path) -> None:
        self.write(tmp_path / "a", '{"leaking": "maybe"}')
        with pytest.raises(ValueError, match="must say"):
            read_recorded("a", tmp_path)
