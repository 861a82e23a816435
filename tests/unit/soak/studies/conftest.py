"""Recorded runs of a server that warms up and then stays, or leaks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from soak.record import RunDirectory
from soak.record.events import RunEnded
from soak.record.manifest import Manifest

if TYPE_CHECKING:
    from pathlib import Path

MIB = 1024 * 1024
PER_BLOCK = 25
SERVER = {
    "model": "tiny",
    "second_pass": "offline",
    "decoder_thread_num": 1,
    "io_thread_num": 1,
    "model_thread_num": 1,
}
HOST = {"architecture": "x86_64", "cores": 2, "memory_bytes": 24 * 2**30, "cpu_model": "A", "kernel": "6"}


@dataclass(frozen=True)
class Record:
    """Records twenty blocks of 25 connections below `folder`; each connection keeps `kept_bytes`."""

    folder: Path

    def __call__(
        self,
        name: str = "minimal",
        *,
        level_mib: float = 108.0,
        kept_bytes: int = 0,
        seed: int = 3,
        failed: int = 0,
        server: dict[str, Any] | None = None,
        host: dict[str, Any] | None = None,
        day: int = 1,
    ) -> Path:
        """Make the run and give its directory."""
        noise = np.random.default_rng(seed)
        with RunDirectory.create(self.folder / name, "minimal") as directory:
            directory.write_manifest(
                Manifest.of(
                    {
                        "name": "minimal",
                        "started_utc": f"2026-11-{day:02}T10:00:00.000+00:00",
                        "configuration": {
                            "judge": {},
                            "load": {"mode": "2pass"},
                            "server": {**SERVER, **(server or {})},
                        },
                        "target": {"kind": "bundled"},
                        "host": {**HOST, **(host or {})},
                        "versions": {"onnxruntime": "1.32.0"},
                    }
                )
            )
            for second in range(400):
                block, within = divmod(second, 20)
                completed = PER_BLOCK * block + min(PER_BLOCK, 2 * within)
                warm = 8 * MIB * (1 - np.exp(-block / 1.5))
                memory = (level_mib - 8) * MIB + warm + block * PER_BLOCK * kept_bytes
                busy = within < 12
                directory.append_sample(
                    {
                        "t_s": float(second),
                        "rss_bytes": int(memory + 4096 * noise.integers(0, 8)),
                        "connections_completed": completed,
                        "connections_failed": failed,
                        "audio_s": 2.4 * completed,
                        "cpu_s": 0.06 * completed,
                        "open_connections": int(busy),
                        "fds": 11 + int(busy),
                        "phase": "load" if busy else "settle" if within < 16 else "rest",
                        "block": block,
                        "first_partial_p50_ms": 6.0 + noise.normal(0, 0.1) if busy else None,
                        "final_p50_ms": 48.0 + noise.normal(0, 0.5) if busy else None,
                        "final_p95_ms": 52.0 if busy else None,
                        "final_p99_ms": 55.0 + noise.normal(0, 0.5) if busy else None,
                    }
                )
            directory.append_event(RunEnded(reason="finished"))
            return directory.path


@pytest.fixture
def record(tmp_path: Path) -> Record:
    return Record(tmp_path)
