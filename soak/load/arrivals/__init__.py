"""When connections arrive: one module for each process, pure; the clock's value is handed in.

Another package adds one by an entry point of the group `soak.arrivals`.
"""

from soak.load.arrivals.process import ArrivalProcess, Arrivals, Intensity
from soak.load.arrivals.registry import ARRIVALS

__all__ = ["ARRIVALS", "ArrivalProcess", "Arrivals", "Intensity"]
