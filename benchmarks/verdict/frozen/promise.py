"""When a leak may be called one: large enough for its run, and larger than what comes and goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from benchmarks.verdict.frozen.dice import Floats

BUDGET_SHARE = 0.0025
"""The default budget: growth over a run, as a share of the level."""
LEAST_BUDGETS = 4.0
LEAST_NOISES = 2.5
"""Standard deviations of what is not trend."""
LEAST_MARKS = 2.0
"""Times what readings are rounded to: a single mark may be anything."""
LEAST_IN_LAST_THIRD, LARGEST_STEP = 0.12, 0.3
"""Shares of a leak: what it adds in the last third of the run at least, and in one step at most."""


def budget_bytes(values: Floats, level_bytes: float) -> float:
    """Return the budget of a run: of the level with the leak or without, the larger one."""
    return BUDGET_SHARE * max(float(np.nanmedian(values)), level_bytes)


def kept_promise(gain_bytes: float, noise_bytes: float, budget: float, resolution: float = 0.0) -> bool:
    """Say whether what a leak adds makes it one; anything less is drawn again, never called healthy."""
    least = max(LEAST_BUDGETS * budget, LEAST_NOISES * noise_bytes, LEAST_MARKS * resolution)
    return gain_bytes >= least


def goes_on(leaked: Floats) -> bool:
    """Say whether a leak is more than a few steps, and has not ended before the recording does."""
    gain = float(leaked[-1] - leaked[0])
    last_third = float(leaked[-1] - leaked[int(leaked.size * 2 / 3)])
    return last_third >= LEAST_IN_LAST_THIRD * gain and float(np.diff(leaked).max()) <= LARGEST_STEP * gain
