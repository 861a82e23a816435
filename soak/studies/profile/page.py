"""`profile.html`: the growth as a flame graph, offline, interactive, to be searched."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import plotly.graph_objects as go

from soak.private_file import replace_text
from soak.quantity import format_bytes, format_percent
from soak.report.page import charts_json, page, template
from soak.report.palette import LIGHT
from soak.report.plotly_charts import Drawn
from soak.studies.profile.culprits import gained
from soak.studies.profile.frames import own_part
from soak.studies.profile.words import bounds, call, headline, issue_text, sentence, slope, stack_lines

if TYPE_CHECKING:
    from pathlib import Path

    from soak.studies.profile.frames import Frame
    from soak.studies.profile.heap_course import HeapCourse
    from soak.studies.profile.result import ProfileResult

PAGE_NAME = "profile.html"
LEAST_SHARE = 0.001
"""Of all growth; narrower flames cannot be seen."""
DEEPEST = 40
ROW_PX, MARGIN_PX = 24, 30
SHOWN_STACKS = 5
ON_FLAMES = "#222222"
"""Of the text on flames, which are light on dark screens, too."""
ROOT_LABEL = "all that grew"


@dataclass
class Flame:
    """One call of the graph, with everything it called."""

    gained_bytes: float = 0.0
    calls: dict[Frame, Flame] = field(default_factory=dict)

    def depth(self) -> int:
        """Return how many calls lie above each other, itself included."""
        return 1 + max((each.depth() for each in self.calls.values()), default=0)


def write_page(result: ProfileResult, course: HeapCourse, path: Path) -> None:
    """Write the page; OSError when `path` cannot be written."""
    replace_text(path, render_page(result, course))


def render_page(result: ProfileResult, course: HeapCourse) -> str:
    """Return the page as one HTML document without any reference to another file."""
    tree = flames(course)
    chart = flame_graph(tree) if tree.gained_bytes > 0 else None
    shown = (result.culprits or result.found)[:SHOWN_STACKS]
    return template("profile.html.j2").render(
        page=page(f"{headline(result)} – {result.run}"),
        result=result,
        tone=str(result.heap.label),
        headline=headline(result),
        sentence=sentence(result),
        chart=chart,
        charts_json=charts_json([] if chart is None else [chart]),
        stacks=[
            {
                "label": str(each.growth.label),
                "site": call(each.site),
                "slope": slope(each.growth),
                "bounds": bounds(each.growth),
                "share": format_percent(each.share),
                "kept_by": None if (holder := result.holder(each)) is None else holder.in_words(),
                "lines": "\n".join(stack_lines(each)),
            }
            for each in shown
        ],
        issue=issue_text(result),
    )


def flames(course: HeapCourse) -> Flame:
    """Return the growth of all stacks that grew as a tree from the outermost call inwards.

    Calls of the standard libraries are left out; flames narrower than `LEAST_SHARE` are, too.
    """
    root = Flame()
    for stack, in_use in course.bytes_by_stack.items():
        grew = gained(in_use)
        if grew <= 0:
            continue
        root.gained_bytes += grew
        place = root
        for frame in reversed(own_part(stack)[:DEEPEST]):
            place = place.calls.setdefault(frame, Flame())
            place.gained_bytes += grew
    _prune(root, LEAST_SHARE * root.gained_bytes)
    return root


def flame_graph(tree: Flame) -> Drawn:
    """Draw a tree of growth, the outermost call at the bottom."""
    labels, parents, values, texts = [ROOT_LABEL], [""], [tree.gained_bytes], [""]
    ids = ["0"]
    waiting = [("0", tree)]
    while waiting:
        parent, flame = waiting.pop()
        for frame, inner in flame.calls.items():
            own = str(len(ids))
            ids.append(own)
            labels.append(frame.short)
            parents.append(parent)
            values.append(inner.gained_bytes)
            texts.append(f"{call(frame)}")
            waiting.append((own, inner))
    figure = go.Figure(
        go.Icicle(
            ids=ids,
            labels=labels,
            parents=parents,
            values=values,
            customdata=[
                [text, format_bytes(value, signed=True), format_percent(value / tree.gained_bytes)]
                for text, value in zip(texts, values, strict=True)
            ],
            branchvalues="total",
            sort=False,
            tiling={"orientation": "v", "flip": "y", "pad": 1},
            textposition="middle left",
            textfont={"color": ON_FLAMES},
            hovertemplate="%{customdata[0]}<br>%{customdata[1]} (%{customdata[2]})<extra></extra>",
            marker={
                "colors": [LIGHT["file"]] * len(ids),
                "line": {"width": 0.5, "color": LIGHT["paper"]},
            },
            leaf={"opacity": 1},
            pathbar={"visible": True, "side": "bottom"},
        ),
        layout={
            "height": MARGIN_PX * 2 + ROW_PX * max(tree.depth(), 6),
            "margin": {"l": 0, "r": 0, "t": 4, "b": MARGIN_PX},
            "paper_bgcolor": LIGHT["paper"],
            "font": {"size": 12, "color": LIGHT["ink"]},
            "xaxis": {"visible": False},
            "legend": {"orientation": "h"},
        },
    )
    caption = (
        "Width: bytes in use at the last quiet window less those at the first. The outermost call is at the "
        "bottom, calls of the standard libraries are left out. Click a call to enlarge it."
    )
    return Drawn("growth", "What grew", caption, figure)


def _prune(flame: Flame, least_bytes: float) -> None:
    flame.calls = {frame: inner for frame, inner in flame.calls.items() if inner.gained_bytes >= least_bytes}
    for inner in flame.calls.values():
        _prune(inner, least_bytes)
