"""Is every kind of injected leak named to its line, with its slope?

`python -m benchmarks.profile.named [KIND …]` makes one short run of the bundled server under the profiler
for each kind that keeps memory, and prints the true and the named site, the measured slope and what the
server counted. Some two minutes a kind; with `--again` the runs made before are judged anew.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console

import asr_server.inject
from asr_server.inject import KINDS
from soak.config import load_config
from soak.quantity import format_bytes
from soak.record import read_run
from soak.studies.conduct import conduct
from soak.studies.profile.choice import profiler_for
from soak.studies.profile.rhythm import profiled_load
from soak.studies.profile.study import ProfileStudy
from soak.studies.profile.target import Profiled
from soak.studies.profile.words import bounds, slope
from soak.studies.selftest.trials import Share, trial_of
from soak.targets import Bundled

if TYPE_CHECKING:
    from soak.studies.profile.frames import Frame
    from soak.studies.profile.result import ProfileResult

AGAIN = "--again"
CONNECTIONS = 90
OUT = Path("reports/profile-named")
IN_PACKAGE = Path(asr_server.inject.__file__).parent


@dataclass(frozen=True)
class Truth:
    """The line at which a kind gets what it keeps."""

    file: str
    function: str
    text: str
    """What stands in that line."""

    @property
    def line(self) -> int:
        """Its number: the first line with the text after the beginning of the file's matching class."""
        lines = (IN_PACKAGE / self.file).read_text(encoding="utf-8").splitlines()
        return next(number for number, each in enumerate(lines, 1) if self.text in each)

    @property
    def short(self) -> str:
        """As sites are told."""
        return f"{self.function} ({self.file}:{self.line})"

    def is_in(self, frames: tuple[Frame, ...]) -> bool:
        """Tell whether one of the calls is this line."""
        return any(
            frame.file is not None
            and (Path(frame.file).name, frame.function, frame.line) == (self.file, self.function, self.line)
            for frame in frames
        )


LIST = Truth("python_objects.py", "keep", "self._kept.append(python_block(size_bytes))")
BUFFER = Truth("python_objects.py", "keep", "self._blocks.append(bytearray(")
MALLOC = Truth("native_memory.py", "keep", "native_block(size_bytes)")
TRUTHS = {
    "session": LIST,
    "state": Truth("python_objects.py", "keep", "self._kept.append((session, python_block"),
    "abrupt": LIST,
    "audio": BUFFER,
    "segment": LIST,
    "inference": LIST,
    "result": BUFFER,
    "hotword": Truth("python_objects.py", "keep", "self._cache[occasion.text] = python_block"),
    "cycle": Truth("python_objects.py", "keep", "cycle: list[object] = [python_block"),
    "native": MALLOC,
    "native-segment": MALLOC,
    "compression": MALLOC,
    "timer": MALLOC,
    "shm": Truth("native_memory.py", "keep", "mapping = mmap.mmap(-1, size_bytes)"),
    "fd": Truth("system_objects.py", "keep", "self._kept.append((os.open("),
    "socket": Truth("system_objects.py", "keep", "self._kept.append((accepted.detach()"),
    "thread": Truth("system_objects.py", "_wait", "native_block(size_bytes)"),
}
"""The kinds that keep memory for ever: a bounded cache does not, and a deleted file is no memory of the
process."""


def profiled(kind: str, *, again: bool) -> tuple[ProfileResult, float]:
    """Profile the server with this kind; also return the bytes it says to have kept per connection.

    With `again` the newest run that was made before is judged anew.
    """
    trial = trial_of(kind, Share.FULL)
    config = load_config("minimal", trial.settings(CONNECTIONS))
    load = profiled_load(replace(config.load, block_s=None), CONNECTIONS)
    config = replace(config, name=kind, load=load)
    study = ProfileStudy(config, Profiled(Bundled(), profiler_for(Bundled())), "")
    if again:
        result = study.read(read_run(max(OUT.glob(f"*Z-{kind}-profile"))))
    else:
        (result,) = conduct(study, (), OUT, Console(stderr=True, quiet=True))
    samples = (
        read_run(OUT / result.run)
        .samples[["connections_completed", "server_injected_bytes", "phase"]]
        .dropna()
    )
    rest = samples[(samples["phase"] == "rest") & (samples["connections_completed"] >= result.connections[0])]
    per_connection = np.polyfit(
        rest["connections_completed"].to_numpy(np.float64),
        rest["server_injected_bytes"].to_numpy(np.float64),
        1,
    )[0]
    return result, float(per_connection)


def main(kinds: list[str], *, again: bool) -> int:
    """Print a line a kind; return 1 where one was named wrongly, 2 for a kind that there is none of."""
    unknown = [kind for kind in kinds if kind not in TRUTHS]
    if unknown:
        print(f"{unknown[0]}: no kind that keeps memory; there are {', '.join(TRUTHS)}")
        return 2
    print("| kind | true site | named site | share | kept by | slope (95 %) | truth | right |")
    print("|---|---|---|---|---|---|---|---|")
    wrong = 0
    for kind in kinds or [kind for kind in KINDS if kind in TRUTHS]:
        result, true_bytes = profiled(kind, again=again)
        named = [each for each in result.culprits if TRUTHS[kind].is_in((each.site, *each.callers[:1]))]
        worst = next(iter(named or result.culprits), None)
        wrong += not named
        right = "NO"
        told = ["nobody", "", "", ""]
        if worst is not None:
            place = result.culprits.index(worst) + 1
            right = "NO" if not named else "yes" if place == 1 else f"yes, as number {place}"
            holder = result.holder(worst)
            told = [
                f"{worst.site.short} ← {worst.callers[0].short}" if worst.callers else worst.site.short,
                f"{worst.share:.1%}",
                "" if holder is None else f"{holder.kind} {holder.name}, {holder.entries}",
                f"{slope(worst.growth)} ({bounds(worst.growth)})",
            ]
        cells = [kind, TRUTHS[kind].short, *told, format_bytes(true_bytes), right]
        print(f"| {' | '.join(cells)} |", flush=True)
    print(f"{wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main([each for each in sys.argv[1:] if each != AGAIN], again=AGAIN in sys.argv))
