"""FunASR's FSMN voice activity detector: one network for the process, one small state per stream.

The network gives for every 10 ms the probability of silence; `endpoint` makes segments of them. What FunASR
keeps per connection is kept per stream here too: the front end's carry, the memories of the blocks, the state
of the end-point rules.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from asr_server.paraformer.errors import ModelError
from asr_server.paraformer.frontend import FeatureStream, Floats
from asr_server.paraformer.model_dir import graph_file
from asr_server.paraformer.sessions import (
    GraphSession,
    TensorInterface,
    check_feature_dim,
    check_interface,
    fixed_size,
    one_line,
)
from asr_server.vad.endpoint import EndpointDetector
from asr_server.vad.loudness import LoudnessGate
from asr_server.vad.model_dir import VadDir, read_vad_dir

if TYPE_CHECKING:
    from pathlib import Path

    from asr_server.paraformer.sessions import RuntimeSettings
    from asr_server.vad.events import VadEvent

DEFAULT_BLOCK_MS: Final = 60
"""Audio per run of the network: what a client sends at a time. Longer blocks cost less and are later."""
CACHE_IN, CACHE_OUT = "in_cache", "out_cache"
"""What the names of the blocks' memories begin with; a block's number follows."""
_TOLERANCE: Final = 0.01


@dataclass(frozen=True)
class FsmnGraph:
    """The graph of a detector and what was read from it."""

    session: GraphSession
    cache_names: tuple[str, ...]
    """The cache inputs, one per block."""
    outputs: tuple[str, ...]
    """What is asked of the graph: the probabilities and the caches, in the order of `cache_names`."""
    empty_caches: tuple[Floats, ...]
    """What every stream begins with; never written to, so that all streams can share it."""


class FsmnVad:
    """A loaded detector. One per process: any number of streams in any threads share it."""

    def __init__(self, model: VadDir, graph: FsmnGraph, block_ms: int = DEFAULT_BLOCK_MS) -> None:
        """Use a graph that has been checked: see `load`."""
        self.model = model
        self.graph = graph
        self.block_ms = block_ms
        self.sample_rate_hz = model.frontend.sample_rate_hz

    @classmethod
    def load(
        cls,
        vad_dir: Path,
        settings: RuntimeSettings,
        *,
        quantize: bool | None = None,
        block_ms: int = DEFAULT_BLOCK_MS,
    ) -> FsmnVad:
        """Load a VAD folder; raises ModelError, one line, for everything that can be wrong with it.

        The int8 graph is taken where there is one, unless `quantize` says which.
        """
        model = read_vad_dir(vad_dir)
        session = GraphSession(graph_file(vad_dir, "model", quantize=quantize), settings)
        return cls(model, _read_graph(model, session), block_ms)

    @property
    def look_back_ms(self) -> int:
        """The start's latency, the block being filled, and the frames that the front end waits for."""
        frontend, endpoint = self.model.frontend, self.model.endpoint
        waiting_ms = frontend.frame_length_ms + frontend.frame_shift_ms * frontend.lfr_m
        return endpoint.start_latency_frames * endpoint.frame_in_ms + self.block_ms + round(waiting_ms)

    def new_stream(self) -> FsmnStream:
        """Make the state of one connection."""
        return FsmnStream(self)


