"""A soak as a check for continuous integration: limits, baselines, comparison, and what CI systems read."""
