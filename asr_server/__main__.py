"""`python -m asr_server`: the reference server as a process."""

from __future__ import annotations

import logging
import sys

from asr_server.errors import StartupError
from asr_server.options import parse_options
from asr_server.server import run


def main() -> int:
    """Run the server; gives its exit status: 0 after a signal, 2 when it could not start."""
    options = parse_options(sys.argv[1:])
    logging.basicConfig(
        level=options.log_level.upper(),
        stream=sys.stderr,
        format="%(asctime)s %(levelname)s %(threadName)s %(message)s",
    )
    try:
        run(options)
    except StartupError as error:
        sys.stderr.write(f"asr_server: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
