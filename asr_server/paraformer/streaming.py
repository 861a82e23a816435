"""The online (streaming) Paraformer: one recogniser for the process, one small state per stream.

A chunk of `chunk_size = (left, chunk, right)` frames of 60 ms is recognised inside a window of left + chunk +
right frames; its neighbours are context only. The state that FunASR keeps per connection is kept per stream
here too: the front end's carry, the frames that overlap two windows, CIF's carry and the decoder's FSMN
caches.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from asr_server.paraformer.cif import CifCarry, integrate_and_fire
from asr_server.paraformer.errors import ModelError
from asr_server.paraformer.frontend import FeatureStream, Floats
from asr_server.paraformer.model_dir import ModelDir, graph_file, read_model_dir
from asr_server.paraformer.positions import position_encoding
from asr_server.paraformer.sessions import (
    GraphSession,
    check_feature_dim,
    check_interface,
    fixed_size,
    input_named,
)
from asr_server.paraformer.vocabulary import check_vocabulary, spoken_words

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from asr_server.paraformer.sessions import RuntimeSettings

DEFAULT_CHUNK_SIZE = (5, 10, 5)
LONGEST_WINDOW_FRAMES = 1000
"""60 s: attention's memory grows with the square of the window, and clients choose it."""
ENCODER_INPUTS = ("speech", "speech_lengths")
ENCODER_OUTPUTS = ("enc", "enc_len", "alphas")
DECODER_INPUTS = ("enc", "enc_len", "acoustic_embeds", "acoustic_embeds_len")
DECODER_OUTPUTS = ("logits", "sample_ids")
CACHE_IN, CACHE_OUT = "in_cache_", "out_cache_"
"""What the names of the decoder's caches begin with; a block's number follows."""


@dataclass(frozen=True)
class OnlineGraphs:
    """The two graphs of an online model and the sizes read from them."""

    encoder: GraphSession
    decoder: GraphSession
    encoder_dim: int
    cache_names: tuple[str, ...]
    """The decoder's cache inputs, one per block."""
    decoder_outputs: tuple[str, ...]
    """What is asked of the decoder: the token ids and the caches, in the order of `cache_names`."""
    empty_caches: tuple[Floats, ...]
    """What every stream begins with; never written to, so that all streams can share it."""


class OnlineRecogniser:
    """A loaded online model. One per process: any number of streams in any threads share it."""

    def __init__(self, model: ModelDir, graphs: OnlineGraphs) -> None:
        """Use graphs that have been checked: see `load`."""
        self.model = model
        self.graphs = graphs
        self.sample_rate_hz = model.frontend.sample_rate_hz

    @classmethod
    def load(
        cls, model_dir: Path, settings: RuntimeSettings, *, quantize: bool | None = None
    ) -> OnlineRecogniser:
        """Load a model folder; raises ModelError, one line, for everything that can be wrong with it.

        The int8 graphs are taken where there are any, unless `quantize` says which.
        """
        model = read_model_dir(model_dir)
        encoder = GraphSession(graph_file(model_dir, "model", quantize=quantize), settings)
        role = "the encoder of an online Paraformer"
        check_interface(encoder, ENCODER_INPUTS, ENCODER_OUTPUTS, role, integers=["speech_lengths"])
        decoder = GraphSession(graph_file(model_dir, "decoder", quantize=quantize), settings)
        role, lengths = "the decoder of an online Paraformer", ["enc_len", "acoustic_embeds_len"]
        check_interface(decoder, DECODER_INPUTS, DECODER_OUTPUTS, role, integers=lengths)
        return cls(model, _read_graphs(model, encoder, decoder))

    def new_stream(self, chunk_size: tuple[int, int, int] = DEFAULT_CHUNK_SIZE) -> OnlineStream:
        """Begin a stream; `chunk_size` counts frames of 60 ms. Raises ValueError when it makes no window."""
        left, chunk, right = chunk_size
        if left < 0 or chunk < 1 or right < 0:
            raise ValueError(f"chunk_size must be [>= 0, >= 1, >= 0] frames, not {list(chunk_size)}")
        if sum(chunk_size) > LONGEST_WINDOW_FRAMES:
            raise ValueError(
                f"chunk_size must not exceed {LONGEST_WINDOW_FRAMES} frames (60 s) in all, "
                f"not {list(chunk_size)}"
            )
        return OnlineStream(self, chunk_size)


