"""Scripted memory: a server under steady load, and a server whose load pauses for rest windows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from soak.analyse import Series

PAGE_BYTES = 4096.0
Floats = NDArray[np.float64]
Shape = Callable[[Floats], NDArray[np.floating[Any]]]


@pytest.fixture
def under_load() -> Callable[..., Series]:
    """Build readings once a second: a shape in bytes over seconds, plus correlated noise, in whole pages."""

    def build(
        shape: Shape,
        *,
        seed: int = 0,
        readings: int = 1200,
        interval_s: float = 1.0,
        noise_bytes: float = 0.3e6,
        correlation: float = 0.5,
        connections_per_s: float | None = None,
        open_connections: Shape | None = None,
    ) -> Series:
        noise = np.random.default_rng(seed).normal(size=readings)
        for i in range(1, readings):
            noise[i] = correlation * noise[i - 1] + np.sqrt(1 - correlation**2) * noise[i]
        t_s: Floats = np.arange(readings, dtype=np.float64) * interval_s
        memory: Floats = np.asarray(shape(t_s) + noise_bytes * noise, dtype=np.float64)
        opened = None if open_connections is None else np.asarray(open_connections(t_s), dtype=np.float64)
        return Series(
            t_s=t_s,
            values=np.round(memory / PAGE_BYTES) * PAGE_BYTES,
            connections_completed=None if connections_per_s is None else np.floor(t_s * connections_per_s),
            open_connections=opened,
        )

    return build


@pytest.fixture
def with_rests() -> Callable[..., Series]:
    """Build 150 s of a 90 MB server: load with its own memory on top, and a 3 s rest after every block."""

    def build(
        *,
        seed: int = 0,
        windows: int = 14,
        connections: int = 400,
        leak_bytes_per_connection: float = 0.0,
        warm_up_bytes: float = 10e6,
        warm_up_connections: float = 75.0,
        noise_bytes: float = 60e3,
    ) -> Series:
        random = np.random.default_rng(seed)
        t_s = np.arange(0.0, 150.0, 1.0)
        block_s = 150.0 / windows
        block = np.minimum((t_s // block_s).astype(int), windows - 1)
        resting = t_s - block * block_s > block_s - 3.5
        loaded = np.clip((t_s - block * block_s) / (block_s - 7.0), 0.0, 1.0)
        completed = np.floor((block + loaded) / windows * connections)
        floor_noise = random.uniform(-noise_bytes, noise_bytes, windows)
        page_steps = np.cumsum((random.random(windows) < 0.2) * random.integers(1, 5, windows)) * PAGE_BYTES
        memory = 90e6 + warm_up_bytes * np.minimum(completed / warm_up_connections, 1.0)
        memory = memory + leak_bytes_per_connection * completed + (floor_noise + page_steps)[block]
        memory = memory + np.where(resting, 0.0, random.uniform(1e6, 3e6, t_s.size))
        return Series(
            t_s=t_s,
            values=np.round(memory / PAGE_BYTES) * PAGE_BYTES,
            connections_completed=completed,
            open_connections=np.where(resting, 0.0, 4.0),
            phase=np.where(resting, "rest", "load"),
        )

    return build
