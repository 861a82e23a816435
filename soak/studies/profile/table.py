"""A profile on a terminal of 80 columns: the worst stacks, and where the worst of all comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from soak.quantity import format_percent
from soak.report.plain_table import plain_table
from soak.studies.profile.frames import is_standard
from soak.studies.profile.judged import CONFIDENCE
from soak.studies.profile.page import PAGE_NAME
from soak.studies.profile.words import bounds, headline, sentence, slope, stack_lines
from soak.verdict.verdict import Label
from soak.words import percent

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console, RenderableType
    from rich.table import Table

    from soak.studies.profile.culprits import Culprit
    from soak.studies.profile.result import ProfileResult

WORST = 5
SIGNS = {
    Label.CLIMBING: ("✕", "bold red"),
    Label.PLATEAU: ("✓", "green"),
    Label.INCONCLUSIVE: ("?", "yellow"),
}


def tell_profile(result: ProfileResult, folder: Path, console: Console) -> None:
    """Print a profile, and where its page is."""
    console.print()
    console.print(profile_in_the_terminal(result), highlight=False)
    console.print()
    console.print(f"Flame graph: {folder / PAGE_NAME}", soft_wrap=True, highlight=False, markup=False)


def profile_in_the_terminal(result: ProfileResult) -> RenderableType:
    """Return headline, table, the worst stack and the notes."""
    sign, style = SIGNS[result.heap.label]
    parts: list[RenderableType] = [Text(f"{sign} {headline(result)}", style=style), Text(sentence(result))]
    if result.found:
        parts += [Text(), worst_stacks(result)]
    if result.culprits:
        parts += [Text(), Text("Where the first comes from, innermost call first:", style="dim")]
        parts += [Text(line, overflow="fold") for line in stack_lines(result.culprits[0], in_short=True)]
        holder = result.holder(result.culprits[0])
        if holder is not None:
            parts.append(Text(f"Kept by {holder.in_words()}."))
    parts += [Text(f"! {note}", style="yellow") for note in result.notes]
    return Group(*parts)


def worst_stacks(result: ProfileResult) -> Table:
    """Return the five that climb most; those that are flat only where none climbs."""
    table = plain_table()
    table.add_column("", no_wrap=True)
    table.add_column(f"growth (bounds {percent(CONFIDENCE)})", no_wrap=True)
    table.add_column("share", no_wrap=True, justify="right")
    table.add_column("site, and who called it", overflow="fold")
    for each in (result.culprits or result.found)[:WORST]:
        sign, style = SIGNS[each.growth.label]
        within = bounds(each.growth)
        growth = _short_slope(each) + (f"\n({within.partition(',')[0]})" if within else "")
        table.add_row(Text(sign, style=style), Text(growth), format_percent(each.share), Text(_place(each)))
    return table


def _short_slope(culprit: Culprit) -> str:
    return slope(culprit.growth).replace(" per connection", "/connection").replace(" per hour", "/h")


def _place(culprit: Culprit) -> str:
    caller = next((frame for frame in culprit.callers if not is_standard(frame)), None)
    return culprit.site.short if caller is None else f"{culprit.site.short}\n← {caller.short}"
