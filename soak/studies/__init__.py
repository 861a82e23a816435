"""Several runs that answer one question: check, compare, history, experiment, limit, self-test."""
