"""The server under test: one that soak starts, or one that is already running.

A `Target` is described before a run and brought up when it begins; what it is then asked for is what it can
do (`Capability`), not what kind it is.
"""

from soak.capabilities import Capability, capabilities_of
from soak.targets.asked import target_asked
from soak.targets.attached import AttachedServer, Attachment
from soak.targets.bundled import Bundled, BundledServer
from soak.targets.command import Command, CommandServer
from soak.targets.server import ServerExit, Target, TargetServer

__all__ = [
    "AttachedServer",
    "Attachment",
    "Bundled",
    "BundledServer",
    "Capability",
    "Command",
    "CommandServer",
    "ServerExit",
    "Target",
    "TargetServer",
    "capabilities_of",
    "target_asked",
]
