"""What one connection does, from its handshake to its end: one module for each scenario.

Another package adds one by an entry point of the group `soak.scenarios` (see docs/extending.md).
"""

from soak.load.scenarios.pace import PACES, Pace
from soak.load.scenarios.registry import SCENARIOS
from soak.load.scenarios.scenario import Answer, Connection, Scenario

__all__ = ["PACES", "SCENARIOS", "Answer", "Connection", "Pace", "Scenario"]