class OnlineStream:
    """The state of one connection's audio. Used by one thread at a time.

    Audio is gathered in one buffer and features in another, which every chunk uses again.
    """

    def __init__(self, recogniser: OnlineRecogniser, chunk_size: tuple[int, int, int]) -> None:
        """Begin with no audio: see `OnlineRecogniser.new_stream`."""
        self._model = recogniser.model
        self._graphs = recogniser.graphs
        self._left, self._chunk, self._right = chunk_size
        self._front_end = FeatureStream(self._model.frontend)
        self._feature_scale = np.float32(self._graphs.encoder_dim**0.5)
        self._block: Floats = np.empty(self._chunk * self._model.frontend.samples_per_feature, np.float32)
        """Samples that wait for the chunk to be full."""
        self._window: Floats = np.empty((sum(chunk_size), self._model.frontend.feature_dim), np.float32)
        """One chunk between its neighbours; the first left + right frames stay from chunk to chunk."""
        self._begin()

    def _begin(self) -> None:
        """Set everything but the front end to the beginning of an utterance."""
        self._waiting_samples = 0
        self._frames_seen = 0
        self._window[: self._left + self._right] = 0.0
        self._carry = CifCarry.empty(self._graphs.encoder_dim)
        self._caches: tuple[Floats, ...] = self._graphs.empty_caches

    def reset(self) -> None:
        """Forget everything heard: the next sample begins a new utterance."""
        self._front_end.reset()
        self._begin()

    def accept(self, samples: Floats, *, is_final: bool = False) -> list[str]:
        """Take mono samples in [-1, 1), any number of them, and give the tokens newly decoded.

        Every full chunk is recognised at once and the rest waits, so the tokens do not depend on how the
        audio is cut into packets. `is_final` ends the utterance: the rest is recognised and the stream is
        reset, also when recognition fails.
        """
        tokens: list[str] = []
        try:
            taken = 0
            while taken < len(samples):
                begin = self._waiting_samples
                piece = samples[taken : taken + len(self._block) - begin]
                self._block[begin : begin + len(piece)] = piece
                taken += len(piece)
                self._waiting_samples += len(piece)
                if self._waiting_samples == len(self._block):
                    self._waiting_samples = 0
                    tokens += self._recognise_chunk(self._block)
            if is_final:
                tokens += self._recognise_rest(self._block[: self._waiting_samples])
        finally:
            if is_final:
                self.reset()
        return tokens

    def _features(self, samples: Floats, *, is_final: bool = False) -> Floats:
        """Front end, then FunASR's scaling and the position encoding: [n, feature_dim]."""
        features = self._front_end.accept(samples, is_final=is_final)
        features *= self._feature_scale
        features += position_encoding(self._frames_seen + 1, len(features), features.shape[1])
        self._frames_seen += len(features)
        return features

    def _recognise_chunk(self, samples: Floats) -> list[str]:
        """Recognise the chunk that `samples` complete."""
        window, overlap = self._window, self._left + self._right
        window[overlap:] = self._features(samples)
        try:
            return self._recognise_window(window, is_last=False)
        finally:
            window[:overlap] = window[len(window) - overlap :]

    def _recognise_rest(self, samples: Floats) -> list[str]:
        """Recognise what is left at the end: the look-ahead of the last chunk and a part of a chunk.

        As in FunASR, a rest of less than one frame shift (60 ms) adds nothing to a stream that has been heard
        already, a short rest is merged with the look-ahead into one window, and a long one takes two.
        """
        overlap = self._window[: self._left + self._right]
        if self._frames_seen and len(samples) < self._model.frontend.samples_per_feature:
            return self._recognise_window(overlap, is_last=True)
        features = self._features(samples, is_final=True)
        if self._frames_seen == 0:
            return []
        window = np.concatenate((overlap, features))
        if len(features) + self._right <= self._chunk:
            return self._recognise_window(window, is_last=True)
        missing = len(self._window) - len(window)
        tokens = self._recognise_window(np.pad(window, ((0, missing), (0, 0))), is_last=False)
        # FunASR takes the end of the audio, not the end of the chunk before, for context here. Its models are
        # measured that way, and results stay comparable.
        context = window[len(window) - self._left :]
        rest = np.concatenate((context, window[self._left + self._chunk :]))
        return tokens + self._recognise_window(rest, is_last=True)

    def _recognise_window(self, window: Floats, *, is_last: bool) -> list[str]:
        """Run encoder, CIF and, if a token fired, the decoder over one window of frames."""
        if len(window) == 0:  # the end of a stream whose windows have neither past nor look-ahead
            return []
        enc, enc_len, alphas = self._graphs.encoder.run(
            {
                "speech": window[None],
                "speech_lengths": self._graphs.encoder.integers("speech_lengths", [len(window)]),
            },
            ENCODER_OUTPUTS,
        )
        begin, end = self._left, len(window) if is_last else self._left + self._chunk
        embeds, self._carry = integrate_and_fire(
            enc[0, begin:end],
            alphas[0, begin:end],
            self._carry,
            threshold=self._model.cif_threshold,
            tail_weight=self._model.tail_threshold if is_last else None,
        )
        return self._decode(enc, enc_len, embeds) if len(embeds) else []

    def _decode(self, enc: Floats, enc_len: NDArray[np.int32], embeds: Floats) -> list[str]:
        """Run the decoder over the tokens that fired: embeds [n, dim]."""
        decoder = self._graphs.decoder
        feeds: dict[str, NDArray[Any]] = {
            "enc": enc,
            "enc_len": decoder.integers("enc_len", enc_len),
            "acoustic_embeds": embeds[None],
            "acoustic_embeds_len": decoder.integers("acoustic_embeds_len", [len(embeds)]),
        }
        feeds.update(zip(self._graphs.cache_names, self._caches, strict=True))
        token_ids, *caches = decoder.run(feeds, self._graphs.decoder_outputs)
        # Some exports give the whole window back instead of its end.
        taps = self._graphs.empty_caches[0].shape[2]
        self._caches = tuple(
            cache if cache.shape[2] == taps else cache[:, :, -taps:].copy() for cache in caches
        )
        return spoken_words(self._model, token_ids[0])