class FsmnStream:
    """The state of one connection's audio: about 60 KB, however long it is."""

    def __init__(self, detector: FsmnVad) -> None:
        """Begin with no audio: see `FsmnVad.new_stream`."""
        frontend, endpoint = detector.model.frontend, detector.model.endpoint
        self._endpoint_settings = endpoint
        self._graph = detector.graph
        self._block_samples = detector.block_ms * detector.sample_rate_hz // 1000
        self._silence_ids = list(endpoint.sil_pdf_ids)
        self._front_end = FeatureStream(frontend)
        self._gate = LoudnessGate(endpoint, frontend) if LoudnessGate.is_needed(endpoint, frontend) else None
        self._endpoint = EndpointDetector(endpoint)
        self._begin()

    def _begin(self) -> None:
        self._samples: Floats = np.zeros(0, np.float32)
        self._caches = self._graph.empty_caches

    def reset(self) -> None:
        """Forget everything: a new utterance begins at 0 ms."""
        self._front_end.reset()
        self._endpoint.reset()
        if self._gate is not None:
            self._gate.reset()
        self._begin()

    def accept(self, samples: Floats, *, is_final: bool = False) -> list[VadEvent]:
        """Take mono samples in [-1, 1), any number of them; `is_final` ends an open segment.

        The network runs over blocks of one length and the rest waits, so that events do not depend on how the
        audio is cut into packets: an int8 graph scales the frames of a run by the largest value among them.
        """
        self._samples = np.concatenate((self._samples, samples))
        events: list[VadEvent] = []
        start = 0
        while len(self._samples) - start >= self._block_samples:
            block = self._samples[start : start + self._block_samples]
            start += self._block_samples
            events += self._endpoint.accept(self._speech(self.probabilities(block)))
        self._samples = self._samples[start:].copy()
        if is_final:
            rest = self.probabilities(self._samples, is_final=True)
            events += self._endpoint.accept(self._speech(rest), is_final=True)
            self.reset()
        return events

    def probabilities(self, block: Floats, *, is_final: bool = False) -> Floats:
        """Run the network over the frames that `block` completes: [T, outputs]; T may be 0."""
        if self._gate is not None:
            self._gate.hear(block)
        features = self._front_end.accept(block, is_final=is_final)
        if len(features) == 0:
            return np.zeros((0, max(self._silence_ids) + 1), np.float32)
        feeds = {"speech": features[None], **dict(zip(self._graph.cache_names, self._caches, strict=True))}
        probabilities, *caches = self._graph.session.run(feeds, self._graph.outputs)
        self._caches = tuple(caches)
        frames: Floats = probabilities[0]
        return frames

    def _speech(self, probabilities: Floats) -> list[bool]:
        """Decide for each frame whether it is speech."""
        settings = self._endpoint_settings
        silence = probabilities[:, self._silence_ids].sum(axis=1, dtype=np.float64)
        speech = 1.0 - silence >= silence**settings.speech_2_noise_ratio + settings.speech_noise_thres
        decided: list[bool] = speech.tolist() if self._gate is None else self._gate.loud_enough(speech)
        return decided


def _read_graph(model: VadDir, session: GraphSession) -> FsmnGraph:
    """Read the sizes from the graph and check that they, and the text files, fit each other."""
    check_interface(session, ("speech", f"{CACHE_IN}0"), ("logits", f"{CACHE_OUT}0"), "an FSMN VAD")
    feature_dim = check_feature_dim(session, model.frontend.feature_dim)
    caches = [tensor for tensor in session.inputs if tensor.name.startswith(CACHE_IN)]
    caches_out = [tensor.name.replace(CACHE_IN, CACHE_OUT) for tensor in caches]
    given = {tensor.name for tensor in session.outputs if tensor.name.startswith(CACHE_OUT)}
    if set(caches_out) != given or len(session.inputs) != 1 + len(caches):
        raise ModelError(
            f"{session.path} has {len(caches)} caches in, {len(given)} out and {len(session.inputs)} inputs "
            "in all: not an FSMN VAD"
        )
    empty_caches = tuple(_empty_cache(session, cache) for cache in caches)
    names, outputs = tuple(cache.name for cache in caches), ("logits", *caches_out)
    probe = np.zeros((1, 1, feature_dim), np.float32)
    try:
        first = session.run({"speech": probe, **dict(zip(names, empty_caches, strict=True))}, outputs)[0]
    except Exception as error:  # whatever ONNX Runtime raises, this graph cannot be run
        raise ModelError(f"{session.path} is not an FSMN VAD: {one_line(error)}") from error
    if first.ndim != 3 or abs(float(first.sum()) - 1.0) > _TOLERANCE or first.min() < 0:
        raise ModelError(f"{session.path} gives no probabilities in its logits: not an FSMN VAD")
    if max(model.endpoint.sil_pdf_ids) >= first.shape[2] or min(model.endpoint.sil_pdf_ids) < 0:
        raise ModelError(
            f"{model.path / 'config.yaml'}: sil_pdf_ids {list(model.endpoint.sil_pdf_ids)} are not among the "
            f"{first.shape[2]} outputs of {session.path.name}"
        )
    return FsmnGraph(session, names, outputs, empty_caches)


def _empty_cache(session: GraphSession, cache: TensorInterface) -> Floats:
    """Zeros of the shape that the graph fixes; the batch is one stream."""
    shape = (1, *(fixed_size(session, cache, axis) for axis in range(1, len(cache.shape))))
    return np.zeros(shape, np.float32)
