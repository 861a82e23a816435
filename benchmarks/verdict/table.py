"""The results as tables: for the terminal, as Markdown, and as JSON."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from rich.table import Table

from benchmarks.verdict.judging import LEANING, SOAK
from benchmarks.verdict.scoring import BANDS, coverage, in_band, score, timing

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from benchmarks.verdict.leave_one_out import LeaveOneOut
    from benchmarks.verdict.scoring import Answer, Score

GOALS = (
    ("right of decided", "right_of_decided", 0.97, True),
    ("false alarms", "false_alarms", 0.01, False),
    ("missed", "missed", 0.02, False),
    ("inconclusive", "inconclusive", 0.08, False),
)
"""What soak is held against: name, field of `Score`, bound, and whether more is better."""


@dataclass(frozen=True)
class Section:
    """One table with its heading."""

    title: str
    """The heading."""
    note: str
    """What the numbers are, in a sentence or two."""
    header: tuple[str, ...]
    """Column names."""
    rows: tuple[tuple[str, ...], ...]
    """Cells, as many in each row as in the header."""


@dataclass(frozen=True)
class Results:
    """Everything that was measured."""

    part: str
    """"test", "tuning" or "real"."""
    rules: tuple[str, ...]
    """Rules asked, in order."""
    families: tuple[str, ...]
    """Families judged, in order."""
    answers: tuple[Answer, ...]
    """Every answer."""
    left_out: LeaveOneOut | None = None
    """Leave-one-family-out, where asked for."""

    def of(self, rule: str) -> list[Answer]:
        """Give one rule's answers."""
        return [a for a in self.answers if a.rule == rule]

    def timed(self, rule: str) -> list[Answer]:
        """Give one rule's answers on the traces of which the time was measured."""
        return [a for a in self.of(rule) if a.arrival is not None]


def sections(results: Results) -> list[Section]:
    """Lay out every table the results fill."""
    laid = [_overview(results)]
    if SOAK in results.rules:
        laid.append(_goals(results))
    if len(results.families) > 1:
        laid.append(_by_family(results))
    if any(a.signal_to_noise is not None for a in results.answers):
        laid.append(_by_band(results))
    if any(a.arrival is not None for a in results.answers):
        laid += [_times(results, "all traces", None), _times(results, "leaks", True)]
        laid.append(_times(results, "healthy traces", False))
    if any(a.held for a in results.answers):
        laid.append(_coverage(results))
    if results.left_out is not None:
        laid.append(_left_out(results.left_out))
    if results.part == "real":
        laid.append(_each(results, "Each recorded run", results.answers))
    return laid


def misjudged(results: Results) -> Section:
    """Lay out every trace soak did not answer rightly."""
    names = {a.trace for a in results.of(SOAK) if not a.right}
    chosen = [a for a in results.answers if a.trace in names]
    return _each(results, "Traces soak does not answer rightly", chosen)


def to_rich(section: Section) -> Table:
    """Give one section as a table for the terminal."""
    table = Table(title=section.title, caption=section.note, title_justify="left", caption_justify="left")
    for at, name in enumerate(section.header):
        table.add_column(name, justify="left" if at == 0 else "right", no_wrap=at == 0)
    for row in section.rows:
        table.add_row(*row)
    return table


def to_markdown(laid: Iterable[Section], *, command: str) -> str:
    """Give the sections as Markdown, with the command that made them."""
    parts = [
        f"# Verdicts, measured\n\nWritten by `{command}`; the README beside this file says what is measured."
    ]
    for section in laid:
        lines = [f"## {section.title}", "", section.note, "", _line(section.header)]
        lines.append(_line(["---", *["---:"] * (len(section.header) - 1)]))
        lines += [_line(row) for row in section.rows]
        parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"


