"""The colours of every picture, chosen to stay apart for colour-blind readers, on paper and on dark screens.

The hues follow Okabe and Ito ("Color Universal Design", 2008), darkened for contrast on white. Pictures are
made in `LIGHT`; the HTML report swaps each light colour for the `DARK` one of the same name, so every value
in `LIGHT` must be unique.
"""

from __future__ import annotations

from typing import Final

LIGHT: Final[dict[str, str]] = {
    "ink": "#1b1f24",
    "muted": "#5b6470",
    "paper": "#ffffff",
    "grid": "#e4e8ed",
    "axis": "#b8c0ca",
    "rss": "#1f6fb4",
    "floor": "#123a5c",
    "trend": "#c8501e",
    "trend_band": "rgba(200,80,30,0.18)",
    "budget": "#3d4550",
    "plateau": "#00785a",
    "rest": "rgba(96,110,130,0.13)",
    "warm_up": "#7a4fa3",
    "mark": "#a3195b",
    "open": "#4a94cf",
    "open_fill": "rgba(74,148,207,0.30)",
    "completed": "#8a6100",
    "failed": "#b3261e",
    "anon": "#2a7ab9",
    "file": "#e0a33a",
    "shmem": "#8f73b8",
    "swap": "#c9573a",
    "in_use": "#1d6a9c",
    "free": "#a9c9e0",
    "p50": "#2f80bf",
    "p95": "#d08a1d",
    "resource": "#46688a",
    "class_heap": "#0f6ea8",
    "class_arenas": "#d5641c",
    "class_stacks": "#7d5ba6",
    "class_anonymous": "#149a7a",
    "class_libraries": "#9aa5b1",
    "class_files": "#c0a16b",
    "class_shared": "#c2477f",
    "class_deleted": "#8c1d18",
    "class_other": "#cfd5dc",
}

DARK: Final[dict[str, str]] = {
    "ink": "#e8ebef",
    "muted": "#a3adb9",
    "paper": "#161b22",
    "grid": "#2a313b",
    "axis": "#4a5462",
    "rss": "#6cb4ee",
    "floor": "#d5eaff",
    "trend": "#ff9a66",
    "trend_band": "rgba(255,154,102,0.24)",
    "budget": "#c3ccd6",
    "plateau": "#4fd1a5",
    "rest": "rgba(170,185,205,0.13)",
    "warm_up": "#c9a5f0",
    "mark": "#ff7eb6",
    "open": "#5aa5e0",
    "open_fill": "rgba(90,165,224,0.32)",
    "completed": "#e8bf5c",
    "failed": "#ff8a80",
    "anon": "#5ea9e2",
    "file": "#edbb62",
    "shmem": "#b59bde",
    "swap": "#f0886b",
    "in_use": "#63b0e6",
    "free": "#35536b",
    "p50": "#6bb1eb",
    "p95": "#f0b454",
    "resource": "#93b3d3",
    "class_heap": "#57ade3",
    "class_arenas": "#f29455",
    "class_stacks": "#b394db",
    "class_anonymous": "#4cc9a8",
    "class_libraries": "#76828f",
    "class_files": "#dabf8d",
    "class_shared": "#ef7fb2",
    "class_deleted": "#f07a74",
    "class_other": "#525c68",
}

SERIES: Final = ("rss", "trend", "plateau", "warm_up", "completed", "mark")
"""Names of the colours of runs drawn together, in order."""

VERDICT: Final[dict[str, str]] = {
    "plateau": "#00785a",
    "climbing": "#b3261e",
    "inconclusive": "#8a6100",
    "failed": "#b3261e",
}
"""The colour of each verdict on white; words and a sign always go with it."""
