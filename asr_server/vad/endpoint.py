"""From frames that are speech or not to segments: the end-point rules of FunASR's `E2EVadModel`.

A window over the last frames decides between voice and silence, with hysteresis; a segment starts when voice
is found and ends when silence has lasted, or at the longest length. Frames are those of the front end, 10 ms
apart; segments start and end on multiples of that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from asr_server.vad.events import SegmentEnded, SegmentStarted, VadEvent

if TYPE_CHECKING:
    from collections.abc import Iterable

SINGLE_UTTERANCE: Final = 0
"""`detect_mode` in which the first segment is the only one; 1 is any number of segments."""


@dataclass(frozen=True)
class EndpointSettings:
    """The part of FunASR's `model_conf` that has an effect, with FunASR's names and defaults.

    Its other settings (`snr_mode`, `do_start_point_detection`, `do_end_point_detection`, `dcd_block_size`,
    `nn_eval_block_size`, `speech_noise_thresh_low`, `speech_noise_thresh_high`, `output_frame_probs`,
    `frame_length_ms`, and `fe_prior_thres` below 1) change nothing there and are not read here.
    """

    sample_rate: int = 16000
    detect_mode: int = 1
    max_end_silence_time: int = 800
    """A segment ends after this much silence, in ms, counted from its last voice."""
    max_start_silence_time: int = 3000
    """With `detect_mode` 0: nothing is found any more after so much silence at the start, in ms."""
    window_size_ms: int = 200
    sil_to_speech_time_thres: int = 150
    """Silence turns to voice when so much of the window is speech, in ms."""
    speech_to_sil_time_thres: int = 150
    """Voice turns to silence when no more of the window than this is speech, in ms."""
    speech_2_noise_ratio: float = 1.0
    """Exponent of the probability of silence."""
    do_extend: bool = True
    """Let segments begin and end a little beyond the voice, by the two times that follow."""
    lookback_time_start_point: int = 200
    lookahead_time_end_point: int = 100
    max_single_segment_time: int = 60_000
    """A longer segment is cut and the next one follows, in ms: the bound of the second pass's memory."""
    snr_thres: float = -100.0
    """A frame is speech only if it is so much louder than the mean noise, in dB."""
    noise_frame_num_used_for_snr: int = 100
    decibel_thres: float = -100.0
    """A frame is speech only if the sum of its squared samples is above this, in dB."""
    speech_noise_thres: float = 0.6
    """A frame is speech if speech is more probable than silence by at least this."""
    silence_pdf_num: int = 1
    sil_pdf_ids: tuple[int, ...] = (0,)
    """The outputs of the network that stand for silence."""
    frame_in_ms: int = 10

    @property
    def window_frames(self) -> int:
        """Frames that the window holds."""
        return self.window_size_ms // self.frame_in_ms

    @property
    def start_latency_frames(self) -> int:
        """How far before the frame that settles it a segment starts."""
        look_back = self.lookback_time_start_point // self.frame_in_ms if self.do_extend else 0
        return self.window_frames + look_back


class EndpointDetector:
    """The state machine of one stream; a frame costs the same however long the stream."""

    def __init__(self, settings: EndpointSettings) -> None:
        """Begin in silence, before frame 0."""
        self._settings = settings
        frame_ms = settings.frame_in_ms
        self._window_mask = (1 << settings.window_frames) - 1
        self._voice_frames = settings.sil_to_speech_time_thres // frame_ms
        self._silence_frames = settings.speech_to_sil_time_thres // frame_ms
        self._end_silence_ms = settings.max_end_silence_time - settings.speech_to_sil_time_thres
        look_ahead = settings.lookahead_time_end_point // frame_ms + 1 if settings.do_extend else 0
        self._end_latency_frames = max(int(self._end_silence_ms / frame_ms) - look_ahead, 0)
        self.reset()

    def reset(self) -> None:
        """Forget everything: the next frame is frame 0."""
        self._frame = -1
        self._next_start = 0  # no segment may start before the end of the one before it
        self._only_segment_over = False
        self._begin_silence()

    def _begin_silence(self) -> None:
        self._window = 0  # one bit a frame, the newest lowest
        self._in_voice = False
        self._silence_run = 0
        self._segment_start: int | None = None

    def accept(self, speech: Iterable[bool], *, is_final: bool = False) -> list[VadEvent]:
        """Take frames; `is_final` ends an open segment with the last of them."""
        events: list[VadEvent] = []
        for frame_is_speech in speech:
            if self._only_segment_over:
                break
            self._accept_frame(frame_is_speech, events)
        if is_final and self._segment_start is not None:
            self._end_segment(self._frame, events)
        return events

    def _accept_frame(self, speech: bool, events: list[VadEvent]) -> None:
        self._frame += 1
        was_in_voice = self._in_voice
        self._window = (self._window << 1 | speech) & self._window_mask
        spoken = self._window.bit_count()
        self._in_voice = spoken > self._silence_frames if was_in_voice else spoken >= self._voice_frames
        still_silent = not was_in_voice and not self._in_voice
        self._silence_run = self._silence_run + 1 if still_silent else 0
        if self._segment_start is not None:
            self._maybe_end(self._segment_start, events)
        elif self._in_voice and not was_in_voice:
            self._segment_start = max(self._next_start, self._frame - self._settings.start_latency_frames)
            events.append(SegmentStarted(self._segment_start * self._settings.frame_in_ms))
        elif self._settings.detect_mode == SINGLE_UTTERANCE:
            silent_ms = self._silence_run * self._settings.frame_in_ms
            self._only_segment_over = silent_ms > self._settings.max_start_silence_time

    def _maybe_end(self, start: int, events: list[VadEvent]) -> None:
        settings = self._settings
        # A run of none is voice, or the first frame of silence: FunASR does not end a segment there.
        if self._silence_run and self._silence_run * settings.frame_in_ms >= self._end_silence_ms:
            self._end_segment(self._frame - self._end_latency_frames, events)
        elif (self._frame - start + 1) * settings.frame_in_ms > settings.max_single_segment_time:
            self._end_segment(self._frame, events)

    def _end_segment(self, last_frame: int, events: list[VadEvent]) -> None:
        self._next_start = last_frame + 1
        events.append(SegmentEnded(self._next_start * self._settings.frame_in_ms))
        self._begin_silence()
        self._only_segment_over = self._settings.detect_mode == SINGLE_UTTERANCE