def to_json(results: Results) -> dict[str, Any]:
    """Give the results as one object: shares as numbers, null where there was nothing to take one of."""
    rules = {}
    for rule in results.rules:
        answers = results.of(rule)
        rules[rule] = {
            **asdict(score(answers)),
            "families": {f: asdict(score([a for a in answers if a.family == f])) for f in results.families},
            "bands": {f"{b[0]:g}-{b[1]:g}": asdict(score(in_band(answers, b))) for b in BANDS},
            "time_to_right": asdict(timing(timed)) if (timed := results.timed(rule)) else None,
        }
    held = {
        f"{unit}, {_kind(leaking)}": asdict(coverage(results.of(SOAK), unit=unit, leaking=leaking))
        for unit, leaking in _COVERED
    }
    answers_given = [{**asdict(a), "label": str(a.label), "right": a.right} for a in results.answers]
    left = results.left_out
    found: dict[str, Any] = _without_nan(
        {
            "part": results.part,
            "families": list(results.families),
            "rules": rules,
            "interval_coverage": held,
            "leave_one_out": None
            if left is None
            else {
                "score": asdict(left.score),
                "in_use": asdict(left.in_use),
                "families": {x.family: asdict(x.score) for x in left.families},
            },
            "answers": answers_given,
        }
    )
    return found


_COVERED = (
    ("hour", False),
    ("hour", True),
    ("connection", False),
    ("connection", True),
    ("audio second", True),
)


def _overview(results: Results) -> Section:
    header = (
        "rule", "right of decided", "accuracy", "precision", "recall", "F1",
        "false alarms", "missed", "inconclusive", "CPU ms",
    )  # fmt: skip
    rows = []
    for rule in results.rules:
        s = score(results.of(rule))
        shares = (
            s.right_of_decided, s.accuracy, s.precision, s.recall, s.f1,
            s.false_alarms, s.missed, s.inconclusive,
        )  # fmt: skip
        rows.append((rule, *(_percent(x) for x in shares), _number(s.cpu_ms, 1)))
    any_rule = results.of(results.rules[0])
    leaks = sum(a.leaking for a in any_rule)
    note = (
        f"{len(any_rule)} traces, {leaks} of them leaking; shares in per cent. Accuracy counts an "
        "inconclusive answer as not right; false alarms are the healthy traces called climbing, missed are "
        "the leaks called plateau; CPU time is the mean for one judgement of a whole trace."
    )
    return Section(f"Rules, {results.part} part", note, header, tuple(rows))


def _goals(results: Results) -> Section:
    measured = asdict(score(results.of(SOAK)))
    rows = []
    for name, field, bound, more in GOALS:
        value = measured[field]
        met = value >= bound if more else value <= bound
        words = f"at {'least' if more else 'most'} {_percent(bound)} %"
        rows.append(
            (name, words, _percent(value), "yes" if met else f"off by {100 * abs(value - bound):.1f}")
        )
    return Section("Soak against its goal", "In per cent.", ("what", "goal", SOAK, "met"), tuple(rows))


def _by_family(results: Results) -> Section:
    rows = []
    for family in results.families:
        scores = [score([a for a in results.of(rule) if a.family == family]) for rule in results.rules]
        kind = _kind(any(a.leaking for a in results.answers if a.family == family))
        rows.append((family, kind, *(_right_and_wrong(s) for s in scores)))
    note = "Per cent right, in brackets per cent wrong; the rest is inconclusive."
    return Section("By family", note, ("family", "truth", *results.rules), tuple(rows))


def _by_band(results: Results) -> Section:
    rows = []
    for band in BANDS:
        scores = [score(in_band(results.of(rule), band)) for rule in results.rules]
        rows.append(
            (f"{band[0]:g} to {band[1]:g}", str(scores[0].traces), *(_right_and_wrong(s) for s in scores))
        )
    note = (
        "Leaks only: what the leak adds over the trace, over the deviation of what is not trend. Per cent "
        "called climbing, in brackets called plateau."
    )
    return Section("By signal to noise", note, ("signal/noise", "leaks", *results.rules), tuple(rows))


