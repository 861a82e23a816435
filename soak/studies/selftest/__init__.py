"""The self-test: known leaks put into the bundled server, and whether soak finds, measures and names them."""
