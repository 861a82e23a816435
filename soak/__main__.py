"""`python -m soak` and the script `soak`: what can be done before anything is imported."""

import os
import signal


def main() -> None:
    """Run the command line; Ctrl-C while it is still being imported is no traceback either."""
    try:
        from soak.cli import main as run  # noqa: PLC0415 - what is imported takes most of the first second
    except KeyboardInterrupt:
        os._exit(128 + signal.SIGINT)
    run()


if __name__ == "__main__":
    main()
