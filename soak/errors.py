"""What a verb can end with: the exit codes, and the error that carries one."""

from enum import IntEnum


class ExitCode(IntEnum):
    """How a verb that judges ends; outside programs rely on these numbers."""

    PLATEAU = 0
    CLIMBING = 1
    USAGE = 2
    INCONCLUSIVE = 3
    TARGET_FAILED = 4
    SOAK_FAILED = 70
    """soak itself broke down (EX_SOFTWARE of sysexits.h): nothing is said about the server."""
    INTERRUPTED = 130


class SoakError(Exception):
    """A fault the user can do something about.

    The message is one line that says what is wrong, where, and what to do; it is printed without a
    traceback, and the process ends with `exit_code`.
    """

    def __init__(self, message: str, *, exit_code: ExitCode = ExitCode.USAGE) -> None:
        """Keep the one-line `message` and the code the process is to end with."""
        super().__init__(message)
        self.exit_code = exit_code


class TargetError(SoakError):
    """The server under test could not be started, reached, or stayed dead."""

    def __init__(self, message: str) -> None:
        """Keep the one-line `message`; the process ends with `ExitCode.TARGET_FAILED`."""
        super().__init__(message, exit_code=ExitCode.TARGET_FAILED)


def in_one_line(error: BaseException) -> str:
    """Return kind and message of any exception on one line."""
    said = " ".join(str(error).split())
    return f"{type(error).__name__}: {said}" if said else type(error).__name__
