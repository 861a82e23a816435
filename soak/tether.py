"""Start a command that dies with the harness: `python -m soak.tether PARENT_PID CGROUP COMMAND…`.

CGROUP is the `cgroup.procs` of a cgroup that the command is to run in, or `-`.

A harness ended by SIGKILL cannot clean up after itself, so the kernel does it: the parent-death signal
(`PR_SET_PDEATHSIG`, prctl(2)) is set here and outlives the `exec` of the command. Doing it in a process of
its own spares the harness a `preexec_fn`, which is unsafe once it has threads.
"""

import ctypes
import os
import signal
import sys
from pathlib import Path

PR_SET_PDEATHSIG = 1
NO_CGROUP = "-"


def main(arguments: list[str]) -> int:
    """Tie this process to its parent and become the command; returns only when that fails."""
    parent_pid, cgroup, command = int(arguments[0]), arguments[1], arguments[2:]
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        print(f"prctl: {os.strerror(ctypes.get_errno())}", file=sys.stderr)  # noqa: T201 - before any log
        return 127
    if os.getppid() != parent_pid:  # it died before the request was in force
        return 127
    try:
        if cgroup != NO_CGROUP:
            Path(cgroup).write_text(str(os.getpid()), encoding="ascii")
        os.execvp(command[0], command)  # noqa: S606 - this is what it is for
    except OSError as error:
        print(f"cannot start {command[0]}: {error.strerror}", file=sys.stderr)  # noqa: T201
    return 127


def tied_to_this_process(command: list[str], cgroup: Path | None = None) -> list[str]:
    """Return the command line that starts `command` and lets it die with the calling process.

    It runs in the cgroup with the folder `cgroup`, from its first page on.
    """
    procs = NO_CGROUP if cgroup is None else str(cgroup / "cgroup.procs")
    return [sys.executable, "-m", "soak.tether", str(os.getpid()), procs, *command]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
