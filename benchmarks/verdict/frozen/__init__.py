"""A test set that no judge was shaped on: servers under load, whole machines, and heap in use."""

from __future__ import annotations

from benchmarks.verdict.frozen.dice import FROZEN_SEED
from benchmarks.verdict.frozen.digest import sha256_of
from benchmarks.verdict.frozen.heaps import frozen_heaps
from benchmarks.verdict.frozen.machines import frozen_machines
from benchmarks.verdict.frozen.synthetic import frozen_traces

__all__ = ["FROZEN_SEED", "PARTS", "frozen_heaps", "frozen_machines", "frozen_traces", "sha256_of"]

PARTS = {"synthetic": frozen_traces, "machines": frozen_machines, "heap": frozen_heaps}
"""What makes the traces of each part."""
