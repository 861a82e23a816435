"""Runs of one thing against another, figure by figure: better, worse, or no difference shown."""

DEFAULT_TOLERANCE = 0.03
"""Share of the baseline's memory by which a change may raise it."""
