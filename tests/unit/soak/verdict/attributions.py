"""An attribution of growth in which only what is under test is said."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from soak.verdict.attribution import Attribution

MIB = 2.0**20


def attributed(**said: Any) -> Attribution:
    """Return the attribution of 37 MiB of growth over twenty minutes, with what is `said` of it."""
    whole = Attribution(
        from_s=0.0,
        to_s=1199.0,
        start_rss_bytes=500 * MIB,
        end_rss_bytes=537 * MIB,
        classes=(),
        inside=None,
        probes=(),
        arena_holds=(),
        established_at_rest=None,
        close_wait_at_rest=None,
        culprits=(),
        accounted_share=None,
        sum_over_rss=1.0,
    )
    return replace(whole, **said)
