"""Record the memory of any server under any load as a labelled trace: `samples.csv` and `label.json`.

    python -m benchmarks.verdict.record_real OUT --minutes 12 --leaking --what "keeps every body" \
        --load "{python} load.py {port}" -- node server.js {port}

In both commands `{port}` is a free port, `{python}` this interpreter and `{folder}` an empty folder that is
removed afterwards. The load is optional; what it prints, one JSON object a line with any of
`connections_completed`, `open_connections` and `phase`, stands beside the samples from then on.

With `--leak-bytes N` the server keeps N bytes of every TCP connection that it accepts, though its source says
nothing of it (see `real/programs/keep_on_accept.c`, which a C compiler makes a library of). With 0 it is
loaded too, and keeps nothing: so runs with and without a leak differ in the leak alone.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from soak.run.due import due_by
from soak.run.schedule import FixedSchedule
from soak.sources import Every, Gap, Gone, Watched
from soak.sources.from_heap import HeapSource
from soak.sources.from_process import ProcessSource
from soak.tether import tied_to_this_process

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LOAD_COLUMNS = ("connections_completed", "open_connections", "phase")
PROCESS_COLUMNS = ("swap_bytes", "threads", "fds", "sockets")
HEAP_COLUMNS = (
    "heap_in_use_bytes",
    "heap_free_bytes",
    "heap_cached_bytes",
    "heap_system_bytes",
    "heap_mmapped_bytes",
    "heap_arenas",
    "python_in_use_bytes",
)
COLUMNS = ("t_s", "rss_bytes", *LOAD_COLUMNS, *PROCESS_COLUMNS, *HEAP_COLUMNS)
KEEP_ON_ACCEPT = Path(__file__).parent / "real" / "programs" / "keep_on_accept.c"
"""Source of the library that makes a server leak."""
STOP_WAIT_S = 10.0
"""A server that does not end within this time of SIGTERM is killed."""


def free_port() -> int:
    """Return a port that nothing listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until_listening(server: subprocess.Popen[Any], port: int, limit_s: float = 60.0) -> None:
    """Return once the server takes connections; raises `SystemExit` when it ends or takes too long."""
    give_up_s = time.monotonic() + limit_s
    while time.monotonic() < give_up_s:
        if server.poll() is not None:
            raise SystemExit(f"the server ended with code {server.returncode}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.1)
    raise SystemExit(f"the server does not listen on port {port} after {limit_s:g} s")


def follow(lines: IO[str], latest: dict[str, Any]) -> None:
    """Keep in `latest` what the load last said, until it ends."""
    for line in lines:
        latest.update(json.loads(line))


def build_leak(folder: Path) -> Path:
    """Compile the library that makes a server leak; raises `SystemExit` where no compiler is installed."""
    compiler = shutil.which("cc")
    if compiler is None:
        raise SystemExit("--leak-bytes needs a C compiler (cc), and none is installed")
    library = folder / "keep_on_accept.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, KEEP_ON_ACCEPT, "-ldl"], check=True)
    library.chmod(0o755)
    return library


@contextlib.contextmanager
def public_folder() -> Iterator[str]:
    """Give an empty folder that a server may read which gives up its rights."""
    with tempfile.TemporaryDirectory(prefix="leak-") as folder:
        Path(folder).chmod(0o755)
        yield folder


class Heap:
    """Heap in use of the server's processes, read now and then, as long as it can be."""

    def __init__(self, server: Watched, interval_s: float) -> None:
        """Read it every `interval_s` at most."""
        self._reader = HeapSource().open(server)
        self._due = due_by(Every(interval_s))
        self._gone = False

    def read(self, now_s: float) -> Mapping[str, float]:
        """Return what was read by column: nothing where it is not due or could not be read."""
        if self._gone or not self._due.is_due(now_s, None):
            return {}
        outcome = self._reader.read()
        self._due.was_read(now_s, time.monotonic(), None)
        if isinstance(outcome, Gap):
            if outcome.gone is Gone.SOURCE:
                print(outcome.reason, file=sys.stderr)
                self._gone = True
            return {}
        return outcome.values


def sample(
    server: subprocess.Popen[Any],
    out: Path,
    load: dict[str, Any],
    *,
    interval_s: float,
    heap_interval_s: float,
    until_s: float,
) -> None:
    """Write a row every `interval_s` until the monotonic clock says `until_s` or the server ends."""
    watched = Watched("", server.pid)
    tree, heap = ProcessSource().open(watched), Heap(watched, heap_interval_s)
    start_s = time.monotonic()
    schedule = FixedSchedule(start_s, interval_s)
    with out.open("w", newline="", encoding="utf-8", buffering=1) as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n", extrasaction="ignore")
        writer.writeheader()
        while (now_s := time.monotonic()) < until_s and server.poll() is None:
            schedule.take(now_s)
            reading = tree.read()
            if not isinstance(reading, Gap):
                beside = {name: load.get(name) for name in LOAD_COLUMNS}
                row = {"t_s": round(now_s - start_s, 2), **beside, **reading.values, **heap.read(now_s)}
                writer.writerow(row)
            time.sleep(max(0.0, schedule.next_due_s() - time.monotonic()))


def stop(process: subprocess.Popen[Any]) -> None:
    """End a process that was started here, politely first."""
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_WAIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def record(arguments: argparse.Namespace) -> dict[str, Any]:
    """Run server and load and write the samples; returns what the load last said."""
    latest: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="trace-") as folder, contextlib.ExitStack() as cleanup:
        port = free_port()
        places = {"port": port, "folder": folder, "python": sys.executable}
        log = cleanup.enter_context((arguments.out / "server.log").open("wb"))
        command = tied_to_this_process([part.format(**places) for part in arguments.server])
        environment = dict(os.environ)
        if arguments.leak_bytes is not None:
            library = build_leak(Path(cleanup.enter_context(public_folder())))
            environment |= {"LD_PRELOAD": str(library), "LEAK_BYTES": str(arguments.leak_bytes)}
        server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment)
        cleanup.callback(stop, server)
        if arguments.load:
            wait_until_listening(server, port)
            command = tied_to_this_process(shlex.split(arguments.load.format(**places)))
            load = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
            cleanup.callback(stop, load)
            if load.stdout is not None:
                threading.Thread(target=follow, args=(load.stdout, latest), daemon=True).start()
        until_s = time.monotonic() + 60 * arguments.minutes
        samples = arguments.out / "samples.csv"
        sample(
            server,
            samples,
            latest,
            interval_s=arguments.interval,
            heap_interval_s=arguments.heap_interval,
            until_s=until_s,
        )
        if server.poll() is not None:
            raise SystemExit(f"the server ended early, with code {server.returncode}")
    return latest


