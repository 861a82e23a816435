"""Did the kernel's out-of-memory killer strike?"""

from pathlib import Path

VMSTAT = Path("/proc/vmstat")


def oom_kill_count(vmstat: Path = VMSTAT) -> int | None:
    """Return how many processes the kernel has killed for want of memory since boot.

    The `oom_kill` line of `/proc/vmstat` (Linux 4.13 and newer) counts global and cgroup kills alike;
    None where it cannot be read.
    """
    try:
        lines = vmstat.read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) for line in lines if line.startswith("oom_kill ")), None)


class OomWatch:
    """Tells whether the out-of-memory killer struck since this watch began."""

    def __init__(self, vmstat: Path = VMSTAT) -> None:
        """Remember the present count."""
        self._vmstat = vmstat
        self._before = oom_kill_count(vmstat)

    def struck(self) -> bool:
        """Return whether the count has risen; False where the kernel does not tell."""
        now = oom_kill_count(self._vmstat)
        return self._before is not None and now is not None and now > self._before
