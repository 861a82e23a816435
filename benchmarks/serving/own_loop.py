"""Recognises a recording in a bare loop, and gives its windows to bare `session.run`, in turn.

`python -m benchmarks.serving.own_loop MODEL_DIR PCM_FILE LEFT CHUNK RIGHT ROUNDS` prints one line of JSON. It
is a process of its own so that it can have a core of its own.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import onnxruntime as ort

from asr_server.paraformer.sessions import GraphSession, RuntimeSettings, session_options
from asr_server.paraformer.streaming import OnlineRecogniser
from asr_server.paraformer.tokens import tokens_to_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

PACKET_SAMPLES = 960
"""60 ms, as streams come."""
Call = tuple[Any, "Sequence[str] | None", "Mapping[str, NDArray[Any]]"]
"""A session and the arguments of its `run`."""


@dataclass
class Recorder:
    """Stands before a graph and keeps what it is given, for a bare session of the same graph."""

    graph: GraphSession
    bare: Any
    calls: list[Call]

    def integers(self, name: str, values: ArrayLike) -> NDArray[Any]:
        """See `GraphSession`."""
        return self.graph.integers(name, values)

    def run(
        self, feeds: Mapping[str, NDArray[Any]], wanted: Sequence[str] | None = None
    ) -> list[NDArray[Any]]:
        """See `GraphSession`."""
        self.calls.append((self.bare, wanted, {name: np.array(value) for name, value in feeds.items()}))
        return self.graph.run(feeds, wanted)


def recognise(
    recogniser: OnlineRecogniser, chunk_size: tuple[int, int, int], samples: NDArray[np.float32]
) -> str:
    """Stream a recording in packets; give its transcript."""
    stream = recogniser.new_stream(chunk_size)
    tokens: list[str] = []
    for start in range(0, len(samples), PACKET_SAMPLES):
        tokens += stream.accept(samples[start : start + PACKET_SAMPLES])
    return tokens_to_text(tokens + stream.accept(samples[:0], is_final=True))


def record_calls(
    recogniser: OnlineRecogniser,
    settings: RuntimeSettings,
    recognise_with: Callable[[OnlineRecogniser], object],
) -> list[Call]:
    """Give every run of a graph that a recognition makes, for sessions of their own."""
    calls: list[Call] = []

    def recorder(graph: GraphSession) -> GraphSession:
        bare = ort.InferenceSession(
            str(graph.path), session_options(settings), providers=["CPUExecutionProvider"]
        )
        return cast("GraphSession", Recorder(graph, bare, calls))

    graphs = recogniser.graphs
    recorded = replace(graphs, encoder=recorder(graphs.encoder), decoder=recorder(graphs.decoder))
    recognise_with(OnlineRecogniser(recogniser.model, recorded))
    return calls


def run_bare(calls: list[Call]) -> None:
    """Run the graphs and nothing else."""
    for session, wanted, feeds in calls:
        session.run(wanted, feeds)


def cpu_s(work: Callable[[], object]) -> float:
    """CPU time of this process that `work` takes."""
    began_s = time.process_time()
    work()
    return time.process_time() - began_s


def main() -> None:
    """Measure and print."""
    folder, pcm_file, *numbers = sys.argv[1:]
    left, chunk, right, rounds = (int(number) for number in numbers)
    samples = (np.fromfile(pcm_file, dtype="<i2") / 32768).astype(np.float32)
    settings, chunk_size = RuntimeSettings(), (left, chunk, right)
    recogniser = OnlineRecogniser.load(Path(folder), settings)
    calls = record_calls(recogniser, settings, lambda recording: recognise(recording, chunk_size, samples))
    run_bare(calls)
    whole_s, bare_s = [], []
    for _ in range(rounds):
        bare_s.append(cpu_s(lambda: run_bare(calls)))
        whole_s.append(cpu_s(lambda: recognise(recogniser, chunk_size, samples)))
    audio_s = len(samples) / recogniser.sample_rate_hz
    answer = {
        "transcript": recognise(recogniser, chunk_size, samples),
        "whole": [each / audio_s for each in whole_s],
        "bare": [each / audio_s for each in bare_s],
    }
    print(json.dumps(answer, ensure_ascii=False))


if __name__ == "__main__":
    main()
