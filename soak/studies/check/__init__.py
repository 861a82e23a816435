"""A soak as a check for continuous integration: limits, a baseline, and what CI systems read."""
