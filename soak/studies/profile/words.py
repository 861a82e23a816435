"""A profile in words: a sentence, a stack, and the text to paste into an issue."""

from __future__ import annotations

from typing import TYPE_CHECKING

from soak.foreign_text import for_markdown, for_markdown_block, for_markdown_code, one_line
from soak.quantity import format_bytes, format_count, format_percent, is_known
from soak.studies.profile.frames import is_standard, site_index
from soak.studies.profile.judged import CONFIDENCE
from soak.studies.profile.result import heap_gained_bytes
from soak.verdict.verdict import Label
from soak.words import bounds_in_words

if TYPE_CHECKING:
    from collections.abc import Callable

    from soak.studies.profile.culprits import Culprit
    from soak.studies.profile.frames import Frame, Stack
    from soak.studies.profile.judged import Growth
    from soak.studies.profile.result import ProfileResult

SHOWN_CALLS = 14
"""Of a stack, from the site outwards: what is further out starts threads and loops."""
HEADLINES = {
    Label.CLIMBING: "The heap in use climbs",
    Label.PLATEAU: "The heap in use is flat",
    Label.INCONCLUSIVE: "Whether the heap in use climbs is not decided",
}


def headline(result: ProfileResult) -> str:
    """Return what the heap does, and who is to blame, in a line."""
    heap = HEADLINES[result.heap.label]
    if not result.culprits:
        return f"{heap}; no stack stands out" if result.heap.label is Label.CLIMBING else f"{heap}"
    worst = result.culprits[0]
    if result.heap.label is Label.CLIMBING:
        return f"{worst.site.short} keeps {slope(worst.growth)}"
    return f"{heap}; what still grows most is {worst.site.short}: {slope(worst.growth)}"


def sentence(result: ProfileResult) -> str:
    """Return how much grew over what, and what share the climbing stacks explain."""
    if len(result.t_s) < 2:
        return "Too few quiet windows have a profile."
    connections = result.connections[-1] - result.connections[0]
    grew = (
        f"Heap in use: {format_bytes(heap_gained_bytes(result), signed=True)} over "
        f"{format_count(connections)} connections, in {len(result.t_s)} quiet windows, "
        f"under {result.profiler}."
    )
    if not result.culprits:
        return grew
    share = format_percent(sum(each.share for each in result.culprits))
    count = len(result.culprits)
    climb = "1 stack climbs" if count == 1 else f"{count} stacks climb"
    return f"{grew} {climb}: {share} of the growth."


def slope(growth: Growth) -> str:
    """Return a growth as ``64.0 KiB per connection``; by the hour where connections were not counted."""
    if growth.per_connection is not None and is_known(growth.per_connection.estimate):
        return f"{format_bytes(growth.per_connection.estimate)} per connection"
    if is_known(growth.per_hour.estimate):
        return f"{format_bytes(growth.per_hour.estimate)} per hour"
    return "an unknown amount"


def bounds(growth: Growth) -> str:
    """Return the bounds of what `slope` says; empty where there are none."""
    by_connection = growth.per_connection is not None and is_known(growth.per_connection.estimate)
    estimate = growth.per_connection if by_connection else growth.per_hour
    if estimate is None or not is_known(estimate.low):
        return ""
    return bounds_in_words(estimate.low, estimate.high, CONFIDENCE)


def stack_lines(culprit: Culprit, *, in_short: bool = False) -> list[str]:
    """Return a stack from its innermost call outwards, the site marked by an arrow.

    `in_short` leaves out folders, parameters, and what libraries call further out, for a narrow place.
    """
    stack, site = culprit.stack, site_index(culprit.stack)
    told = (lambda frame: frame.short) if in_short else call
    outer = [frame for frame in stack[site:] if not (in_short and is_standard(frame))][:SHOWN_CALLS]
    lines = [f"  {line}" for line in _shortened(stack[:site], told)]
    lines += [f"{'→' if place == 0 else ' '} {told(frame)}" for place, frame in enumerate(outer)]
    left = len(stack) - site - len(outer)
    return [*lines, f"  … {left} more"] if left else lines


def call(frame: Frame) -> str:
    """Return a call as ``function  file:line``, with what the compiler did to it."""
    place = f"  {frame.where}" if frame.where and not frame.function.startswith(frame.where) else ""
    return f"{frame.function}{place}{' (inlined)' if frame.inlined else ''}"


def issue_text(result: ProfileResult) -> str:
    """Return what is pasted into an issue: verdict, slope, stack, how to see it again. Markdown."""
    lines = [f"**{for_markdown(headline(result))}**", "", for_markdown(sentence(result))]
    if result.culprits:
        worst = result.culprits[0]
        within = bounds(worst.growth)
        lines += [
            "",
            f"- verdict: {worst.growth.label}",
            f"- slope: {slope(worst.growth)}{f' ({within})' if within else ''}, "
            f"{format_percent(worst.share)} of all growth",
            f"- site: `{for_markdown_code(call(worst.site))}`",
        ]
        holder = result.holder(worst)
        if holder is not None:
            lines.append(f"- kept by: {one_line(holder.in_words())}")
        lines += ["", "```", *map(for_markdown_block, stack_lines(worst)), "```"]
    lines += [f"- {for_markdown(note)}" for note in result.notes]
    lines += ["", "To see it again:", "", "```", for_markdown_block(result.command), "```"]
    return "\n".join(lines) + "\n"


def _shortened(inner: Stack, told: Callable[[Frame], str]) -> list[str]:
    """Return the library calls at the inner end in a line or two: they are not what is looked for."""
    if len(inner) <= 2:
        return [told(frame) for frame in inner]
    return [told(inner[0]), f"… {len(inner) - 1} more calls of libraries"]
