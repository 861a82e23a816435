"""What only a whole run shows, in words: how it failed, how it ended, what heap in use says of RSS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from soak.quantity import format_bytes, format_count, format_duration, format_percent, format_rate
from soak.verdict.reason import ReasonKind
from soak.verdict.verdict import Label, leaning
from soak.words.english.about_bytes import SENTENCES as ABOUT_BYTES
from soak.words.english.names import percent

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Facts = Mapping[str, Any]


def _server_died(facts: Facts) -> str:
    when = "" if facts["t_s"] is None else f" {facts['t_s']:.0f} s into the run"
    return f"The server died{when}: {facts['how']}."


def _never_answered(facts: Facts) -> str:
    what = f" ({facts['detail']})" if facts["detail"] else ""
    return f"No answer from the server{what}. Nothing was judged."


def _heap_outweighs(facts: Facts) -> str:
    return (
        f"{_heap(facts)} RSS still grows, by memory that is kept by the allocator for reuse; whether that "
        "ends is not shown yet."
    )


def _heap_beside(facts: Facts) -> str:
    return f"{_heap(facts)} RSS itself is undecided."


def _heap_decides(facts: Facts) -> str:
    flat = ABOUT_BYTES[ReasonKind.WITHIN_BUDGET](facts["flat"])
    grows = f"{format_bytes(facts['rss_growth'])} per {facts['rss_growth_per']}"
    if facts["kept_by_allocator"]:
        return f"{flat} {_kept(facts, grows)}"
    where = (
        "by memory outside malloc's heap"
        if facts["kept_by_allocator"] is False
        else "and where is not recorded: the mappings were read too seldom"
    )
    return f"{flat} RSS itself may still grow ({grows}), {where}."


def _kept(facts: Facts, grows: str) -> str:
    """Say of growth that the allocator keeps how likely it is to go on: no leak, but memory all the same."""
    probability = facts["rss_probability_climbing"]
    if facts["rss_verdict"] == Label.CLIMBING:
        return (
            f"RSS still grows by {grows} ({percent(probability)}), kept by the allocator for reuse: no leak, "
            "but it can still fill a container."
        )
    kept = "What RSS gained is kept by the allocator for reuse"
    if probability is None or leaning(probability) is not Label.CLIMBING:
        return f"{kept}."
    return f"{kept}. That may go on by {grows} ({percent(probability)}), and can still fill a container."


def _heap(facts: Facts) -> str:
    """Say how flat heap in use is."""
    if facts["flat"] is not None:
        return ABOUT_BYTES[ReasonKind.WITHIN_BUDGET](facts["flat"])
    return (
        f"Heap in use explains at most {format_percent(facts['most_share'])} of the growth of RSS: "
        f"{format_rate(facts['most_bytes_per_hour'], signed=False)} or less ({percent(facts['confidence'])})."
    )


def _stopped_early(facts: Facts) -> str:
    text = (
        f"The run stopped early, after {format_duration(facts['up_to_s'])} of at most {_longest(facts)}: "
        f"{facts['verdict']} stood at the last looks ({facts['looks']} in all)."
    )
    if facts["excluded_per_hour"] is None:
        return text
    excluded = format_rate(facts["excluded_per_hour"], signed=False)
    if facts["excluded_per_connection"] is not None:
        excluded += f" ({format_bytes(facts['excluded_per_connection'])} per connection)"
    return f"{text} Growth of more than {excluded} was excluded; less, or what begins later, was not."


def _went_to_its_end(facts: Facts) -> str:
    return f"The run was to stop once it was decided; it went on to its end, {_longest(facts)}."


def _no_end(_facts: Facts) -> str:
    return "The recording has no end (the harness was stopped hard): judged up to its last sample."


def _events_unused(facts: Facts) -> str:
    more = f", and {facts['more']} more" if facts["more"] else ""
    return f"Part of events.jsonl could not be used: {facts['first']}{more}."


def _longest(facts: Facts) -> str:
    limits = [] if facts["duration_s"] is None else [format_duration(facts["duration_s"])]
    if facts["connections"] is not None:
        limits.append(f"{format_count(facts['connections'])} connections")
    return " or ".join(limits)


SENTENCES: dict[ReasonKind, Callable[[Facts], str]] = {
    ReasonKind.SERVER_DIED: _server_died,
    ReasonKind.NEVER_ANSWERED: _never_answered,
    ReasonKind.HEAP_OUTWEIGHS: _heap_outweighs,
    ReasonKind.HEAP_BESIDE: _heap_beside,
    ReasonKind.HEAP_DECIDES: _heap_decides,
    ReasonKind.STOPPED_EARLY: _stopped_early,
    ReasonKind.WENT_TO_ITS_END: _went_to_its_end,
    ReasonKind.NO_END: _no_end,
    ReasonKind.EVENTS_UNUSED: _events_unused,
}
"""What writes a reason on a run."""
