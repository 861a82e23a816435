"""What the memory of a server is the sum of, and how a new kind of it is added.

A process is a function from a scene to a `Part`: memory at each reading, in shares of the server's level.
To add one that you have seen, write it in a module beside this one, with its ranges in physical units
(connections, seconds, shares of the level) and where it was seen, and register it:

    @healthy(weight=0.5)
    def tls_tickets(scene: Scene) -> Part:
        \"\"\"A table of session tickets doubles while clients are new (seen: …).\"\"\"
        x = scene.work() / scene.draw.log_between(100, 1e5)
        return Part(scene.draw.log_between(1e-3, 0.1) * np.minimum(2 ** np.floor(np.log2(1 + x)), 64) / 64)

Import the module in `world.py`, and train again: `python -m soak.learn`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from soak.learn.world.scene import Scene

    Floats = NDArray[np.float64]


class Axis(StrEnum):
    """What growth is proportional to."""

    TIME = "time"
    CONNECTIONS = "connections"


@dataclass(frozen=True, eq=False)
class Part:
    """What one process adds."""

    memory: Floats
    """At each reading, in shares of the level."""
    lasting: float = 0.0
    """Growth that goes on, at its pace to come, over a time as long as the trace; 0 for all that ends."""
    axis: Axis = Axis.TIME
    """What that growth follows."""


Process = Callable[["Scene"], Part]


@dataclass(frozen=True)
class Registered:
    """A process and how often it is taken, compared with others of its kind."""

    process: Process
    weight: float


HEALTHY: list[Registered] = []
"""Whatever ends or stays: a trace has none to four of them."""
LEAKS: list[Registered] = []
"""Growth that lasts, scaled to 1 over the trace; a leaking trace has one, sometimes two."""
NOISES: list[Registered] = []
"""What moves about a level, scaled to a standard deviation near 1."""


def healthy(weight: float = 1.0) -> Callable[[Process], Process]:
    """Register a process whose growth ends."""
    return _registering(HEALTHY, weight)


def leak(weight: float = 1.0) -> Callable[[Process], Process]:
    """Register a process whose growth lasts; its memory gains about 1 over the trace."""
    return _registering(LEAKS, weight)


def noise(weight: float = 1.0) -> Callable[[Process], Process]:
    """Register a process that comes back to where it was, with a standard deviation near 1."""
    return _registering(NOISES, weight)


def _registering(kind: list[Registered], weight: float) -> Callable[[Process], Process]:
    def register(process: Process) -> Process:
        kind.append(Registered(process, weight))
        return process

    return register
