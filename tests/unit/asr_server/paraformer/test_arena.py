"""What the arenas of ONNX Runtime hold, against the profile that its sessions can write."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest

from asr_server.paraformer.arena import FOOTHOLD_BYTES, ROUNDED_TO_BYTES, ArenaGauge, read_refusal
from asr_server.paraformer.sessions import (
    ARENA_EXTEND_STRATEGIES,
    GraphSession,
    RuntimeSettings,
    count_arenas,
    read_arenas,
    session_options,
    shrink_arenas,
)

MIB = 2**20
SHORT, LONG = 20, 800
"""Frames. What is computed of the long ones takes tens of MiB."""


def frames(count: int) -> dict[str, Any]:
    return {
        "speech": np.random.default_rng(1).random((1, count, 560), np.float32),
        "speech_lengths": np.array([count], np.int32),
    }


def load(tiny: Path, **settings: Any) -> GraphSession:
    return GraphSession(tiny / "offline" / "model_quant.onnx", RuntimeSettings(**settings))


def usage_of(graph: GraphSession) -> tuple[int, int]:
    usage = graph.arena_usage()
    assert usage is not None
    return usage.loaded_bytes, usage.held_bytes


@pytest.mark.parametrize("strategy", ARENA_EXTEND_STRATEGIES)
def test_an_arena_grows_with_its_largest_run_and_shrinks_when_asked(tiny: Path, strategy: str) -> None:
    graph = load(tiny, cpu_arena=True, arena_extend_strategy=strategy)
    loaded, held = usage_of(graph)
    assert loaded == held > MIB  # its weights
    graph.run(frames(LONG))
    assert usage_of(graph)[1] > held + 20 * MIB
    graph.run(frames(SHORT))
    grown = usage_of(graph)[1]
    assert grown > held + 20 * MIB
    assert shrink_arenas(lambda: graph.run(frames(SHORT))) >= 1
    assert usage_of(graph)[1] < held + MIB
    graph.run(frames(LONG))
    assert usage_of(graph)[1] > held + 20 * MIB  # asking has broken nothing, and shrinking is over


def test_every_session_has_an_arena_of_its_own(tiny: Path) -> None:
    for strategy in ARENA_EXTEND_STRATEGIES:
        first, second = (load(tiny, cpu_arena=True, arena_extend_strategy=strategy) for _ in range(2))
        before = usage_of(second)
        first.run(frames(LONG))
        assert usage_of(second) == before
        del first, second


def test_it_agrees_with_the_profile(tiny: Path, tmp_path: Path) -> None:
    options = session_options(RuntimeSettings(cpu_arena=True))
    options.enable_profiling = True
    options.profile_file_prefix = str(tmp_path / "profile")
    session = ort.InferenceSession(
        str(tiny / "offline" / "model_quant.onnx"), options, providers=["CPUExecutionProvider"]
    )
    gauge = ArenaGauge.of(session)
    assert gauge is not None
    for count in (SHORT, LONG):
        session.run(None, frames(count))
    events = json.loads(Path(session.end_profiling()).read_text())
    told = [event["args"] for event in events if "mem_arena_held" in event.get("args", {})]
    held = gauge.held_bytes()
    assert held is not None
    assert abs(held - int(told[-1]["mem_arena_held"])) <= ROUNDED_TO_BYTES
    assert int(told[-1]["mem_in_use_peak"]) <= held


def test_without_an_arena_there_is_nothing_to_read(tiny: Path) -> None:
    graphs = count_arenas(), [usage.graph for usage in read_arenas()]
    graph = load(tiny)
    assert graph.arena_usage() is None
    assert (count_arenas(), [usage.graph for usage in read_arenas()]) == graphs


def test_arenas_are_told_apart_by_folder_and_file(tiny: Path) -> None:
    graph = load(tiny, cpu_arena=True)
    assert graph.name == "offline/model_quant"
    assert graph.arena_usage() in read_arenas()
    assert count_arenas() >= 1


def test_a_session_that_cannot_be_asked_is_not() -> None:
    class Former:
        """A session of a version without the call."""

        _sess = object()

    assert ArenaGauge.of(Former()) is None


@pytest.mark.parametrize(
    ("message", "held_bytes"),
    [
        (
            "Available memory of 18446744073705298432 is smaller than requested bytes of 1",
            4253183 // 256 * 256,
        ),
        ("Available memory of 1000 is smaller than requested bytes of 2000", None),  # a limit of its own
        ("Failed to allocate memory for requested buffer of size 9223372036854775808", None),
        ("bad allocation", None),
    ],
)
def test_only_a_refusal_that_is_understood_counts(message: str, held_bytes: int | None) -> None:
    assert read_refusal(message) == held_bytes


def test_the_foothold_is_large_enough_for_the_request_to_be_refused() -> None:
    assert FOOTHOLD_BYTES >= 512
