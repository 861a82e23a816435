"""Record the corpus in `real/churn`: real servers under churn, healthy and made to leak by known amounts.

    python -m benchmarks.verdict.record_churn OUT --bin VENV/bin --node FOLDER/node_modules
    python -m benchmarks.verdict.record_churn OUT --server nginx --leak 8192

The first records every server of `real/programs/servers.toml` in every state, some at a time; the second one
run. What a server needs is told in `real/churn/README.md`. `benchmarks.verdict.corpus` then makes runs of the
corpus of what was recorded.
"""

from __future__ import annotations

import shlex
import subprocess
import sys
import tomllib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

HERE = Path(__file__).parent
PROGRAMS = HERE / "real" / "programs"
MODULE = "benchmarks.verdict.real.programs"
HEALTHY = 0
LEAKS = (HEALTHY, 1024, 8192, 65536)
"""Bytes kept per connection, unless a server has leaks of its own."""
RESTS = ("--block-s", "30", "--rest-s", "10")
"""Half of the runs have quiet windows."""


@dataclass(frozen=True)
class Places:
    """Where the servers' programs lie."""

    bin: Path
    """Programs of the PyPI packages."""
    node: Path
    """Folder of the npm packages."""


@dataclass(frozen=True)
class Server:
    """One server of `servers.toml`."""

    name: str
    group: str
    """Servers that are one program have one group."""
    package: str
    """Where it is from, "debian:nginx"."""
    command: str
    load: str
    leaks: tuple[int, ...]
    what: str

    def version(self, places: Places) -> str:
        """Return name and version of the installed package; raises `SystemExit` where it is not installed."""
        origin, _, package = self.package.partition(":")
        if origin == "soak":
            return "asr_server of this repository"
        asked = {
            "debian": ["dpkg-query", "-W", "-f", "${Version}", package],
            "pypi": [
                str(places.bin / "python"),
                "-c",
                f"import importlib.metadata as m; print(m.version('{package}'))",
            ],
            "npm": ["node", "-p", f"require('{places.node.resolve() / package / 'package.json'}').version"],
        }[origin]
        told = subprocess.run(asked, capture_output=True, text=True, check=False)
        if told.returncode:
            raise SystemExit(f"{self.name}: {self.package} is not installed")
        return f"{package} {told.stdout.strip()} ({origin})"


@dataclass(frozen=True)
class Recording:
    """One run to be made."""

    server: Server
    leak_bytes: int
    rests: bool
    again: bool = False
    """Whether it is the second healthy one."""

    @property
    def name(self) -> str:
        """Name of its folder, "nginx_leak8k"."""
        state = f"leak{self.leak_bytes / 1024:g}k" if self.leak_bytes else "healthy"
        return f"{self.server.name}_{state}{'_again' if self.again else ''}"

    def command(self, out: Path, minutes: float, places: Places) -> list[str]:
        """Return the command line that makes it."""
        server = self.server
        fill = {
            "{bin}": str(places.bin.absolute()),
            "{node}": str(places.node.absolute()),
            "{programs}": str(PROGRAMS.relative_to(Path.cwd())),
            "{module}": MODULE,
        }
        command = server.command
        for place, value in fill.items():
            command = command.replace(place, value)
        python = places.bin.absolute() / "python" if server.load.startswith("grpc ") else "{python}"
        load = f"{python} -m {MODULE}.traffic {server.load}" + (f" {shlex.join(RESTS)}" if self.rests else "")
        kept = f"{self.leak_bytes} bytes of each kept" if self.leak_bytes else "nothing kept"
        windows = "with quiet windows" if self.rests else "without a rest"
        what = f"{server.what}; connections {windows}; {kept}."
        return [
            *(sys.executable, "-m", "benchmarks.verdict.record_real", str(out / self.name)),
            *("--minutes", str(minutes), "--leak-bytes", str(self.leak_bytes), "--group", server.group),
            *("--server-name", server.version(places), "--what", what, "--load", load),
            *("--", *shlex.split(command)),
        ]


def read_servers(path: Path = PROGRAMS / "servers.toml") -> list[Server]:
    """Read the list of servers, in its order."""
    listed = tomllib.loads(path.read_text(encoding="utf-8"))
    return [
        Server(
            name=name,
            group=each.get("group", name),
            package=each["from"],
            command=each["server"],
            load=each["load"],
            leaks=(HEALTHY, *each["leaks"]) if "leaks" in each else LEAKS,
            what=each["what"],
        )
        for name, each in listed.items()
    ]


def recordings(servers: list[Server]) -> list[Recording]:
    """List every run; those next to one another are of many servers, in different states.

    Of the first four of each server two have quiet windows, which two differs: they tell nothing of the leak.
    A fifth is healthy again, the other way round.
    """
    first = [
        Recording(
            server, server.leaks[(turn + number) % len(server.leaks)], rests=(turn + number // 2) % 2 == 0
        )
        for turn in range(len(LEAKS))
        for number, server in enumerate(servers)
    ]
    return first + [
        Recording(each.server, HEALTHY, rests=not each.rests, again=True)
        for each in first
        if not each.leak_bytes
    ]


def record_all(chosen: list[Recording], out: Path, minutes: float, places: Places, *, jobs: int) -> list[str]:
    """Make the runs that are not there yet, so many at a time; returns the names of those that failed."""

    def make(recording: Recording) -> bool:
        folder = out / recording.name
        if (folder / "label.json").exists():
            return True
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "load.log").open("wb") as log:
            return (
                subprocess.run(recording.command(out, minutes, places), stderr=log, check=False).returncode
                == 0
            )

    with ThreadPoolExecutor(jobs) as pool:
        made = pool.map(make, chosen)
        return [recording.name for recording, done in zip(chosen, made, strict=True) if not done]


def main(
    out: Annotated[Path, typer.Argument(help="folder of the runs, each in a folder of its own")],
    *,
    server: Annotated[list[str] | None, typer.Option(help="only this one; may be given again")] = None,
    leak: Annotated[int | None, typer.Option(help="only with so many bytes kept; 0: healthy")] = None,
    minutes: Annotated[float, typer.Option(help="length of a run")] = 10.0,
    jobs: Annotated[int, typer.Option(help="runs at a time", min=1)] = 12,
    bin_: Annotated[Path, typer.Option("--bin", help="programs of the PyPI packages")] = Path(sys.prefix)
    / "bin",
    node: Annotated[Path, typer.Option(help="npm's node_modules")] = Path("node_modules"),
) -> None:
    """Record servers healthy and leaking, from the root of the repository."""
    servers = read_servers()
    unknown = set(server or ()) - {each.name for each in servers}
    if unknown:
        raise typer.BadParameter(f"no such server: {', '.join(sorted(unknown))}")
    wanted = [
        each
        for each in recordings(servers)
        if (not server or each.server.name in server) and leak in (None, each.leak_bytes)
    ]
    failed = record_all(wanted, out, minutes, Places(bin_, node), jobs=jobs)
    if failed:
        raise SystemExit(f"not recorded, see load.log and server.log there: {', '.join(failed)}")


if __name__ == "__main__":
    typer.run(main)
