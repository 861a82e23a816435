"""What the judge's posterior is learned from, and how: a simulated world, and training on it."""
