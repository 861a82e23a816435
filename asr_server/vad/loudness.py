"""The part of FunASR's frame decision that looks at the audio itself: `decibel_thres` and `snr_thres`.

FunASR's runtimes append the levels of four frames a second time with every packet, so that their levels run
ahead of the frames they are used for; and a frame below `decibel_thres` counts twice in their window. Here a
level belongs to its frame, and a frame counts once. With the published settings neither has an effect.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from asr_server.paraformer.frontend import Floats, FrontendSettings
    from asr_server.vad.endpoint import EndpointSettings

_SILENCE_ENERGY: Final = 1e-6
_QUIETEST_DB: Final = -60.0
_NO_NOISE_YET_DB: Final = -100.0


class LoudnessGate:
    """The levels and the noise level of one stream."""

    def __init__(self, endpoint: EndpointSettings, frontend: FrontendSettings) -> None:
        """Begin with no audio."""
        self._settings = endpoint
        samples_per_ms = frontend.sample_rate_hz / 1000
        self._length = round(frontend.frame_length_ms * samples_per_ms)
        self._shift = round(frontend.frame_shift_ms * samples_per_ms)
        self._step = frontend.lfr_n
        self.reset()

    @staticmethod
    def is_needed(endpoint: EndpointSettings, frontend: FrontendSettings) -> bool:
        """Whether the thresholds are within reach of any audio: the published ones, -100 dB, are not."""
        frame_samples = frontend.frame_length_ms * frontend.sample_rate_hz / 1000
        lowest_snr_db = _QUIETEST_DB - 10 * np.log10(frame_samples)
        return endpoint.decibel_thres > _QUIETEST_DB or bool(endpoint.snr_thres > lowest_snr_db)

    def reset(self) -> None:
        """Forget everything heard."""
        self._samples: Floats = np.zeros(0, np.float32)
        self._levels_db: list[float] = []
        self._noise_db = _NO_NOISE_YET_DB

    def hear(self, samples: Floats) -> None:
        """Take the samples that the front end takes."""
        heard = np.concatenate((self._samples, samples))
        count = max((len(heard) - self._length) // self._shift + 1, 0)
        if count:
            frames = np.lib.stride_tricks.sliding_window_view(heard, self._length)[:: self._shift]
            energy = np.einsum("ij,ij->i", frames, frames, dtype=np.float64)
            self._levels_db += (10 * np.log10(energy + _SILENCE_ENERGY)).tolist()
        self._samples = heard[count * self._shift :].copy()

    def loud_enough(self, voiced: NDArray[np.bool_]) -> list[bool]:
        """Take what the network says of the next frames, [T]; give what is left of it."""
        settings = self._settings
        decided = []
        for index, frame_is_voiced in enumerate(voiced.tolist()):
            level_db = self._levels_db[min(index * self._step, len(self._levels_db) - 1)]
            if level_db < settings.decibel_thres:
                decided.append(False)
            elif frame_is_voiced:
                decided.append(level_db - self._noise_db >= settings.snr_thres)
            else:
                decided.append(False)
                self._hear_noise(level_db)
        self._levels_db = self._levels_db[len(decided) * self._step :]
        return decided

    def _hear_noise(self, level_db: float) -> None:
        if self._noise_db <= _NO_NOISE_YET_DB:
            self._noise_db = level_db
        else:
            frames = self._settings.noise_frame_num_used_for_snr
            self._noise_db = (level_db + self._noise_db * (frames - 1)) / frames
