"""Clients try to take the server's memory or time; honest ones hear the same and wait little longer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.attack.server.attacks import ATTACKS
from tests.attack.server.measure import CALM_S, MIB, STRIKE_S, damage_by
from tests.integration.asr_server.conftest import running_server

if TYPE_CHECKING:
    from pathlib import Path

LONGEST_STALL_S = 1.0
"""What honest clients may wait longer than before."""
AUDIO_ALLOWANCE_BYTES = 20 * 48_000 * 2
"""What a connection may have waiting: `--max-queued-audio-s`, at the highest rate."""
MOST_BYTES = 64 * MIB + AUDIO_ALLOWANCE_BYTES
"""What one client may take."""
QUICK_S = 2.0

QUICK = sorted(name for name, attack in ATTACKS.items() if attack.quick)
THOROUGH = sorted(set(ATTACKS) - set(QUICK))


def test_there_are_enough() -> None:
    assert len(ATTACKS) >= 40
    assert len(QUICK) >= 10


def strike(name: str, folder: Path, *, calm_s: float, strike_s: float) -> None:
    attack = ATTACKS[name]
    log = folder / "server.log"
    with running_server(log, *attack.flags) as server:
        found = damage_by(attack, server, calm_s=calm_s, strike_s=strike_s)
        assert server.process.poll() is None
    assert found.during.transcripts == found.before.transcripts
    assert found.during.p99_s <= found.before.p99_s + LONGEST_STALL_S
    assert found.during.longest_s <= found.before.longest_s + LONGEST_STALL_S
    assert found.peak_bytes <= attack.connections * MOST_BYTES
    assert "Traceback" not in log.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", QUICK)
def test_honest_clients_notice_little(name: str, tmp_path: Path) -> None:
    strike(name, tmp_path, calm_s=QUICK_S, strike_s=QUICK_S)


@pytest.mark.nightly
@pytest.mark.parametrize("name", THOROUGH)
def test_honest_clients_notice_little_of_any(name: str, tmp_path: Path) -> None:
    strike(name, tmp_path, calm_s=CALM_S, strike_s=STRIKE_S)
