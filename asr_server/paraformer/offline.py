"""The offline Paraformer: a whole utterance at once, one graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from asr_server.paraformer.errors import ModelError
from asr_server.paraformer.frontend import Floats, extract_features
from asr_server.paraformer.model_dir import ModelDir, graph_file, read_model_dir
from asr_server.paraformer.sessions import GraphSession, as_int32, check_interface, fixed_size
from asr_server.paraformer.vocabulary import check_vocabulary, spoken_words

if TYPE_CHECKING:
    from pathlib import Path

    from asr_server.paraformer.sessions import RuntimeSettings

INPUTS = ("speech", "speech_lengths")
OUTPUTS = ("logits", "token_num")


class OfflineRecogniser:
    """A loaded offline model. One per process; any number of threads may use it at once."""

    def __init__(self, model: ModelDir, graph: GraphSession) -> None:
        """Use a graph that has been checked: see `load`."""
        self.model = model
        self.sample_rate_hz = model.frontend.sample_rate_hz
        self._graph = graph

    @classmethod
    def load(
        cls, model_dir: Path, settings: RuntimeSettings, *, quantize: bool | None = None
    ) -> OfflineRecogniser:
        """Load a model folder; raises ModelError. int8 is preferred unless `quantize` says."""
        model = read_model_dir(model_dir)
        graph = GraphSession(graph_file(model_dir, "model", quantize=quantize), settings)
        check_interface(graph, INPUTS, OUTPUTS, "an offline Paraformer")
        feature_dim = fixed_size(graph, graph.inputs[0], 2)
        if feature_dim != model.frontend.feature_dim:
            raise ModelError(
                f"{graph.path} takes {feature_dim} features, config.yaml gives {model.frontend.feature_dim}"
            )
        check_vocabulary(model, graph)
        return cls(model, graph)

    def recognise(self, samples: Floats) -> list[str]:
        """Give the tokens of an utterance: mono samples in [-1, 1). Audio under 25 ms has none."""
        features = extract_features(np.asarray(samples, dtype=np.float32), self.model.frontend)
        if len(features) == 0:
            return []
        outputs = self._graph.run({"speech": features[None], "speech_lengths": as_int32(len(features))})
        logits, counts = outputs[:2]
        count = int(counts[0]) - self.model.predictor_bias
        if count <= 0:
            return []
        return spoken_words(self.model, logits[0, :count].argmax(axis=-1))
