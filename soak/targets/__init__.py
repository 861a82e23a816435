"""The server under test: one that soak starts, or one that is already running."""

from soak.targets.attached import AttachedServer
from soak.targets.bundled import BundledServer
from soak.targets.server import ServerExit, TargetServer

__all__ = ["AttachedServer", "BundledServer", "ServerExit", "TargetServer"]
