"""Strikes a server and tells what it cost: `python -m tests.attack.server.measure [NAME…]` prints a table."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
import wave
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.attack.server.attacks import ATTACKS
from tests.attack.server.canary import Canaries
from tests.integration.asr_server.conftest import running_server

if TYPE_CHECKING:
    from tests.attack.server.attacks import Attack
    from tests.attack.server.canary import Waits
    from tests.integration.asr_server.conftest import RunningServer

MIB: Final = 2**20
CALM_S, STRIKE_S = 3.0, 5.0
SETTLE_S = 0.3
"""How long an attack may take to begin before the canaries are watched."""
REPOSITORY = Path(__file__).parents[3]


@dataclass(frozen=True)
class Damage:
    """What an attack did."""

    before: Waits
    """What the canaries waited before."""
    during: Waits
    peak_bytes: int
    """The most resident memory during the attack, above that before."""


def canary_pcm() -> bytes:
    """Return the words that canaries say: the shortest bundled clip."""
    clips = (REPOSITORY / "soak" / "load" / "clips").glob("*.wav")
    pcm: list[bytes] = []
    for path in clips:
        with wave.open(str(path)) as clip:
            pcm.append(clip.readframes(clip.getnframes()))
    return min(pcm, key=len)


def damage_by(
    attack: Attack, server: RunningServer, *, calm_s: float = CALM_S, strike_s: float = STRIKE_S
) -> Damage:
    """Let canaries speak, strike, and measure."""
    pid = server.process.pid
    with Canaries(server.url, canary_pcm()) as canaries:
        before = canaries.watch(calm_s)
        at_rest_bytes = resident_bytes(pid)
        peak = PeakMemory(pid)
        command = [sys.executable, "-m", "tests.attack.server.attacks", attack.name, server.url]
        with subprocess.Popen([*command, str(strike_s + SETTLE_S + 60)], cwd=REPOSITORY) as attacker:
            try:
                time.sleep(SETTLE_S)
                during = canaries.watch(strike_s)
            finally:
                attacker.kill()
        peak_bytes = peak.stop()
    return Damage(before, during, max(0, peak_bytes - at_rest_bytes))


def resident_bytes(pid: int) -> int:
    """Return a process's resident memory."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


class PeakMemory:
    """Watches the most resident memory of a process, on a thread."""

    def __init__(self, pid: int, interval_s: float = 0.005) -> None:
        """Watch from now on."""
        self._pid, self._interval_s, self._peak_bytes = pid, interval_s, 0
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> int:
        """Give the peak."""
        self._stopped.set()
        self._thread.join()
        return self._peak_bytes

    def _run(self) -> None:
        while not self._stopped.wait(self._interval_s):
            self._peak_bytes = max(self._peak_bytes, resident_bytes(self._pid))


def main() -> None:
    """Print a row for each attack."""
    chosen = [ATTACKS[name] for name in sys.argv[1:]] or list(ATTACKS.values())
    print(f"{'attack':45} conn  before p99/max s   during p99/max s   peak MiB")
    for attack in chosen:
        with tempfile.TemporaryDirectory() as folder:
            try:
                with running_server(Path(folder) / "server.log", *attack.flags) as server:
                    found = damage_by(attack, server)
            except Exception as error:  # noqa: BLE001 - one that breaks the server is a row, too
                print(f"{attack.name:45} {attack.connections:4}  FAILED {error!r}"[:200], flush=True)
                continue
        same = "" if found.before.transcripts == found.during.transcripts else "  OTHER TRANSCRIPT"
        print(
            f"{attack.name:45} {attack.connections:4}  {found.before.p99_s:.3f}/{found.before.longest_s:.3f}"
            f"        {found.during.p99_s:.3f}/{found.during.longest_s:.3f}"
            f"        {found.peak_bytes / MIB:7.1f}{same}",
            flush=True,
        )


if __name__ == "__main__":
    main()
