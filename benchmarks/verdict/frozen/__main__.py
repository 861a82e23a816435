"""Print what the frozen test set holds, and its fingerprints."""

from __future__ import annotations

from collections import Counter

import numpy as np

from benchmarks.verdict.frozen import PARTS, sha256_of

FIRST = 20
"""Traces whose fingerprint is quick to check."""


def main() -> None:
    """Make every part and print the counts by family, and the SHA-256 of all and of the first traces."""
    print(f"numpy {np.__version__}")
    for part, make in PARTS.items():
        traces = make()
        leaking = sum(trace.leaking for trace in traces)
        print(f"\n{part}: {len(traces)} traces, {leaking} leaking")
        counts = Counter((trace.leaking, trace.family) for trace in traces)
        for (leaks, family), count in sorted(counts.items()):
            print(f"  {'leaking' if leaks else 'healthy'}  {count:3d}  {family}")
        print(f"  sha256 of all        {sha256_of(traces)}")
        print(f"  sha256 of the first {FIRST}  {sha256_of(traces[:FIRST])}")


if __name__ == "__main__":
    main()
