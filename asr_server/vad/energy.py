"""Voice activity by energy, without a model.

It has the shape of FunASR's FSMN detector (chunks in, starts and ends of segments in ms out, late by its
hang-over) and its defaults: a frame is speech when it is clearly louder than the quietest moment of the last
few seconds (minimum statistics, after R. Martin, 2001).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from asr_server.vad.events import SegmentEnded, SegmentStarted, VadEvent

if TYPE_CHECKING:
    from numpy.typing import NDArray

FRAME_MS: Final = 10
_SILENCE_POWER: Final = 1e-10
"""Added to the power of a frame, so that digital silence is -100 dBFS instead of minus infinity."""


@dataclass(frozen=True)
class EnergySettings:
    """When a frame is speech, and when speech is a segment; the times are FSMN VAD's defaults."""

    sample_rate_hz: int = 16000
    margin_db: float = 12.0
    """How far above the noise floor speech is."""
    loudest_floor_dbfs: float = -40.0
    """The floor is never taken to be louder than this, so that pauseless speech is not its own floor."""
    quietest_speech_dbfs: float = -52.0
    """What is quieter than this is never speech, however quiet the floor."""
    floor_window_ms: int = 3200
    """How far back the quietest moment is looked for."""
    onset_window_ms: int = 200
    onset_speech_ms: int = 100
    """A segment starts when this much of the onset window is speech."""
    lead_in_ms: int = 200
    """How much before the first speech frame the segment starts."""
    hang_over_ms: int = 800
    """A segment ends when no speech was heard for this long."""
    tail_ms: int = 200
    """How much after the last speech frame the segment ends."""
    max_segment_ms: int = 60_000
    """A longer segment is cut and the next one follows: the bound of the second pass's memory."""


DEFAULT_SETTINGS: Final = EnergySettings()


@dataclass(frozen=True)
class EnergyVad:
    """The detector as a factory; it shares nothing but its settings."""

    settings: EnergySettings = DEFAULT_SETTINGS

    @property
    def look_back_ms(self) -> int:
        """The onset window and the lead-in, and the frame that has just begun."""
        return self.settings.onset_window_ms + self.settings.lead_in_ms + FRAME_MS

    def new_stream(self) -> EnergyStream:
        """Make the state of one connection."""
        return EnergyStream(self.settings)


class EnergyStream:
    """The detector's state for one connection: a few hundred bytes, however long the stream."""

    def __init__(self, settings: EnergySettings = DEFAULT_SETTINGS) -> None:
        """Start in silence at 0 ms."""
        self._settings = settings
        self._frame_samples = settings.sample_rate_hz * FRAME_MS // 1000
        self._onset_mask = (1 << settings.onset_window_ms // FRAME_MS) - 1
        self._bucket_frames = settings.floor_window_ms // FRAME_MS // 8
        self.reset()

    def reset(self) -> None:
        """Forget everything: a new utterance begins at 0 ms."""
        self._rest = np.zeros(0, np.float32)
        self._frames = 0
        self._segment_start_ms: int | None = None
        self._last_end_ms = 0
        self._last_speech_ms = 0
        self._onset = 0  # one bit per frame of the onset window, the newest lowest
        self._past_minima: deque[float] = deque(maxlen=8)
        self._bucket_minimum_db = 0.0

    def accept(self, samples: NDArray[np.float32], *, is_final: bool = False) -> list[VadEvent]:
        """Take mono samples in [-1, 1); `is_final` ends an open segment at the end of the audio."""
        buffered = np.concatenate([self._rest, samples])
        whole = len(buffered) // self._frame_samples * self._frame_samples
        self._rest = buffered[whole:].copy()
        frames = buffered[:whole].reshape(-1, self._frame_samples)
        power = np.einsum("ij,ij->i", frames, frames) / self._frame_samples
        events: list[VadEvent] = []
        for level_db in (10 * np.log10(power + _SILENCE_POWER)).tolist():
            self._accept_frame(level_db, events)
        if is_final and self._segment_start_ms is not None:
            rest_ms = len(self._rest) * 1000 // self._settings.sample_rate_hz
            self._end_segment(self._frames * FRAME_MS + rest_ms, events)
        if is_final:
            self.reset()
        return events

    def _accept_frame(self, level_db: float, events: list[VadEvent]) -> None:
        settings = self._settings
        speech = level_db > self._threshold_db(level_db)
        self._frames += 1
        now_ms = self._frames * FRAME_MS
        self._onset = (self._onset << 1 | speech) & self._onset_mask
        if speech:
            self._last_speech_ms = now_ms
        if self._segment_start_ms is None:
            if self._onset.bit_count() * FRAME_MS >= settings.onset_speech_ms:
                first_speech_ms = now_ms - self._onset.bit_length() * FRAME_MS
                self._segment_start_ms = max(first_speech_ms - settings.lead_in_ms, self._last_end_ms)
                events.append(SegmentStarted(self._segment_start_ms))
        elif now_ms - self._last_speech_ms >= settings.hang_over_ms:
            self._end_segment(self._last_speech_ms + settings.tail_ms, events)
        elif now_ms - self._segment_start_ms >= settings.max_segment_ms:
            self._end_segment(now_ms, events)

    def _end_segment(self, end_ms: int, events: list[VadEvent]) -> None:
        self._segment_start_ms = None
        self._last_end_ms = end_ms
        self._onset = 0
        events.append(SegmentEnded(end_ms))

    def _threshold_db(self, level_db: float) -> float:
        """Take the level of the next frame into account and say how loud speech must be now."""
        settings = self._settings
        if self._frames % self._bucket_frames == 0:
            if self._frames:
                self._past_minima.append(self._bucket_minimum_db)
            self._bucket_minimum_db = level_db
        self._bucket_minimum_db = min(self._bucket_minimum_db, level_db)
        floor_db = min(self._bucket_minimum_db, *self._past_minima, settings.loudest_floor_dbfs)
        return max(floor_db + settings.margin_db, settings.quietest_speech_dbfs)
