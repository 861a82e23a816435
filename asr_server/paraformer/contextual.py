"""The contextual (hotword) Paraformer: the offline model with a second graph that reads the hotwords.

`model_eb.onnx` turns every hotword into one vector, and `model.onnx` takes these vectors as `bias_embed`
beside the features. The last vector always stands for "none of them". As in FunASR's C++ servers, hotwords
are cut at ten tokens, and one with a token outside of the vocabulary is left out.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from asr_server.paraformer.errors import ModelError
from asr_server.paraformer.hotword_tokens import LONGEST_HOTWORD, HotwordTokens
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
NO_HOTWORD = 1
"""The token, `<s>`, that is the last hotword of every list."""
SHOWN_WORDS = 5
"""Hotwords that a log line names."""
HOTWORDS_PER_RUN = 128
"""The graph gives a vector for every prefix of every hotword; this bounds them to a few MB."""


class HotwordEncoder:
    """The graph that turns hotwords into vectors, and how the model spells them. Any thread may use it."""

    def __init__(self, model: ModelDir, graph: GraphSession) -> None:
        """Use a graph that has been checked; raises ModelError for an unreadable `seg_dict`."""
        self._graph = graph
        self._tokens = HotwordTokens.read(model)
        fixed = graph.inputs[0].shape[1]
        self._row_length = fixed if isinstance(fixed, int) else LONGEST_HOTWORD

    def encode(self, words: Sequence[str]) -> Floats:
        """Turn hotwords into vectors, [hotwords, dim]. Those that cannot be spelled are left out."""
        found = {word: self._tokens.spell(word) for word in words}
        unknown = [word for word, token_ids in found.items() if token_ids is None]
        if unknown:
            shown = ", ".join(f"{word!r:.40}" for word in unknown[:SHOWN_WORDS])
            logger.info(
                "%d of %d hotwords left out, the model has no tokens for them: %s",
                len(unknown),
                len(found),
                shown,
            )
        return self._vectors([token_ids for token_ids in found.values() if token_ids is not None])

    def no_hotword(self) -> Floats:
        """The vector that ends every list: [1, dim]."""
        return self._vectors([[NO_HOTWORD]])

    def _vectors(self, spelled: Sequence[Sequence[int]]) -> Floats:
        """Token ids of hotwords -> [hotwords, dim], a bounded number at a time."""
        dim = fixed_size(self._graph, self._graph.outputs[0], 2)
        vectors = np.empty((len(spelled), dim), dtype=np.float32)
        for start in range(0, len(spelled), HOTWORDS_PER_RUN):
            block = spelled[start : start + HOTWORDS_PER_RUN]
            vectors[start : start + len(block)] = self._block(block)
        return vectors

    def _block(self, spelled: Sequence[Sequence[int]]) -> Floats:
        padded = np.zeros((len(spelled), self._row_length), dtype=np.int64)
        counts = [min(len(token_ids), self._row_length) for token_ids in spelled]
        for row, token_ids, count in zip(padded, spelled, counts, strict=True):
            row[:count] = token_ids[:count]
        taken, given = self._graph.inputs[0].name, self._graph.outputs[0].name
        (states,) = self._graph.run({taken: self._graph.integers(taken, padded)}, [given])
        # [tokens, hotwords, dim]: what stands for a hotword is the state after its last token.
        vectors: Floats = states[np.array(counts) - 1, np.arange(len(spelled))]
        return vectors


@dataclass(frozen=True)
class ContextualRecogniser:
    """A loaded contextual model and the hotwords that it expects.

    The graphs are loaded once per process and shared; a connection with hotwords of its own holds one of
    these, which is its words and their vectors. Any number of threads may use it at once.
    """

    model: ModelDir
    graph: GraphSession
    encoder: HotwordEncoder
    words: tuple[str, ...]
    """The hotwords expected."""
    bias_embed: Floats
    """Their vectors and, last, that of no hotword: [hotwords that can be spelled + 1, dim]."""

    @classmethod
    def load(
        cls, model_dir: Path, settings: RuntimeSettings, *, quantize: bool | None = None
    ) -> ContextualRecogniser:
        """Load a model folder; raises ModelError. int8 is preferred unless `quantize` says."""
        model = read_model_dir(model_dir)
        return cls.of(model, load_graph(model_dir, settings, quantize=quantize), settings, quantize=quantize)

    @classmethod
    def of(
        cls, model: ModelDir, graph: GraphSession, settings: RuntimeSettings, *, quantize: bool | None = None
    ) -> ContextualRecogniser:
        """Load the graph of the hotwords and check that both fit the folder; raises ModelError.

        The folders have it in float, beside an int8 model too.
        """
        check_graph(model, graph, (*INPUTS, BIAS_INPUT), "a contextual Paraformer")
        either = None if quantize else quantize
        hotword_graph = GraphSession(graph_file(model.path, HOTWORD_GRAPH, quantize=either), settings)
        _check_hotword_graph(hotword_graph, graph)
        encoder = HotwordEncoder(model, hotword_graph)
        return cls(model, graph, encoder, words=(), bias_embed=encoder.no_hotword())

    @property
    def sample_rate_hz(self) -> int:
        """Samples per second that the model wants."""
        return self.model.frontend.sample_rate_hz

    def with_hotwords(self, words: Sequence[str]) -> ContextualRecogniser:
        """Give a recogniser that expects these hotwords too. Computing their vectors takes a moment."""
        new = tuple(word for word in dict.fromkeys(words) if word not in set(self.words))
        if not new:
            return self
        bias_embed = np.concatenate((self.encoder.encode(new), self.bias_embed))
        return replace(self, words=(*new, *self.words), bias_embed=bias_embed)

    def recognise(self, samples: Floats) -> list[str]:
        """Give the tokens of an utterance: mono samples in [-1, 1). Audio under 25 ms has none."""
        return recognise_utterance(self.model, self.graph, samples, {BIAS_INPUT: self.bias_embed[None]})


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
    if (
        [len(tensor.shape) for tensor in inputs] != [2]
        or inputs[0].type not in INTEGERS
        or len(output.shape) != 3
    ):
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
