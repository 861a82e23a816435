"""What a server under test can do, and what may be done to it: asked instead of what kind of target it is."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


class Capability(StrEnum):
    """One thing that is true of a target; the values stand in the manifest under `target.capabilities`."""

    PROCESS = "process"
    """It is a process on this host: its memory can be read from `/proc`."""
    DEBUG_PAGES = "debug_pages"
    """It has pages for looking inside, like the bundled server's `/debug`."""
    PROBED = "may_be_probed"
    """It may be asked to give memory back without the user having said so."""
    RESTARTED = "may_be_restarted"
    """soak can start it anew with the same settings."""
    PRELOADED = "may_be_preloaded"
    """soak decides on its environment, another malloc included."""
    STOPPED = "may_be_stopped"
    """soak ends it when the run is over."""
    REFERENCE = "reference_server"
    """It is the bundled server: the configuration's section `server` says how it was started."""


Capabilities = frozenset[Capability]

ATTACHED: Capabilities = frozenset({Capability.PROCESS})
"""Somebody else's server, found by its process id: it is looked at, and left alone."""
STARTED: Capabilities = ATTACHED | {Capability.RESTARTED, Capability.PRELOADED, Capability.STOPPED}
"""A server that soak has started, whatever it is."""
BUNDLED: Capabilities = STARTED | {Capability.REFERENCE}
PAGES: Capabilities = frozenset({Capability.DEBUG_PAGES, Capability.PROBED})
"""What the bundled server has besides when it serves its pages."""

_OF_KIND = {"attached": ATTACHED, "command": STARTED, "bundled": BUNDLED | PAGES}


def capabilities_of(target: Mapping[str, Any]) -> Capabilities:
    """Return what a recorded `target` of a manifest could do.

    Recordings that do not say it are known by their `kind`; what a newer soak says and this one does not know
    is passed over. Of nothing, nothing is known.
    """
    recorded = target.get("capabilities")
    if not isinstance(recorded, list):
        return _OF_KIND.get(str(target.get("kind")), frozenset())
    known = set(Capability)
    return frozenset(Capability(each) for each in recorded if each in known)
