"""A pytest plugin: tests that soak a server, and fail when it leaks."""
