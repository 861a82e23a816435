"""The results of one part, laid out as tables and as JSON."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

from benchmarks.verdict.goals import goals_of
from benchmarks.verdict.intervals import coverage
from benchmarks.verdict.judging import FORMER, LEANING, SOAK
from benchmarks.verdict.layout import Section, kind, number, percent, percent_of
from benchmarks.verdict.rates import Rate
from benchmarks.verdict.scoring import BANDS, in_band, of_halves, score, timing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.verdict.answers import Answer
    from benchmarks.verdict.goals import Goal
    from benchmarks.verdict.scoring import Score


@dataclass(frozen=True)
class Results:
    """Everything that was measured on one part."""

    part: str
    """"frozen", "real", …"""
    rules: tuple[str, ...]
    """Rules asked, in order."""
    answers: tuple[Answer, ...]
    """Every answer."""

    def of(self, rule: str) -> list[Answer]:
        """Give one rule's answers."""
        return [a for a in self.answers if a.rule == rule]

    def timed(self, rule: str) -> list[Answer]:
        """Give one rule's answers on the traces of which the time was measured."""
        return [a for a in self.of(rule) if a.arrival is not None]

    @property
    def families(self) -> tuple[str, ...]:
        """The families judged, healthy ones first, by name."""
        return tuple(family for _, family in sorted({(a.leaking, a.family) for a in self.answers}))

    @property
    def groups(self) -> tuple[str, ...]:
        """The servers that made recorded traces, by name."""
        return tuple(sorted({a.group for a in self.answers if a.group is not None}))


def sections(results: Results) -> list[Section]:
    """Lay out every table the results fill."""
    laid = [_overview(results)]
    if SOAK in results.rules:
        laid.append(_goals(results))
    if any(a.contradictions for a in results.answers):
        laid.append(_contradictions(results))
    if any(a.half is not None for a in results.answers):
        laid.append(_halves(results))
    if any(a.held for a in results.answers):
        laid.append(_coverage(results))
    if len(results.families) > 1:
        laid.append(_by_family(results))
    if results.groups:
        laid.append(_by_server(results))
    if any(a.signal_to_noise is not None for a in results.answers):
        laid.append(_by_band(results))
    if any(a.arrival is not None for a in results.answers):
        laid += [_times(results, "all traces", None), _times(results, "leaks", True)]
        laid.append(_times(results, "healthy traces", False))
    return laid


def misjudged(results: Results) -> Section:
    """Lay out every trace soak does not answer rightly."""
    said = {(a.trace, a.rule): a for a in results.answers}
    wrong = {a.trace: a for a in results.of(SOAK) if not a.right}
    rows = tuple(
        (trace, kind(leaking=answer.leaking), *(_word(said.get((trace, rule))) for rule in results.rules))
        for trace, answer in sorted(wrong.items())
    )
    title = f"{_named(results)}: traces soak does not answer rightly"
    return Section(title, "✗ marks a wrong answer.", ("trace", "truth", *results.rules), rows)


def to_json(results: Results) -> dict[str, Any]:
    """Give the results as one object: null where there was nothing to take a number of."""
    rules = {}
    for rule in results.rules:
        answers = results.of(rule)
        rules[rule] = {
            **_score(answers),
            "halves": _score(of_halves(answers)),
            "families": {f: _score([a for a in answers if a.family == f]) for f in results.families},
            "servers": {g: _score([a for a in answers if a.group == g]) for g in results.groups},
            "bands": {f"{b[0]:g}-{b[1]:g}": _score(in_band(answers, b)) for b in BANDS},
            "time_to_right": asdict(timing(timed)) if (timed := results.timed(rule)) else None,
            "interval_coverage": {
                f"{unit or 'any'}, {kind(leaking=leaking)}": _rate(
                    coverage(answers, unit=unit, leaking=leaking)
                )
                for unit, leaking in COVERED
            },
        }
    answers_given = [{**asdict(a), "label": str(a.label), "right": a.right} for a in results.answers]
    found: dict[str, Any] = _without_nan(
        {"part": results.part, "families": list(results.families), "rules": rules, "answers": answers_given}
    )
    return found


