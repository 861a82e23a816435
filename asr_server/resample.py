"""Streaming resampling to the recogniser's rate: a polyphase windowed-sinc filter in numpy."""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_ZERO_CROSSINGS: Final = 16
"""Zero crossings of the sinc each side of an output sample; 32 taps."""
_ROLL_OFF: Final = 0.945
"""Where the pass band ends, as a share of the lower Nyquist frequency; the rest is the transition band."""
_KAISER_BETA: Final = 9.0
"""Stop-band attenuation of about 90 dB."""


@functools.cache  # bounded: the protocol admits nine rates
def _filter_bank(up: int, down: int) -> NDArray[np.float32]:
    """The filter's taps, shape (up phases, 2 * half-width); each phase sums to 1."""
    scale = min(1.0, up / down)
    half_width = math.ceil(_ZERO_CROSSINGS / scale)
    offsets = np.arange(1 - half_width, half_width + 1)[None, :] - np.arange(up)[:, None] / up
    window = np.i0(_KAISER_BETA * np.sqrt(np.clip(1 - (offsets / half_width) ** 2, 0, None)))
    bank = np.sinc(offsets * scale * _ROLL_OFF) * window
    normalised: NDArray[np.float32] = (bank / bank.sum(axis=1, keepdims=True)).astype(np.float32)
    return normalised


class Resampler:
    """Turns a stream at `source_hz` into one at `target_hz`, chunk by chunk, as if it came in one piece."""

    def __init__(self, source_hz: int, target_hz: int = 16000) -> None:
        """Prepare the filter; equal rates pass through untouched."""
        divisor = math.gcd(source_hz, target_hz)
        self._up, self._down = target_hz // divisor, source_hz // divisor
        self._bank = _filter_bank(self._up, self._down)
        self._half_width = self._bank.shape[1] // 2
        self.reset()

    def reset(self) -> None:
        """Forget the stream so far."""
        self._history = np.zeros(self._half_width - 1, np.float32)
        self._position = 0  # of the next output sample, in 1/up input samples after the start of its window

    def accept(self, samples: NDArray[np.float32], *, is_final: bool = False) -> NDArray[np.float32]:
        """Resample what is complete so far; `is_final` flushes the tail and forgets the stream."""
        if self._up == self._down:
            return samples
        tail = np.zeros(self._half_width if is_final else 0, np.float32)
        source = np.concatenate([self._history, samples, tail])
        windows_available = len(source) - 2 * self._half_width + 1
        count = max(0, -(-(windows_available * self._up - self._position) // self._down))
        positions = self._position + np.arange(count) * self._down
        starts, phases = positions // self._up, positions % self._up
        output: NDArray[np.float32] = np.zeros(0, np.float32)
        if count:
            windows = np.lib.stride_tricks.sliding_window_view(source, 2 * self._half_width)
            output = np.einsum("ij,ij->i", windows[starts], self._bank[phases])
        position = self._position + count * self._down
        consumed = min(position // self._up, len(source))
        self._history, self._position = source[consumed:].copy(), position - consumed * self._up
        if is_final:
            self.reset()
        return output