def write_label(arguments: argparse.Namespace, connections: int | None) -> None:
    """Write what is known by construction; growth per hour follows from that per connection."""
    per_hour, per_connection = arguments.per_hour, arguments.per_connection or arguments.leak_bytes or None
    if per_hour is None and per_connection is not None and connections is not None:
        per_hour = round(per_connection * connections * 60 / arguments.minutes)
    label = {
        "leaking": arguments.leaking or bool(arguments.leak_bytes),
        "growth_bytes_per_connection": per_connection,
        "growth_bytes_per_hour": per_hour,
        "what": arguments.what,
    }
    if arguments.group:
        label |= {"group": arguments.group, "server": arguments.server_name}
    text = json.dumps(label, indent=2, ensure_ascii=False)
    (arguments.out / "label.json").write_text(text + "\n", encoding="utf-8")


def main() -> None:
    """Read the command line and record."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", type=Path, help="folder of the trace")
    parser.add_argument("--minutes", type=float, default=12.0)
    parser.add_argument("--interval", type=float, default=1.0, help="seconds between two samples")
    parser.add_argument(
        "--heap-interval", type=float, default=4.0, help="seconds between two looks at the heap"
    )
    parser.add_argument("--leak-bytes", type=int, help="what the server is made to keep per connection")
    parser.add_argument(
        "--group", default="", help="name of the server, to score rules without one at a time"
    )
    parser.add_argument("--server-name", default="", help="program and version")
    parser.add_argument("--leaking", action="store_true", help="the label, by what the program does")
    parser.add_argument("--per-connection", type=float, help="bytes kept per connection, if that is known")
    parser.add_argument("--per-hour", type=float, help="bytes kept per hour, if that is known")
    parser.add_argument("--what", required=True, help="one sentence about server, load and leak")
    parser.add_argument("--load", default="", help="command that loads the server")
    parser.add_argument("server", nargs="+", help="command that runs the server")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    latest = record(arguments)
    write_label(arguments, latest.get("connections_completed"))


if __name__ == "__main__":
    main()