COVERED: tuple[tuple[str | None, bool], ...] = (
    (None, False),
    (None, True),
    ("hour", False),
    ("hour", True),
    ("connection", False),
    ("connection", True),
    ("audio second", True),
)
"""Unit and truth of the intervals that are counted together; None is any unit."""

_COUNTED = "right of decided", "false alarms", "missed", "inconclusive", "of leaks", "of healthy"


def _counted(of: Score) -> tuple[str, ...]:
    return (
        percent_of(of.right_of_decided),
        percent_of(of.false_alarms),
        percent_of(of.missed),
        percent(of.inconclusive.share),
        percent(of.inconclusive_leaks.share),
        percent(of.inconclusive_healthy.share),
        number(of.area_under_curve, 3),
        number(of.log_loss, 3),
    )


def _overview(results: Results) -> Section:
    header = ("rule", "traces", *_COUNTED, "area under curve", "log loss", "contradictions", "CPU ms")
    rows = []
    for rule in results.rules:
        of = score(results.of(rule))
        against = str(of.contradicted.part) if of.contradicted.whole else "–"
        rows.append((rule, str(of.traces), *_counted(of), against, number(of.cpu_ms, 1)))
    leaks = len({a.trace for a in results.answers if a.leaking})
    note = (
        f"{leaks} of the traces leak. In per cent, in brackets the 95 % interval of so many traces: false "
        "alarms are the healthy traces called climbing, missed are the leaks called plateau. Area under the "
        "curve and log loss are of the stated probability; contradictions are verdicts whose own numbers "
        "speak against their label. CPU time is the mean for one judgement of a whole trace."
    )
    return Section(f"{_named(results)}: rules", note, header, tuple(rows))


def _goals(results: Results) -> Section:
    rules = [rule for rule in (SOAK, FORMER) if results.of(rule)]
    rows = []
    for goal in goals_of(results.part):
        values = [goal.measure(results.of(rule)) for rule in rules]
        if not math.isnan(values[0]):
            rows.append((goal.what, _bounds(goal), *(_against(goal, value) for value in values)))
    return Section(f"{_named(results)}: goals", "At the default confidence of 90 %.",
                   ("what", "goal", *rules), tuple(rows))  # fmt: skip


def _bounds(goal: Goal) -> str:
    if goal.low is None:
        return f"at most {_value(goal, goal.high or 0.0)}"
    if goal.high is None:
        return f"at least {_value(goal, goal.low)}"
    return f"{_value(goal, goal.low)} to {_value(goal, goal.high)}"


def _against(goal: Goal, value: float) -> str:
    if math.isnan(value):
        return "–"
    off = goal.off_by(value)
    return f"{_value(goal, value)}, met" if not off else f"{_value(goal, value)}, off by {_value(goal, off)}"


def _value(goal: Goal, value: float) -> str:
    if goal.unit == "%":
        return f"{percent(value)} %"
    return f"{value:.3g} {goal.unit}".strip()


def _contradictions(results: Results) -> Section:
    kinds = Counter((a.rule, what) for a in results.answers for what in a.contradictions or ())
    rows = tuple((rule, what, str(count)) for (rule, what), count in sorted(kinds.items()))
    note = "Verdicts whose own numbers speak against their label, by what does."
    return Section(f"{_named(results)}: contradictions", note, ("rule", "what", "verdicts"), rows)


def _halves(results: Results) -> Section:
    rows = []
    for rule in results.rules:
        of = score(of_halves(results.of(rule)))
        rows.append((rule, str(of.traces), *_counted(of)))
    note = (
        "The same of the first half of each trace. Leaks that begin later, or have not added a budget by "
        "then, are left out."
    )
    header = ("rule", "traces", *_COUNTED, "area under curve", "log loss")
    return Section(f"{_named(results)}: first halves", note, header, tuple(rows))


def _coverage(results: Results) -> Section:
    rules = [rule for rule in results.rules if any(a.held for a in results.of(rule))]
    rows = []
    for unit, leaking in COVERED:
        rates = [coverage(results.of(rule), unit=unit, leaking=leaking) for rule in rules]
        if any(rate.whole for rate in rates):
            cells = [f"{percent_of(rate)} of {rate.whole}" for rate in rates]
            rows.append((f"per {unit}" if unit else "any", kind(leaking=leaking), *cells))
    note = (
        "Of two-sided intervals stated at 95 %, per cent that hold the truth. Leaks only in the unit their "
        "pace is steady in, healthy traces against none."
    )
    return Section(f"{_named(results)}: intervals", note, ("growth", "truth", *rules), tuple(rows))


