"""What a report draws, as data: a renderer draws it and computes nothing of its own."""
