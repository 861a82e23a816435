"""Memory over time as a Mermaid chart, the form in which GitHub and GitLab draw a picture inside Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from soak.report.model.pictures.charts import MIB

if TYPE_CHECKING:
    from soak.report.model.pictures.memory import MemoryPicture

POINTS = 40
"""Of the picture: a chart of Mermaid has no room for more."""


def render_mermaid(memory: MemoryPicture | None) -> str:
    """Return RSS over the run; empty for a run of fewer than two readings.

    Job summaries show neither attached files nor data addresses, but they draw Mermaid.
    """
    if memory is None:
        return ""
    known = np.isfinite(memory.rss.values)
    if known.sum() < 2:
        return ""
    minutes, rss_mib = memory.rss.t_s[known] / 60.0, memory.rss.values[known] / MIB
    at = np.linspace(minutes[0], minutes[-1], min(POINTS, len(minutes)))
    values = np.interp(at, minutes, rss_mib)
    low, high = float(values.min()), float(values.max())
    margin = max(0.1 * (high - low), 1.0)
    return "\n".join(
        (
            "```mermaid",
            "xychart-beta",
            '    title "RSS over the run"',
            f'    x-axis "minutes" {at[0]:.1f} --> {at[-1]:.1f}',
            f'    y-axis "MiB" {max(low - margin, 0.0):.0f} --> {high + margin:.0f}',
            f"    line [{', '.join(f'{value:.1f}' for value in values)}]",
            "```",
        )
    )
