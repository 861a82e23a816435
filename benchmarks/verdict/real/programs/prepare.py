"""One PostgreSQL session that prepares statements under ever new names and deallocates none."""

from __future__ import annotations

import argparse
import itertools
import subprocess
import time

STATEMENT = "PREPARE p{0} AS SELECT count(*) FROM pg_class WHERE relname = $1; EXECUTE p{0}('x');\n"


def main() -> None:
    """Prepare statements at a fixed rate until ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", help="folder of the server's socket")
    parser.add_argument("port")
    parser.add_argument("--rate", type=float, default=5.0, help="statements per second")
    options = parser.parse_args()
    command = ["psql", "-q", "-o", "/dev/null", "-h", options.folder, "-p", options.port, "-U", "postgres"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, text=True) as psql:
        if psql.stdin is None:
            raise RuntimeError("psql was started without its standard input")
        for number in itertools.count():
            psql.stdin.write(STATEMENT.format(number))
            psql.stdin.flush()
            time.sleep(1 / options.rate)


if __name__ == "__main__":
    main()
