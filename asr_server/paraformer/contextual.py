"""The contextual (hotword) Paraformer: the offline model with a second graph that reads the hotwords.

`model_eb.onnx` turns every hotword into one vector, and `model.onnx` takes these vectors as `bias_embed`
beside the features. The last vector always stands for "none of them". As in FunASR's C++ servers, hotwords
are cut at ten tokens, and one with a token outside of the vocabulary is left out.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import numpy as np

from asr_server.paraformer.errors import ModelError
from asr_server.paraformer.hotword_tokens import HotwordTokens
from asr_server.paraformer.model_dir import ModelDir, graph_file, read_model_dir
from asr_server.paraformer.offline import (
    BIAS_INPUT,
    INPUTS,
    OfflineRecogniser,
    check_graph,
    load_graph,
    recognise_utterance,
)
from asr_server.paraformer.sessions import INTEGERS, GraphSession, fixed_size, input_named

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from asr_server.paraformer.frontend import Floats
    from asr_server.paraformer.sessions import RuntimeSettings

logger = logging.getLogger(__name__)

HOTWORD_GRAPH = "model_eb"
LONGEST_HOTWORD = 10
"""Tokens of a hotword that count, in all of FunASR's runtimes."""
NO_HOTWORD = 1
"""The token, `<s>`, that is the last hotword of every list."""
SHOWN_WORDS = 5
"""Hotwords that a log line names."""
HOTWORDS_PER_RUN = 128
"""The graph gives a vector for every prefix of every hotword; this bounds them to a few MB."""


class ContextualRecogniser:
    """A loaded contextual model. One per process; any number of threads may use it at once."""

    def __init__(self, model: ModelDir, graph: GraphSession, hotword_graph: GraphSession) -> None:
        """Use graphs that have been checked: see `load`."""
        self.model = model
        self.sample_rate_hz = model.frontend.sample_rate_hz
        self._graph = graph
        self._hotword_graph = hotword_graph
        self._tokens = HotwordTokens.read(model)
        self._nobody = BiasedRecogniser(self, self.embed(()))

    @classmethod
    def load(
        cls, model_dir: Path, settings: RuntimeSettings, *, quantize: bool | None = None
    ) -> ContextualRecogniser:
        """Load a model folder; raises ModelError. int8 is preferred unless `quantize` says."""
        model = read_model_dir(model_dir)
        return cls.of(model, load_graph(model_dir, settings, quantize=quantize), settings, quantize=quantize)

    @classmethod
    def of(
        cls, model: ModelDir, graph: GraphSession, settings: RuntimeSettings, *, quantize: bool | None
    ) -> ContextualRecogniser:
        """Load the graph of the hotwords and check that both fit the folder; raises ModelError."""
        check_graph(model, graph, (*INPUTS, BIAS_INPUT), "a contextual Paraformer")
        hotword_graph = GraphSession(graph_file(model.path, HOTWORD_GRAPH, quantize=quantize), settings)
        _check_hotword_graph(hotword_graph, graph)
        return cls(model, graph, hotword_graph)

    def with_hotwords(self, words: Sequence[str]) -> BiasedRecogniser:
        """Give a recogniser that expects these hotwords; computing their vectors takes a moment."""
        return BiasedRecogniser(self, self.embed(words)) if words else self._nobody

    def embed(self, words: Sequence[str]) -> Floats:
        """Turn hotwords into vectors: [hotwords + 1, dim]. Those that cannot be spelled are left out."""
        found = {word: self._tokens.spell(word) for word in words}
        spelled = [token_ids[:LONGEST_HOTWORD] for token_ids in found.values() if token_ids is not None]
        if len(spelled) < len(found):
            unknown = [word for word, token_ids in found.items() if token_ids is None]
            logger.info(
                "%d of %d hotwords are left out, for the model has no tokens for them: %s",
                len(unknown),
                len(found),
                ", ".join(f"{word!r:.40}" for word in unknown[:SHOWN_WORDS]),
            )
        spelled.append([NO_HOTWORD])
        blocks = [
            self._embed_block(spelled[start : start + HOTWORDS_PER_RUN])
            for start in range(0, len(spelled), HOTWORDS_PER_RUN)
        ]
        return np.concatenate(blocks)

    def recognise(self, samples: Floats, bias_embed: Floats | None = None) -> list[str]:
        """Give the tokens of an utterance; see `OfflineRecogniser.recognise`, and `embed` for the rest."""
        if bias_embed is None:
            return self._nobody.recognise(samples)
        return recognise_utterance(self.model, self._graph, samples, {BIAS_INPUT: bias_embed[None]})

    def _embed_block(self, spelled: Sequence[Sequence[int]]) -> Floats:
        padded = np.zeros((len(spelled), LONGEST_HOTWORD), dtype=np.int64)
        for row, token_ids in zip(padded, spelled, strict=True):
            row[: len(token_ids)] = token_ids
        name = self._hotword_graph.inputs[0].name
        (states,) = self._hotword_graph.run(
            {name: self._hotword_graph.integers(name, padded)}, [self._hotword_graph.outputs[0].name]
        )
        last = [len(token_ids) - 1 for token_ids in spelled]
        vectors: Floats = states[last, np.arange(len(spelled))]  # states: [tokens, hotwords, dim]
        return vectors


class BiasedRecogniser:
    """A contextual model with one list of hotwords in mind: what a connection holds."""

    def __init__(self, model: ContextualRecogniser, bias_embed: Floats) -> None:
        """Keep the vectors of the hotwords: see `ContextualRecogniser.with_hotwords`."""
        self._model = model
        self._bias_embed = bias_embed

    def recognise(self, samples: Floats) -> list[str]:
        """Give the tokens of an utterance; see `OfflineRecogniser.recognise`."""
        return self._model.recognise(samples, self._bias_embed)


def load_second_pass(
    model_dir: Path, settings: RuntimeSettings, *, quantize: bool | None = None
) -> OfflineRecogniser | ContextualRecogniser:
    """Load a regular or a contextual model, whichever the graph in the folder is; raises ModelError."""
    model = read_model_dir(model_dir)
    graph = load_graph(model_dir, settings, quantize=quantize)
    if any(tensor.name == BIAS_INPUT for tensor in graph.inputs):
        return ContextualRecogniser.of(model, graph, settings, quantize=quantize)
    return OfflineRecogniser.of(model, graph)


def _check_hotword_graph(hotword_graph: GraphSession, graph: GraphSession) -> None:
    """Raise ModelError unless the one graph gives what the other takes."""
    inputs, output = hotword_graph.inputs, hotword_graph.outputs[0]
    if len(inputs) != 1 or inputs[0].type not in INTEGERS or len(output.shape) != 3:
        raise ModelError(
            f"{hotword_graph.path} is not the hotword encoder of a contextual Paraformer: it must take token "
            "ids and give a vector for each of them"
        )
    given, taken = fixed_size(hotword_graph, output, 2), fixed_size(graph, input_named(graph, BIAS_INPUT), 2)
    if given != taken:
        raise ModelError(
            f"{hotword_graph.path} gives {given} numbers per hotword, {graph.path.name} takes {taken}: "
            "the files are not of one model"
        )
