"""What columns of other people are called: which holds the time, which the memory, which the load."""

from __future__ import annotations

import re

_TIME = re.compile(
    r"(@?_?time ?stamp|datetime|date ?time|date|_?time|ts|t|epoch|elapsed( time)?|uptime|interval"
    r"|seconds?|secs?|minutes?|mins?|hours?|when|at|clock|x)"
    r"( (ns|us|ms|s|secs?|seconds?|mins?|minutes?|h|hours?|utc|unix))?"
)
_STEPS = re.compile(
    r"(iterations?|iters?|requests?|reqs?|cycles?|calls?|runs?|rounds?|epochs?|steps?|batch(es)?|points?|phases?|loops?|n|i|#"
    r"|index|jobs?|turns?|tests?|transcriptions?|utterances?|files?)( (no|number|count|id))?"
)
_NO_MEMORY = re.compile(
    r"peak|max|limit|high ?water|hwm|%|percent|pct|vsz|virt|vms|vmsize|shr\b|shared|swap|free|avail"
    r"|total|change|increment|delta|from start|diff|cpu|count|buff|cache(?!d? ?rss)|objects|threads|fds"
    r"|requests?$|users?|clients|connections"
)
_MEMORY = (
    r"(process |vm ?|rss |mem(ory)? )*(rss|resident( set)?( size)?( memory)?)|rss",
    r".*\b(rss|resident|vmrss)\b.*",
    r"res|real",
    r".*working ?set.*",
    r"mem(ory)? ?(usage|used|use|bytes|size)?( / limit)?",
    r".*\bmem(ory)?( ?usage)?\b.*",
    r"uss|pss",
    r"kbmemused|used|usage|ram.*|footprint|.*current",
    r".*heap.*",
)
"""From what says most of a process to what says least."""
_OPEN = re.compile(
    r"(open|active|current|concurrent)? ?(clients|connections|users?( count)?|sessions|sockets)( open)?"
)
_COMPLETED = re.compile(
    r"(connections|requests|calls) (completed|total|done)|total request count|completed|request count"
)
AGGREGATES = re.compile(r"avg|average|mean|sum|total|min|max", re.IGNORECASE)
"""Columns made of the others."""


def plain(name: str) -> str:
    """Return a name in lower case, its words apart, without a unit behind it: ``rss_kb`` is ``rss``."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z][a-z])", " ", name.strip().strip('"').lstrip("# "))
    words = re.sub(r"[\s_.:-]+", " ", words.lower()).strip()
    words = re.sub(r"\s*[(\[](?:in )?(?:[kmgt]?i?b(ytes)?|bytes|[kmg])[)\]]$", "", words)
    return re.sub(r"(?<=\w) (bytes|[kmgt]i?b|b)$", "", words) or words


def is_time(name: str) -> bool:
    """Whether a column of that name holds the time."""
    words = re.sub(r"[()\[\]]", " ", plain(name))
    return bool(_TIME.fullmatch(re.sub(r"\s+", " ", words).strip()))


def step_of(name: str) -> str | None:
    """Return what one step of a column is called, if its name is that of a count: ``cycles`` is ``cycle``."""
    found = _STEPS.fullmatch(plain(name))
    if found is None:
        return None
    word = found[1]
    return "reading" if word in {"n", "i", "#", "index", "point", "points"} else _singular(word)


def _singular(word: str) -> str:
    return word[:-2] if word.endswith("ches") else word.removesuffix("s")


def memory_rank(name: str) -> int | None:
    """Return how much a column of that name says of a process's memory, 0 the most; None for nothing."""
    words = plain(name)
    if not words or _NO_MEMORY.search(words):
        return None
    return next((at for at, pattern in enumerate(_MEMORY) if re.fullmatch(pattern, words)), None)


def is_open_connections(name: str) -> bool:
    """Whether a column of that name counts clients or connections that are open."""
    return bool(_OPEN.fullmatch(plain(name)))


def is_connections_completed(name: str) -> bool:
    """Whether a column of that name counts what is done."""
    return bool(_COMPLETED.fullmatch(plain(name)))
