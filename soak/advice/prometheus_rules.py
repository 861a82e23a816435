"""Alerts for Prometheus, with thresholds from a run: for this server's own metrics and for cAdvisor's."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import yaml

from soak.quantity import format_bytes

if TYPE_CHECKING:
    from soak.verdict.run_verdict import RunVerdict

LIMIT_SHARE = 0.9
"""Of the memory limit: beyond, somebody should look."""
SHORTEST_WINDOW_H = 1
LONGEST_WINDOW_H = 24
SERVER = {"memory": "asr_resident_memory_bytes", "up": 'up{job="asr"}'}
CONTAINER = 'container="asr"'


def prometheus_rules(verdict: RunVerdict) -> str:
    """Return a rules file (YAML); raises `ValueError` when the run gives no memory limit to compare with.

    The trend is judged over a window of 1 to 24 hours, as long as the growth that the run accepted takes to
    stand out from what the run could just detect.
    """
    limits = verdict.advice["memory_limit_bytes"]
    if not limits:
        raise ValueError("the run has no memory readings: there is nothing to warn of")
    limit = verdict.advice["limit_bytes"] or limits[-1]
    budget = _budget(verdict)
    window_h = _window_h(verdict)
    groups = [
        {
            "name": "asr-server",
            "rules": [
                *_memory_rules(
                    "Asr", SERVER["memory"], f"{limit:d}", budget=budget, limit=limit, window_h=window_h
                ),
                _rule(
                    "AsrSessionsLeft",
                    "asr_sessions_alive - asr_connections_open > 50",
                    "15m",
                    "warning",
                    "Sessions outlive their connections",
                    "{{ $value }} sessions more than connections for 15 minutes: they are not freed.",
                ),
                _rule(
                    "AsrDown", f"{SERVER['up']} == 0", "2m", "critical", "The speech server does not answer",
                    "Prometheus has not reached {{ $labels.instance }} for two minutes.",
                ),
            ],
        },
        {
            "name": "asr-container",
            "rules": [
                *_memory_rules(
                    "AsrContainer",
                    f"container_memory_working_set_bytes{{{CONTAINER}}}",
                    f"(container_spec_memory_limit_bytes{{{CONTAINER}}} > 0)",
                    budget=budget,
                    limit=limit,
                    window_h=window_h,
                ),
                _rule(
                    "AsrContainerOomKilled",
                    f"increase(container_oom_events_total{{{CONTAINER}}}[10m]) > 0",
                    "0m",
                    "critical",
                    "The kernel killed the speech server for want of memory",
                    "Raise the limit or find the leak.",
                ),
            ],
        },
    ]  # fmt: skip
    return yaml.safe_dump({"groups": groups}, sort_keys=False, allow_unicode=True, width=110)


def _memory_rules(
    prefix: str, memory: str, limit_expression: str, *, budget: float, limit: int, window_h: int
) -> list[dict[str, Any]]:
    growth = f"deriv({memory}[{window_h}h]) * 3600"
    return [
        _rule(
            f"{prefix}MemoryNearLimit",
            f"{memory} > {LIMIT_SHARE} * {limit_expression}",
            "5m",
            "critical",
            "The speech server is near its memory limit",
            f"{{{{ $value | humanize1024 }}}}B; the advised limit is {format_bytes(limit)}.",
        ),
        _rule(
            f"{prefix}MemoryClimbing",
            f"{growth} > {budget:.0f}",
            f"{window_h}h",
            "warning",
            "The speech server's memory keeps climbing",
            f"{{{{ $value | humanize1024 }}}}B per hour over {window_h} h, for as long again; the run that "
            f"this comes from accepts {format_bytes(budget)} per hour.",
        ),
        _rule(
            f"{prefix}MemoryReachesLimit",
            f"predict_linear({memory}[{window_h}h], 86400) > {limit_expression} and {growth} > {budget:.0f}",
            f"{window_h}h",
            "warning",
            "The speech server's memory reaches its limit within a day",
            "At the present rate; restart it before then, and find the leak.",
        ),
    ]


def _rule(
    name: str, expression: str, lasting: str, severity: str, summary: str, description: str
) -> dict[str, Any]:
    return {
        "alert": name,
        "expr": expression,
        "for": lasting,
        "labels": {"severity": severity},
        "annotations": {"summary": summary, "description": description},
    }


def _budget(verdict: RunVerdict) -> float:
    """Return the growth per hour to warn of: what the run accepted, but never less than it could see."""
    known = (verdict.memory.budget_per_hour, verdict.memory.minimum_detectable_per_hour)
    return max((value for value in known if math.isfinite(value) and value > 0), default=2.0**20)


def _window_h(verdict: RunVerdict) -> int:
    """Return hours over which the growth to warn of is as much as the level wobbles, 0.25 % of it."""
    hours = 0.0025 * verdict.memory.peak / _budget(verdict)
    return min(LONGEST_WINDOW_H, max(SHORTEST_WINDOW_H, math.ceil(hours)))
