"""Audio to features: log-mel filter banks, stacked frames (LFR), mean and variance normalisation (CMVN).

The figures are those of FunASR's `WavFrontend`: frames of 25 ms every 10 ms, Hamming window, 80 mel bins,
seven frames stacked every six, samples on the scale of 16-bit integers.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field

import kaldi_native_fbank as knf
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

INT16_SCALE = 32768.0
"""Kaldi's filter banks expect samples on the scale of 16-bit integers."""


@dataclass(frozen=True)
class FrontendSettings:
    """How a model wants its features; the fields are named as in FunASR's `frontend_conf`."""

    shift: NDArray[np.float64] = field(repr=False)
    """CMVN's first step, added to every stacked frame: [lfr_m * n_mels]."""
    scale: NDArray[np.float64] = field(repr=False)
    """CMVN's second step, multiplied: [lfr_m * n_mels]."""
    sample_rate_hz: int = 16000
    window: str = "hamming"
    n_mels: int = 80
    frame_length_ms: float = 25.0
    frame_shift_ms: float = 10.0
    lfr_m: int = 7
    """Frames stacked into one feature vector."""
    lfr_n: int = 6
    """Frames between two feature vectors."""

    @property
    def feature_dim(self) -> int:
        """Length of one feature vector."""
        return self.n_mels * self.lfr_m

    @property
    def samples_per_feature(self) -> int:
        """Samples between two feature vectors: 960, which is 60 ms."""
        return round(self.sample_rate_hz * self.frame_shift_ms / 1000) * self.lfr_n

    def filter_bank(self) -> knf.OnlineFbank:
        """Make a fresh filter bank for one stream."""
        options = knf.FbankOptions()
        options.frame_opts.samp_freq = float(self.sample_rate_hz)
        options.frame_opts.dither = 0.0  # noise would make equal audio give unequal results
        options.frame_opts.window_type = self.window
        options.frame_opts.frame_shift_ms = self.frame_shift_ms
        options.frame_opts.frame_length_ms = self.frame_length_ms
        options.frame_opts.snip_edges = True
        options.mel_opts.num_bins = self.n_mels
        options.energy_floor = 0.0
        return knf.OnlineFbank(options)


class FeatureStream:
    """The front end of one stream, with everything it carries from one packet to the next.

    Features do not depend on how the audio is cut into packets. Memory is bounded: frames that are used up
    are dropped from the filter bank.
    """

    def __init__(self, settings: FrontendSettings) -> None:
        """Begin with no audio."""
        self._settings = settings
        self.reset()

    def reset(self) -> None:
        """Forget all audio."""
        self._frames_taken = 0
        self._filter_bank: knf.OnlineFbank | None = None
        """Made for the first samples: whoever hears no more needs none, and making one takes 0.1 ms."""
        self._pending: Floats = np.empty(0, dtype=np.float32)
        """Frames that the next features need, one after another: [n * n_mels]."""

    def accept(self, samples: Floats, *, is_final: bool = False) -> Floats:
        """Take samples in [-1, 1) and give the features that are complete: [n, feature_dim].

        With `is_final` the last frame is repeated until the last features are complete too, as FunASR does
        for a whole utterance, and the stream is reset.
        """
        settings = self._settings
        self._take_frames(samples)
        frames = len(self._pending) // settings.n_mels
        if is_final:
            # Three repetitions of the first frame are in front; every started feature vector counts.
            count = max(-(-(frames - (settings.lfr_m - 1) // 2) // settings.lfr_n), 0)
            missing = (count - 1) * settings.lfr_n + settings.lfr_m - frames
            if count and missing > 0:
                last = self._pending[-settings.n_mels :]
                self._pending = np.concatenate((self._pending, np.tile(last, missing)))
        else:
            count = max((frames - settings.lfr_m) // settings.lfr_n + 1, 0)
        features = self._normalise(count)
        if is_final:
            self.reset()
        elif count:
            self._pending = self._pending[count * settings.lfr_n * settings.n_mels :].copy()
        return features

    def _normalise(self, count: int) -> Floats:
        """Stack the frames of the first `count` features and normalise them: [count, feature_dim]."""
        settings = self._settings
        # The frames lie one after another, so every vector is a window on them: nothing is copied.
        pending, item = self._pending, self._pending.itemsize
        steps = (settings.lfr_n * settings.n_mels * item, item)
        stacked = np.ndarray((count, settings.feature_dim), pending.dtype, pending, strides=steps)
        # In double precision, as FunASR's Python does it: int8 models turn a last bit into another token.
        normalised = stacked + settings.shift
        normalised *= settings.scale
        return normalised.astype(np.float32)

    def _take_frames(self, samples: Floats) -> None:
        """Move the frames that `samples` complete from the filter bank to `_pending`."""
        if self._filter_bank is None:
            if not len(samples):
                return
            self._filter_bank = self._settings.filter_bank()
        bank = self._filter_bank
        if len(samples):
            scaled = samples * np.float32(INT16_SCALE)
            # The binding reads element by element, and those of an `array` cost least.
            bank.accept_waveform(self._settings.sample_rate_hz, array("f", scaled.tobytes()))
        ready = bank.num_frames_ready
        if ready == self._frames_taken:
            return
        # get_frame() gives a view that pop() frees: concatenate() copies them all first.
        frames = list(map(bank.get_frame, range(self._frames_taken, ready)))
        if self._frames_taken == 0:
            frames[:0] = frames[:1] * ((self._settings.lfr_m - 1) // 2)
        self._pending = np.concatenate((self._pending, *frames))
        del frames
        bank.pop(ready - self._frames_taken)
        self._frames_taken = ready


def extract_features(samples: Floats, settings: FrontendSettings) -> Floats:
    """Give the features of a whole utterance: [n, feature_dim]; n is 0 for audio under one frame (25 ms)."""
    return FeatureStream(settings).accept(samples, is_final=True)
