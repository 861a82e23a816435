"""The offline Paraformer: a whole utterance at once, one graph."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from asr_server.paraformer.errors import ModelError
from asr_server.paraformer.frontend import Floats, extract_features
from asr_server.paraformer.model_dir import ModelDir, graph_file, read_model_dir
from asr_server.paraformer.sessions import (
    RUN_FAILURES,
    GraphSession,
    check_feature_dim,
    check_interface,
    one_line,
)
from asr_server.paraformer.vocabulary import check_vocabulary, spoken_words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from asr_server.paraformer.sessions import RuntimeSettings

logger = logging.getLogger(__name__)

INPUTS = ("speech", "speech_lengths")
OUTPUTS = ("logits", "token_num")
ROLE = "an offline Paraformer"
BIAS_INPUT = "bias_embed"
"""The input by which a contextual Paraformer's graph is known."""
BLANK_AND_END = (0, 2)
"""Token ids that FunASR takes out of an utterance before it counts its tokens."""


class OfflineRecogniser:
    """A loaded offline model. One per process; any number of threads may use it at once."""

    def __init__(self, model: ModelDir, graph: GraphSession) -> None:
        """Use a graph that has been checked: see `load`."""
        self.model = model
        self.sample_rate_hz = model.frontend.sample_rate_hz
        self._graph = graph
        self._hotwords_seen = False

    @classmethod
    def load(
        cls, model_dir: Path, settings: RuntimeSettings, *, quantize: bool | None = None
    ) -> OfflineRecogniser:
        """Load a model folder; raises ModelError. int8 is preferred unless `quantize` says."""
        model = read_model_dir(model_dir)
        return cls.of(model, load_graph(model_dir, settings, quantize=quantize))

    @classmethod
    def of(cls, model: ModelDir, graph: GraphSession) -> OfflineRecogniser:
        """Check that the graph is one of an offline model and fits the folder; raises ModelError."""
        check_graph(model, graph, INPUTS, ROLE)
        return cls(model, graph)

    def with_hotwords(self, words: Sequence[str]) -> Self:
        """Give a recogniser that knows these hotwords: this model takes none, and says so once."""
        if words and not self._hotwords_seen:
            self._hotwords_seen = True
            logger.warning(
                "hotwords came, but the model in %s takes none: they are ignored from now on; "
                "give --model-dir the folder of a contextual Paraformer to use them",
                self.model.path,
            )
        return self

    def recognise(self, samples: Floats) -> list[str]:
        """Give the tokens of an utterance: mono samples in [-1, 1). Audio under 25 ms has none."""
        return recognise_utterance(self.model, self._graph, samples, {})


def load_graph(model_dir: Path, settings: RuntimeSettings, *, quantize: bool | None) -> GraphSession:
    """Load the graph of a second pass; raises ModelError."""
    return GraphSession(graph_file(model_dir, "model", quantize=quantize), settings)


def check_graph(model: ModelDir, graph: GraphSession, inputs: Sequence[str], role: str) -> None:
    """Raise ModelError unless the graph takes `inputs` and nothing else, and fits the text files."""
    check_interface(graph, inputs, OUTPUTS, role, integers=["speech_lengths"])
    others = [tensor.name for tensor in graph.inputs if tensor.name not in inputs]
    if others:
        raise ModelError(f"{graph.path} is not {role}: it takes {', '.join(others)} too")
    check_feature_dim(graph, model.frontend.feature_dim)
    check_vocabulary(model, graph)


def recognise_utterance(
    model: ModelDir, graph: GraphSession, samples: Floats, others: Mapping[str, NDArray[Any]]
) -> list[str]:
    """Recognise one utterance; `others` feeds what the graph takes besides features and their count.

    A published graph fails where no token fires. As in FunASR's runtimes, that is an utterance without any.
    """
    features = extract_features(np.asarray(samples, dtype=np.float32), model.frontend)
    if len(features) == 0:
        return []
    feeds = {
        "speech": features[None],
        "speech_lengths": graph.integers("speech_lengths", [len(features)]),
        **others,
    }
    try:
        logits, counts = graph.run(feeds, OUTPUTS)
    except RUN_FAILURES as error:
        logger.warning(
            "%s failed on %d samples, which are taken for silence: %s",
            graph.path,
            len(samples),
            one_line(error),
        )
        return []
    best = logits[0, : max(int(counts[0]), 0)].argmax(axis=-1)
    # In this order, as funasr-onnx has it: an end mark is not counted among the tokens to leave out.
    kept = best[~np.isin(best, BLANK_AND_END)]
    return spoken_words(model, kept[: max(int(counts[0]) - model.predictor_bias, 0)])
