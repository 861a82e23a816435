"""Runs that answer a question: check, compare, history, configurations, experiment, limit, self-test.

What makes runs is `conduct`: a study says which run comes next and what it keeps of it.
"""
