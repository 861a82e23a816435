"""Seeds for tests that are repeated: a few for every change, all of them every night."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from _pytest.mark import ParameterSet


def seeds(count: int, *, always: int = 1) -> list[int | ParameterSet]:
    """Give the seeds 0 to `count` - 1; from `always` on they are for `.ci/nightly`."""
    return [*range(always), *(nightly(seed) for seed in range(always, count))]


def nightly(*values: object) -> ParameterSet:
    """Give a case of `pytest.mark.parametrize` that only `.ci/nightly` runs."""
    return pytest.param(*values, marks=pytest.mark.nightly)
