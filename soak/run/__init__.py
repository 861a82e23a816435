"""Conducting a run: the server, the load and the sampling side by side, from start to verdict."""
