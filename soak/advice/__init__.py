"""What follows from a verdict: memory limits, thread numbers, alerts."""
