"""Sums of products of columns under every candidate noise: what least squares needs, and nothing else."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from threadpoolctl import ThreadpoolController

from soak.analyse.posterior.noise import whiten

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from soak.analyse.posterior.noise import NoiseGrid

    Floats = NDArray[np.float64]


def whitened_moments(clock_s: Floats, columns: Floats, grid: NoiseGrid) -> tuple[Floats, Floats]:
    """Return the moments (noises, columns, columns) of `columns` (points × columns), and log beliefs.

    The belief, one per noise, is what is known of it before any column is looked at. The sums are made by
    one thread: the products are small, and threads that wait for each other on a busy machine take five
    times as long, and that from the server that is measured.
    """
    white = whiten(clock_s, columns, grid)
    with _blas().limit(limits=1, user_api="blas"):
        moments = np.matmul(white.columns.transpose(0, 2, 1), white.columns)
    return moments, grid.log_prior - 0.5 * white.log_determinant


@cache
def _blas() -> ThreadpoolController:
    return ThreadpoolController()


def swept(moments: Floats, column: int) -> Floats:
    """Take what one column explains out of all moments; its row then holds the regressions on it.

    The sweep operator: Goodnight, "A Tutorial on the SWEEP Operator", The American Statistician 33, 1979.
    """
    row = moments[:, column, :] / moments[:, column, column][:, None]
    left = moments - moments[:, :, column, None] * row[:, None, :]
    left[:, column, :] = row
    return left


def slope(work: Floats, memory: Floats) -> float:
    """Return the slope of least squares of `memory` over `work`; 0 where the work stands still."""
    if work.size < 2 or np.ptp(work) <= 0:
        return 0.0
    centred = work - work.mean()
    return float(centred @ (memory - memory.mean()) / (centred @ centred))