def _by_family(results: Results) -> Section:
    rows = []
    for family in results.families:
        of = [score([a for a in results.of(rule) if a.family == family]) for rule in results.rules]
        leaking = any(a.leaking for a in results.answers if a.family == family)
        rows.append((family, kind(leaking=leaking), str(of[0].traces), *map(_right_and_wrong, of)))
    header = ("family", "truth", "traces", *results.rules)
    return Section(f"{_named(results)}: by family", RIGHT_AND_WRONG, header, tuple(rows))


def _by_server(results: Results) -> Section:
    rows = []
    for group in results.groups:
        of = [score([a for a in results.of(rule) if a.group == group]) for rule in results.rules]
        leaks = {a.trace for a in results.answers if a.group == group and a.leaking}
        rows.append((group, str(of[0].traces), str(len(leaks)), *map(_right_and_wrong, of)))
    note = f"{RIGHT_AND_WRONG} Nothing was fitted to any of them, so each is a server left out."
    header = ("server", "traces", "leaks", *results.rules)
    return Section(f"{_named(results)}: by server", note, header, tuple(rows))


def _by_band(results: Results) -> Section:
    rows = []
    for band in BANDS:
        of = [score(in_band(results.of(rule), band)) for rule in results.rules]
        rows.append((f"{band[0]:g} to {band[1]:g}", str(of[0].traces), *map(_right_and_wrong, of)))
    note = (
        "Leaks only: what the leak adds over the trace, over the deviation of what is not trend. Per cent "
        "called climbing, in brackets called plateau."
    )
    header = ("signal/noise", "leaks", *results.rules)
    return Section(f"{_named(results)}: by signal to noise", note, header, tuple(rows))


def _times(results: Results, which: str, leaking: bool | None) -> Section:
    rows = []
    counted = 0
    for rule in results.rules:
        chosen = [a for a in results.timed(rule) if leaking is None or a.leaking is leaking]
        if not chosen:
            continue
        counted = len(chosen)
        t = timing(chosen)
        shares = (percent(t.median_share), percent(t.mean_share), percent(t.ever_right))
        rows.append((rule, *shares, number(t.median_connections, 0)))
    note = (
        f"Of {counted} traces. Share of the trace after which the rule says the right thing at every later "
        "look (every 5 %), in per cent; never right counts as 100. Connections are those completed by then, "
        "where counted and ever right. A rule that always says plateau is right of every healthy trace from "
        "the first look: read the three tables together. Soak may say inconclusive, which is not right yet; "
        f"{LEANING} always says one thing or the other, as the peers do."
    )
    header = ("rule", "median share", "mean share", "ever right", "median connections")
    return Section(f"{_named(results)}: time to the right answer, {which}", note, header, tuple(rows))


RIGHT_AND_WRONG = "Per cent right, in brackets per cent wrong; the rest is inconclusive."


def _right_and_wrong(of: Score) -> str:
    if not of.traces:
        return "–"
    return f"{100 * of.right / of.traces:.0f} ({100 * of.wrong / of.traces:.0f})"


def _named(results: Results) -> str:
    return results.part.capitalize()


def _word(answer: Answer | None) -> str:
    if answer is None:
        return "–"
    return f"{answer.label}{' ✗' if answer.wrong else ''}"


def _score(answers: Sequence[Answer]) -> dict[str, Any]:
    of = score(answers)
    values = {field.name: getattr(of, field.name) for field in fields(of)}
    return {name: _rate(value) if isinstance(value, Rate) else value for name, value in values.items()}


def _rate(rate: Rate) -> dict[str, float]:
    low, high = rate.interval
    return {"part": rate.part, "whole": rate.whole, "share": rate.share, "low": low, "high": high}


def _without_nan(value: Any) -> Any:  # any JSON
    if isinstance(value, dict):
        return {key: _without_nan(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_nan(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
