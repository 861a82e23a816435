"""What `.ci/nightly` asks of hypothesis; and what tests start hears Ctrl-C, in the background, too."""

import signal

from hypothesis import settings

# no example has a time limit: how long one takes is the machine's affair
settings.register_profile("nightly", max_examples=1000, deadline=None)
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


def pytest_configure() -> None:
    """Undo that SIGINT is ignored, which a shell does to what it starts with `&`, and which is inherited."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
