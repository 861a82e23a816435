"""Runs of one thing against another, figure by figure: better, worse, or no difference shown."""
