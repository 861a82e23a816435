"""From a series to the points that are judged: lives of the process, and the floors of each."""
