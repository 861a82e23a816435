"""Scores worked out by hand, the time to the right answer, and leaving a family out."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from benchmarks.verdict.examples import Example
from benchmarks.verdict.fit import fit, to_source
from benchmarks.verdict.judging import LEANING, SOAK, Question, ask, prefix
from benchmarks.verdict.leave_one_out import fit_without, score_left_out
from benchmarks.verdict.recorded import read_recorded, recorded_names
from benchmarks.verdict.scoring import (
    Answer,
    Arrival,
    Held,
    arrive,
    coverage,
    hold,
    in_band,
    score,
    timing,
)
from benchmarks.verdict.table import Results, sections, to_json, to_markdown
from benchmarks.verdict.trace import Trace
from soak.analyse import Series
from soak.analyse.posterior.weighing import belief_in_leak
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
) -> Answer:
    return Answer(SOAK, f"{family}/0000", family, leaking, signal_to_noise, label, 0.002, arrival, held)


def several() -> list[Answer]:
    """Give five leaks (three caught, one missed) and five healthy traces (one false alarm, three right)."""
    leaks = [CLIMBING] * 3 + [PLATEAU, INCONCLUSIVE]
    healthy = [CLIMBING] + [PLATEAU] * 3 + [INCONCLUSIVE]
    return [answer(x, leaking=True) for x in leaks] + [answer(x, leaking=False) for x in healthy]


class TestScore:
    def test_by_hand(self) -> None:
        s = score(several())
        assert (s.traces, s.right, s.decided) == (10, 6, 8)
        assert s.right_of_decided == pytest.approx(6 / 8)
        assert s.accuracy == pytest.approx(6 / 10)
        assert s.precision == pytest.approx(3 / 4)
        assert s.recall == pytest.approx(3 / 5)
        assert s.f1 == pytest.approx(2 * (3 / 4) * (3 / 5) / (3 / 4 + 3 / 5))
        assert s.false_alarms == pytest.approx(1 / 5)
        assert s.missed == pytest.approx(1 / 5)
        assert s.inconclusive == pytest.approx(2 / 10)
        assert s.cpu_ms == pytest.approx(2.0)

    def test_a_share_of_nothing_is_unknown(self) -> None:
        s = score([answer(PLATEAU, leaking=False)])
        assert s.accuracy == 1.0
        assert math.isnan(s.recall)
        assert math.isnan(s.precision)
        assert math.isnan(s.missed)

    def test_bands_hold_their_lower_end_and_the_last_its_upper(self) -> None:
        answers = [answer(CLIMBING, leaking=True, signal_to_noise=x) for x in (2.5, 4.9, 5.0, 60.0)]
        answers.append(answer(PLATEAU, leaking=False))
        assert [len(in_band(answers, band)) for band in ((2.5, 5.0), (5.0, 10.0), (20.0, 60.0))] == [2, 1, 1]


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

    def test_coverage_is_by_unit_and_truth(self) -> None:
        held = (Held("hour", True, True), Held("hour", True, False), Held("connection", True, True))
        found = coverage([answer(CLIMBING, leaking=True, held=held)], unit="hour", leaking=True)
        assert (found.stated, found.held) == (2, 0.5)
        assert coverage([], unit="hour", leaking=False).stated == 0


class TestAsking:
    def trace(self) -> Trace:
        t_s = np.arange(0.0, 3600.0, 3.0)
        series = Series(t_s=t_s, values=5e8 + 1e5 * t_s, connections_completed=t_s)
        return Trace("made/0000", "made", True, series, 3.6e8, 1e5, 30.0)

    def test_a_prefix_is_a_share_of_the_time_with_all_columns(self) -> None:
        half = prefix(self.trace().series, 0.5)
        assert half.t_s[-1] == 1797.0
        assert half.connections_completed is not None
        assert half.connections_completed.size == half.values.size == half.t_s.size
        assert half.open_connections is None

    def test_every_rule_is_asked_and_timed(self) -> None:
        answers = ask(self.trace(), question=Question(("LBR", "predict_linear"), timed=True))
        assert [a.rule for a in answers] == ["LBR", "predict_linear"]
        assert all(a.right and a.cpu_s >= 0.0 and a.held == () for a in answers)
        assert all(a.arrival is not None and a.arrival.share == 0.05 for a in answers)
        assert all(a.arrival is not None and a.arrival.connections == 177.0 for a in answers)

    def test_what_soak_leans_to_is_an_answer_of_its_own(self) -> None:
        t_s = np.arange(0.0, 3600.0, 3.0)
        noise = np.random.default_rng(5).normal(0.0, 2e6, t_s.size)
        slight = replace(self.trace(), series=Series(t_s, 5e8 + 500.0 * t_s + noise))
        said, leans = ask(slight, question=Question((SOAK, LEANING), timed=True))
        assert (said.label, leans.label) == (INCONCLUSIVE, CLIMBING)
        assert said.cpu_s == leans.cpu_s > 0.0
        assert leans.held == ()
        assert said.arrival is not None
        assert said.arrival.share is None
        assert leans.arrival is not None
        assert leans.arrival.share is not None

    def test_a_rule_that_fails_is_named_with_the_trace(self) -> None:
        with pytest.raises(RuntimeError, match="no such rule failed on made/0000"):
            ask(self.trace(), question=Question(("no such rule",), timed=False))


class TestLeaveOneOut:
    def example(self, family: str, figure: float, *, leaking: bool) -> Example:
        return Example(f"{family}/0000", family, True, leaking, {"figure": figure, "constant": 1.0})

    def examples(self) -> list[Example]:
        """Give two families in which a high figure is a leak, and one in which it is none."""
        told = [(0.1, False), (0.2, False), (0.8, True), (0.9, True)] * 5
        found = [self.example(f, x, leaking=leaking) for f in ("a", "b") for x, leaking in told]
        return found + [self.example("contrary", x, leaking=not leaking) for x, leaking in told]

    def test_the_family_itself_has_no_say(self) -> None:
        weights = fit_without(self.examples(), ("a", "contrary"))
        assert belief_in_leak({"figure": 0.9}, weights["contrary"]) > 0.9
        assert belief_in_leak({"figure": 0.9}, weights["a"]) == pytest.approx(0.5, abs=0.01)

    def test_weights_survive_being_written_down(self) -> None:
        weights = fit(self.examples())
        space: dict[str, Any] = {}
        exec(to_source(weights), space)  # noqa: S102 - our own source
        assert space["WEIGHTS"] == weights
        assert weights.curves["constant"].adds == (0.0,)

    def test_each_family_is_scored_with_the_weights_fitted_without_it(self) -> None:
        without = [answer(PLATEAU, leaking=True, family="a"), answer(CLIMBING, leaking=True, family="b")]
        in_use = [answer(CLIMBING, leaking=True, family=f) for f in ("a", "b")]
        found = score_left_out(without, in_use)
        assert (found.score.accuracy, found.in_use.accuracy) == (0.5, 1.0)
        assert [(x.family, x.score.accuracy) for x in found.families] == [("a", 0.0), ("b", 1.0)]


class TestTables:
    def results(self) -> Results:
        arrival = Arrival(0.5, 10.0)
        answers = [
            answer(CLIMBING, leaking=True, family="a", signal_to_noise=3.0, arrival=arrival),
            answer(CLIMBING, leaking=False, family="b", arrival=Arrival(None, None)),
        ]
        return Results("test", (SOAK,), ("a", "b"), tuple(answers))

    def test_markdown_rows_have_as_many_cells_as_their_header(self) -> None:
        laid = sections(self.results())
        assert all(len(row) == len(section.header) for section in laid for row in section.rows)
        text = to_markdown(laid, command="made by hand")
        assert "`made by hand`" in text
        assert "| soak | 50.0 | 50.0 | 50.0 | 100.0 | 66.7 | 100.0 | 0.0 | 0.0 | 2.0 |" in text
        assert "| false alarms | at most 1.0 % | 100.0 | off by 99.0 |" in text
        assert "| a | leak | 100 (0) |" in text

    def test_json_has_null_for_what_is_unknown(self) -> None:
        text = json.dumps(to_json(self.results()), allow_nan=False)
        found = json.loads(text)
        assert found["rules"]["soak"]["families"]["b"]["recall"] is None
        assert found["rules"]["soak"]["time_to_right"]["mean_share"] == 0.75
        assert found["answers"][0]["label"] == "climbing"


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
