from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
from numpy.typing import NDArray

from asr_server.paraformer.model_dir import ModelError
from asr_server.paraformer.sessions import RuntimeSettings, session_options
from asr_server.paraformer.streaming import OnlineRecogniser


@pytest.mark.parametrize(
    "settings",
    [
        RuntimeSettings(model_thread_num=2),
        RuntimeSettings(cpu_arena=True),
        RuntimeSettings(cpu_arena=True, arena_extend_strategy="kSameAsRequested"),
        RuntimeSettings(cpu_arena=True, arena_shrinkage=True),
        RuntimeSettings(cpu_arena=True, arena_extend_strategy="kSameAsRequested", arena_shrinkage=True),
        RuntimeSettings(memory_pattern=False),
    ],
)
def test_memory_settings_do_not_change_what_is_recognised(
    tiny: Path, online: OnlineRecogniser, mandarin: NDArray[np.float32], settings: RuntimeSettings
) -> None:
    stream = OnlineRecogniser.load(tiny / "online", settings).new_stream()
    assert stream.accept(mandarin, is_final=True) == online.new_stream().accept(mandarin, is_final=True)


def test_settings_reach_onnx_runtime() -> None:
    options = session_options(RuntimeSettings(model_thread_num=3, memory_pattern=False))
    assert options.intra_op_num_threads == 3
    assert options.inter_op_num_threads == 1
    assert not options.enable_cpu_mem_arena
    assert not options.enable_mem_pattern
    assert options.get_session_config_entry("session.intra_op.allow_spinning") == "0"
    assert session_options(RuntimeSettings(cpu_arena=True)).enable_cpu_mem_arena


def test_the_extend_strategy_makes_an_arena_of_that_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    registered: list[Any] = []
    monkeypatch.setattr(ort, "OrtArenaCfg", lambda settings: settings)
    monkeypatch.setattr(ort, "create_and_register_allocator", lambda _, arena: registered.append(arena))
    options = session_options(RuntimeSettings(cpu_arena=True, arena_extend_strategy="kSameAsRequested"))
    assert registered == [{"arena_extend_strategy": 1}]
    assert options.get_session_config_entry("session.use_env_allocators") == "1"
    session_options(RuntimeSettings(arena_extend_strategy="kSameAsRequested"))
    assert len(registered) == 1  # without the arena its growth means nothing


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"model_thread_num": 0}, "at least 1"),
        ({"arena_extend_strategy": "kBig"}, "kNextPowerOfTwo or kSameAsRequested"),
        ({"arena_shrinkage": True}, "needs the CPU arena"),
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(ModelError, match=words):
        RuntimeSettings(**wrong)
