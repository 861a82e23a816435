"""What the tests start hears Ctrl-C, also where the tests themselves were started in the background."""

import signal


def pytest_configure() -> None:
    """Undo that SIGINT is ignored, which a shell does to what it starts with `&`, and which is inherited."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
