"""The server under test: one that soak starts, or one that is already running."""

from soak.target.attached import AttachedServer
from soak.target.bundled import BundledServer
from soak.target.server import ServerExit, TargetServer

__all__ = ["AttachedServer", "BundledServer", "ServerExit", "TargetServer"]