def _times(results: Results, which: str, leaking: bool | None) -> Section:
    rows = []
    counted = 0
    for rule in results.rules:
        chosen = [a for a in results.timed(rule) if leaking is None or a.leaking is leaking]
        counted = len(chosen)
        t = timing(chosen)
        connections = "–" if math.isnan(t.median_connections) else f"{t.median_connections:,.0f}"
        rows.append(
            (rule, _percent(t.median_share), _percent(t.mean_share), _percent(t.ever_right), connections)
        )
    note = (
        f"Of {counted} traces. Share of the trace after which the rule says the right thing at every later "
        "look (every 5 %), in per cent; never right counts as 100. Connections are those completed by then, "
        "where counted and ever right. A rule that always says plateau is right of every healthy trace from "
        "the first look: read the three tables together. Soak may say inconclusive, which is not right yet; "
        f"{LEANING} always says one thing or the other, as the peers do."
    )
    header = ("rule", "median share", "mean share", "ever right", "median connections")
    return Section(f"Time to the right answer, {which}", note, header, tuple(rows))


def _coverage(results: Results) -> Section:
    rows = []
    for unit, leaking in _COVERED:
        c = coverage(results.of(SOAK), unit=unit, leaking=leaking)
        rows.append((f"per {unit}", _kind(leaking), str(c.stated), _percent(c.held)))
    note = (
        "Of soak's intervals stated at 95 %, per cent that hold the truth. Only traces whose growth is "
        "steady to the end, a leak only in the unit in which it is."
    )
    return Section("Intervals", note, ("growth", "truth", "stated", "hold it"), tuple(rows))


def _left_out(left: LeaveOneOut) -> Section:
    rows = [
        (
            x.family,
            _percent(x.score.accuracy),
            _percent(x.in_use.accuracy),
            _points(x.score.accuracy - x.in_use.accuracy),
        )
        for x in left.families
    ]
    rows.append(
        (
            "all",
            _percent(left.score.accuracy),
            _percent(left.in_use.accuracy),
            _points(left.score.accuracy - left.in_use.accuracy),
        )
    )
    note = (
        "Accuracy on the test part, in per cent, of weights fitted to the tuning part of all other "
        f"families (over all: false alarms {_percent(left.score.false_alarms)}, missed "
        f"{_percent(left.score.missed)}, inconclusive {_percent(left.score.inconclusive)}), and of those in "
        "use."
    )
    header = ("family left out", "accuracy", "in use", "difference")
    return Section("Leave one family out", note, header, tuple(rows))


def _each(results: Results, title: str, answers: Sequence[Answer]) -> Section:
    said = {(a.trace, a.rule): a for a in answers}
    rows = []
    for trace in sorted({a.trace for a in answers}):
        mine = [said[trace, rule] for rule in results.rules]
        kind = _kind(mine[0].leaking)
        rows.append((trace, kind, *(f"{a.label}{' ✗' if a.wrong else ''}" for a in mine)))
    return Section(title, "✗ marks a wrong answer.", ("trace", "truth", *results.rules), tuple(rows))


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _kind(leaking: bool) -> str:
    return "leak" if leaking else "healthy"


def _percent(share: float) -> str:
    return "–" if math.isnan(share) else f"{100 * share:.1f}"


def _points(difference: float) -> str:
    return "–" if math.isnan(difference) else f"{100 * difference:+.1f}"


def _number(value: float, digits: int) -> str:
    return "–" if math.isnan(value) else f"{value:,.{digits}f}"


def _right_and_wrong(s: Score) -> str:
    if not s.traces:
        return "–"
    wrong = (s.decided - s.right) / s.traces
    return f"{100 * s.accuracy:.0f} ({100 * wrong:.0f})"


def _without_nan(value: Any) -> Any:  # any JSON
    if isinstance(value, dict):
        return {key: _without_nan(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_nan(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