def _read_graphs(model: ModelDir, encoder: GraphSession, decoder: GraphSession) -> OnlineGraphs:
    """Read the sizes from the graphs and check that they, and the text files, fit each other."""
    check_feature_dim(encoder, model.frontend.feature_dim)
    caches = [tensor for tensor in decoder.inputs if tensor.name.startswith(CACHE_IN)]
    caches_out = [tensor.name.replace(CACHE_IN, CACHE_OUT) for tensor in caches]
    given = {tensor.name for tensor in decoder.outputs if tensor.name.startswith(CACHE_OUT)}
    if not caches or set(caches_out) != given or len(decoder.inputs) != len(DECODER_INPUTS) + len(caches):
        raise ModelError(
            f"{decoder.path} has {len(caches)} caches in, {len(given)} out and {len(decoder.inputs)} inputs "
            "in all: not the decoder of an online Paraformer"
        )
    check_vocabulary(model, decoder)
    dim = fixed_size(decoder, input_named(decoder, "enc"), 2)
    shapes = [(1, fixed_size(decoder, cache, 1), fixed_size(decoder, cache, 2)) for cache in caches]
    return OnlineGraphs(
        encoder=encoder,
        decoder=decoder,
        encoder_dim=dim,
        cache_names=tuple(cache.name for cache in caches),
        decoder_outputs=("sample_ids", *caches_out),
        empty_caches=tuple(np.zeros(shape, dtype=np.float32) for shape in shapes),
    )
