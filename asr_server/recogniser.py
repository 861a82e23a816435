"""What one connection hears: VAD cuts sentences, the first pass streams them, the second pass corrects them.

Pure with regard to sockets and threads: audio in, `Result`s out. A `ConnectionRecogniser` holds all the
streaming state of its connection; the models are shared by all of them.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, Literal, Protocol

import numpy as np

from asr_server.hotwords import parse_hotwords
from asr_server.paraformer.tokens import UNSPOKEN, tokens_to_text
from asr_server.resample import Resampler
from asr_server.vad.energy import EnergyVad
from asr_server.vad.events import SegmentStarted
from asr_server.wire import Result, UtteranceConfig

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from asr_server.vad.events import VadModel

SAMPLE_RATE_HZ: Final = 16000
_SAMPLES_PER_MS: Final = SAMPLE_RATE_HZ // 1000


class OnlineStream(Protocol):
    """Streaming recognition of one connection; see `asr_server.paraformer.streaming.OnlineStream`."""

    def accept(self, samples: NDArray[np.float32], *, is_final: bool = False) -> list[str]:
        """Take 16 kHz samples, give the new tokens; `is_final` flushes and leaves the stream fresh."""


class OnlineModel(Protocol):
    """The shared first-pass model."""

    def new_stream(self, chunk_size: tuple[int, int, int] = ...) -> OnlineStream:
        """Make the state of one connection."""


class OfflineModel(Protocol):
    """The shared second-pass model."""

    def recognise(self, samples: NDArray[np.float32]) -> list[str]:
        """Recognise a whole sentence; give its tokens."""

    def with_hotwords(self, words: Sequence[str]) -> OfflineModel:
        """Give a model that expects these words too; itself, if it takes none."""


@dataclass(frozen=True)
class Models:
    """One set of models for the whole process."""

    online: OnlineModel
    offline: OfflineModel
    vad: VadModel = field(default_factory=EnergyVad)


class ConnectionRecogniser:
    """The streaming state of one connection, for one utterance after another; one thread at a time."""

    def __init__(self, models: Models, config: UtteranceConfig) -> None:
        """Create the VAD and the stream, as the original does at the first configuration.

        Raises WireError for more hotwords than a client may send.
        """
        self._models = models
        self._next_config = config
        self._stream = models.online.new_stream(config.chunk_size)
        self._second_pass = models.offline
        self._hotwords = parse_hotwords(config.hotwords)
        self._vad = models.vad.new_stream()
        self._look_back_samples = models.vad.look_back_ms * _SAMPLES_PER_MS
        self._connected_ms = int(time.time() * 1000)
        self._begin_utterance()

    def take_hotwords(self) -> list[Result]:
        """Prepare the second pass for the client's hotwords; gives no results.

        A network reads the words, so this is work for a decoder thread. The original does it on the thread
        that reads the sockets, where a long list of one client holds up all the others.
        """
        self._second_pass = self._models.offline.with_hotwords(self._hotwords)
        return []

    def configure(self, config: UtteranceConfig) -> None:
        """Take a new configuration; it holds from the next utterance on, or now if no audio has come yet."""
        self._next_config = config
        if not self._in_utterance:
            self._begin_utterance()

    def accept(self, pcm: bytes) -> list[Result]:
        """Take PCM16 LE mono at the configured rate; give what was recognised in it."""
        self._in_utterance = True
        samples = np.frombuffer(pcm, "<i2").astype(np.float32) * np.float32(1 / 32768)
        return self._advance(self._resampler.accept(samples), is_final=False)

    def finish(self) -> list[Result]:
        """End the utterance: exactly one of the results, the last, is final, even if it has no text."""
        rest = self._resampler.accept(np.zeros(0, np.float32), is_final=True)
        results = self._advance(rest, is_final=True)
        if results and results[-1].slice_type == 2:
            results[-1] = replace(results[-1], is_final=True)
        else:
            results.append(Result("", self._config.wav_name, is_final=True, timestamp=self._connected_ms))
        self._begin_utterance()
        return results

    def _begin_utterance(self) -> None:
        self._config = self._next_config
        self._resampler = Resampler(self._config.audio_fs, SAMPLE_RATE_HZ)
        self._in_utterance = False
        self._vad.reset()
        self._recent = np.zeros(0, np.float32)  # the last that was heard
        self._heard_samples = 0  # where `_recent` ends, counted from the start of the utterance
        self._taken_samples = 0  # up to where the present sentence has it
        self._in_segment = False
        self._segment_start_ms = 0
        self._segment: list[NDArray[np.float32]] = []
        self._sentence_index = 0
        self._sentence_sent = False  # whether the present sentence has been in a result
        self._last_token: list[str] = []  # to know whether a space belongs before the next one

    def _advance(self, samples: NDArray[np.float32], *, is_final: bool) -> list[Result]:
        """Run the VAD over new samples and recognise what is speech."""
        self._recent = np.concatenate([self._recent, samples])
        self._heard_samples += len(samples)
        results: list[Result] = []
        for event in self._vad.accept(samples, is_final=is_final):
            if isinstance(event, SegmentStarted):
                self._in_segment, self._segment_start_ms = True, event.start_ms
                self._taken_samples = event.start_ms * _SAMPLES_PER_MS
            else:
                results += self._take_in(event.end_ms * _SAMPLES_PER_MS)
                results += self._end_sentence(event.end_ms)
        if self._in_segment:
            results += self._take_in(self._heard_samples)
        # Also what a sentence has taken is kept: the next one may begin inside its last silence.
        self._recent = self._recent[-self._look_back_samples :].copy()
        return results

    def _take_in(self, end_samples: int) -> list[Result]:
        """Give what was heard, from where the present sentence has come to up to `end_samples`, to it."""
        recent_start = self._heard_samples - len(self._recent)
        speech = self._recent[max(0, self._taken_samples - recent_start) : max(0, end_samples - recent_start)]
        self._taken_samples = max(self._taken_samples, end_samples)
        if not len(speech):
            return []
        if self._config.mode != "online":
            self._segment.append(speech.copy())
        if self._config.mode == "offline":
            return []
        return self._partial(self._stream.accept(speech))

    def _end_sentence(self, end_ms: int) -> list[Result]:
        """Flush the first pass and run the second over the audio of the sentence."""
        self._in_segment, start_ms = False, self._segment_start_ms
        results: list[Result] = []
        if self._config.mode != "offline":
            results += self._partial(self._stream.accept(np.zeros(0, np.float32), is_final=True))
        if self._config.mode == "online":
            results = [
                replace(result, slice_type=2, start_time_ms=start_ms, end_time_ms=end_ms)
                for result in results
            ]
        else:
            length = (end_ms - start_ms) * _SAMPLES_PER_MS
            speech = np.concatenate([np.zeros(0, np.float32), *self._segment])[:length]
            self._segment = []
            text = tokens_to_text(self._second_pass.recognise(speech))
            self._last_token = []
            if text:
                sentence = self._result(text, "2pass-offline", slice_type=2)
                results.append(replace(sentence, start_time_ms=start_ms, end_time_ms=end_ms))
        self._sentence_index += self._sentence_sent
        self._sentence_sent = False
        return results

    def _partial(self, tokens: Sequence[str]) -> list[Result]:
        """The increment that `tokens` add to the text, or nothing if they add none."""
        spoken = [token for token in tokens if token not in UNSPOKEN]
        so_far = tokens_to_text(self._last_token)
        text = tokens_to_text([*self._last_token, *spoken])[len(so_far) :]
        self._last_token = [*self._last_token, *spoken][-1:]
        if not text:
            return []
        return [self._result(text, "2pass-online", slice_type=1 if self._sentence_sent else 0)]

    def _result(self, text: str, mode: Literal["2pass-online", "2pass-offline"], slice_type: int) -> Result:
        self._sentence_sent = True
        return Result(
            text, self._config.wav_name, mode, slice_type=slice_type, index=self._sentence_index,
            timestamp=self._connected_ms,
        )  # fmt: skip
