"""Outcomes as a person reads them: a line when a trial ends, a table when all have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from soak.quantity import MISSING, format_bytes, format_count, format_count_rate, is_known
from soak.studies.selftest.outcome import SlopeUnit, TrialResult
from soak.studies.selftest.trials import TrialScenario

if TYPE_CHECKING:
    from collections.abc import Sequence

    from soak.studies.selftest.outcome import TrialOutcome
    from soak.studies.selftest.trials import LeakTrial

NOTHING = "-"
GOOD, BAD = ("✓", "green"), ("✕", "bold red")
EXPLAINED = {
    TrialResult.TOO_SMALL: "too small: below the growth that the run accepts or could have seen, as it says",
    TrialResult.UNDECIDED: "undecided: the run was called inconclusive; more connections would settle it",
    TrialResult.ENDS: "ends, no leak: growth that stops by itself was not called a leak",
    TrialResult.CUT_SHORT: "cut short: this machine was too busy for the load, and the run proves nothing",
    TrialResult.MISNAMED: "misnamed: climbing, but not what leaked was named",
}


def outcome_line(outcome: TrialOutcome) -> Text:
    """Return what is said as soon as a trial has ended."""
    sign, style = _sign(outcome)
    words = f"  {sign} {outcome.result}"
    if outcome.detected_after is not None:
        words += f" after {format_count(outcome.detected_after)} connections"
    if outcome.truth:
        words += f": {_slope(outcome, outcome.slope)}, truth {_slope(outcome, outcome.truth)}"
    return Text(words, style=style)


def outcome_table(outcomes: Sequence[TrialOutcome]) -> Table:
    """Return all outcomes, for a terminal of 80 columns."""
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, header_style="dim")
    table.add_column("leak", no_wrap=True)
    table.add_column("result", no_wrap=True)
    table.add_column("after", justify="right", no_wrap=True)
    table.add_column("slope", justify="right", no_wrap=True)
    table.add_column("truth", justify="right", no_wrap=True)
    table.add_column("what climbs", overflow="fold")
    for outcome in outcomes:
        sign, style = _sign(outcome)
        off = outcome.slope_is_good is False
        table.add_row(
            Text(leak_in_words(outcome.trial)),
            Text(f"{sign} {outcome.result}", style=style),
            NOTHING if outcome.detected_after is None else format_count(outcome.detected_after),
            Text(_slope(outcome, outcome.slope) + ("!" if off else ""), style="yellow" if off else ""),
            _slope(outcome, outcome.truth) if outcome.truth else NOTHING,
            Text(_named(outcome)),
        )
    return table


def leak_in_words(trial: LeakTrial) -> str:
    """Return what was injected, briefly."""
    injection = trial.injection
    if injection is None:
        return "none" if trial.scenario is TrialScenario.PLAIN else f"none, {trial.scenario}"
    size = format_bytes(injection.size_bytes).replace(" ", "")
    words = f"{injection.kind}:{size}"
    return words if injection.probability == 1 else f"{words}:{injection.probability:g}"


def footnotes(outcomes: Sequence[TrialOutcome]) -> list[str]:
    """Return how the table is read, as far as it needs to be."""
    results = {outcome.result for outcome in outcomes}
    notes = ["slope and truth: per connection, or per hour (/h)"]
    if any(outcome.slope_is_good is False for outcome in outcomes):
        notes.append("!: more than 20 % from the truth")
    return [*notes, *(words for result, words in EXPLAINED.items() if result in results)]


def summary(outcomes: Sequence[TrialOutcome]) -> str:
    """Say in one line what all of it comes to."""
    bad = [outcome for outcome in outcomes if not outcome.as_expected]
    if not bad:
        return f"All {len(outcomes)} as expected."
    named = ", ".join(f"{outcome.trial.name} ({outcome.result})" for outcome in bad)
    return f"{len(bad)} of {len(outcomes)} not as expected: {named}."


def _named(outcome: TrialOutcome) -> str:
    """Return what was named first, with what should have been where that is another."""
    first = str(outcome.culprits[0]) if outcome.culprits else ", ".join(outcome.climbs) or NOTHING
    wrong = outcome.result is TrialResult.MISNAMED and outcome.trial.injection is not None
    return f"{first} (truth: {outcome.trial.culprit})" if wrong else first


def _sign(outcome: TrialOutcome) -> tuple[str, str]:
    return GOOD if outcome.as_expected else BAD


def _slope(outcome: TrialOutcome, value: float) -> str:
    if not is_known(value):
        return MISSING
    if outcome.unit is SlopeUnit.COUNT_PER_CONNECTION:
        return format_count_rate(value)
    per_hour = "/h" if outcome.unit is SlopeUnit.BYTES_PER_HOUR else ""
    return format_bytes(value) + per_hour
