"""Conducting a run: the server, the load and the sampling side by side, from start to verdict."""

from soak.run.conductor import Conductor, Ending, EndReason
from soak.run.view import LiveView, PlainView, View, view_for

__all__ = ["Conductor", "EndReason", "Ending", "LiveView", "PlainView", "View", "view_for"]
