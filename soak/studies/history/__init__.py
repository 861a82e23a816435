"""A figure over many runs, and where it stepped."""
