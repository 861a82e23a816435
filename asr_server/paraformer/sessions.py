"""ONNX Runtime sessions and the settings that govern their memory and threads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

import numpy as np
import onnxruntime as ort
from onnxruntime.capi import onnxruntime_pybind11_state as ort_state

from asr_server.paraformer.arena import ArenaGauge
from asr_server.paraformer.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import ArrayLike, NDArray

ARENA_EXTEND_STRATEGIES = {"kNextPowerOfTwo": 0, "kSameAsRequested": 1}
"""ONNX Runtime's names and numbers of how an arena grows."""
INTEGERS: dict[str, type[np.integer[Any]]] = {"tensor(int32)": np.int32, "tensor(int64)": np.int64}
"""ONNX Runtime's words for the types in which graphs take lengths and token ids."""
RUN_FAILURES = (ort_state.Fail, ort_state.InvalidArgument, ort_state.RuntimeException)
"""What `GraphSession.run` raises when an operator does not take what it is given."""
ERRORS_ONLY = 3
"""ONNX Runtime's log severity; its warnings about graphs are nothing the operator of a server can act on."""


@dataclass(frozen=True)
class RuntimeSettings:
    """How ONNX Runtime uses threads and memory."""

    model_thread_num: int = 1
    """Intra-op threads of every session (`--model-thread-num`); operators run one after another."""
    cpu_arena: bool = False
    """Keep tensors in ONNX Runtime's arena instead of malloc's; FunASR turns it off."""
    arena_extend_strategy: str = "kNextPowerOfTwo"
    """How the arena grows: `kNextPowerOfTwo` or `kSameAsRequested`. Only with `cpu_arena`."""
    memory_pattern: bool = True
    """Plan one block for all tensors of a run once the input shapes are known."""
    arena_shrinkage: bool = False
    """Give unused arena regions back after each run. Only with `cpu_arena`."""

    def __post_init__(self) -> None:
        """Refuse settings that make no sense; raises ModelError."""
        if self.model_thread_num < 1:
            raise ModelError(f"model_thread_num must be at least 1, not {self.model_thread_num}")
        if self.arena_extend_strategy not in ARENA_EXTEND_STRATEGIES:
            names = " or ".join(ARENA_EXTEND_STRATEGIES)
            raise ModelError(f"arena_extend_strategy must be {names}, not {self.arena_extend_strategy!r}")
        if self.arena_shrinkage and not self.cpu_arena:
            raise ModelError("arena_shrinkage needs the CPU arena: turn cpu_arena on too")


@dataclass(frozen=True)
class TensorInterface:
    """An input or output of a graph."""

    name: str
    type: str
    """ONNX Runtime's word for it, such as `tensor(float)`."""
    shape: tuple[int | str | None, ...]
    """Sizes; a name or None where the size is free."""


@dataclass(frozen=True)
class ArenaUsage:
    """What the arena of one session has from malloc, in bytes."""

    graph: str
    """The session's `GraphSession.name`."""
    loaded_bytes: int
    """Held when the graph had been loaded: its weights, and the region that an arena begins with."""
    held_bytes: int
    """Held now, in use or free."""


_loaded: WeakSet[GraphSession] = WeakSet()
"""All sessions of this process, for `shrink_arenas` and `read_arenas`."""


class GraphSession:
    """One loaded graph. Any number of threads may run it at once; each run releases the GIL."""

    def __init__(self, graph: Path, settings: RuntimeSettings) -> None:
        """Load `graph`; raises ModelError when it is missing or no ONNX graph that can be run."""
        if not graph.is_file():
            raise ModelError(f"no model graph at {graph}")
        try:
            self._session = ort.InferenceSession(
                str(graph), session_options(settings), providers=["CPUExecutionProvider"]
            )
        except Exception as error:
            # ONNX Runtime raises a dozen unrelated classes here; all of them mean this file is not usable.
            raise ModelError(
                f"cannot load {graph}: {one_line(error)}; copy or build the model again"
            ) from error
        self.path = graph
        self.name = f"{graph.parent.name}/{graph.stem}"
        """What tells the graphs of a server apart, such as `online/decoder_quant`."""
        self.inputs = tuple(_interface(node) for node in self._session.get_inputs())
        self.outputs = tuple(_interface(node) for node in self._session.get_outputs())
        self._output_names = [output.name for output in self.outputs]
        self._integers = {
            tensor.name: INTEGERS[tensor.type] for tensor in self.inputs if tensor.type in INTEGERS
        }
        self._has_arena = settings.cpu_arena
        self._gauge = ArenaGauge.of(self._session) if settings.cpu_arena else None
        self._loaded_bytes = None if self._gauge is None else self._gauge.held_bytes()
        self._run_options = _shrinking() if settings.arena_shrinkage else None
        self._shrink_until_told: ort.RunOptions | None = None
        self._has_shrunk = False
        _loaded.add(self)

    def run(
        self, feeds: Mapping[str, NDArray[Any]], wanted: Sequence[str] | None = None
    ) -> list[NDArray[Any]]:
        """Run the graph once; gives the `wanted` outputs, or all of them in the graph's order."""
        options = self._shrink_until_told
        if options is None:
            options = self._run_options
        else:
            self._has_shrunk = True
        outputs: list[NDArray[Any]] = self._session.run(
            self._output_names if wanted is None else wanted, dict(feeds), options
        )
        return outputs

    def arena_usage(self) -> ArenaUsage | None:
        """Say what this session's arena holds; None without one, or where ONNX Runtime does not tell."""
        held_bytes = None if self._gauge is None else self._gauge.held_bytes()
        if held_bytes is None or self._loaded_bytes is None:
            return None
        return ArenaUsage(self.name, self._loaded_bytes, held_bytes)

    def integers(self, name: str, values: ArrayLike) -> NDArray[np.integer[Any]]:
        """Lengths or token ids for the input `name`, in the type that the graph takes them in."""
        return np.asarray(values, dtype=self._integers[name])


def session_options(settings: RuntimeSettings) -> ort.SessionOptions:
    """Translate the settings into ONNX Runtime's session options.

    The Python interface offers no per-session way to say how an arena grows (options of the CPU provider are
    ignored), so `kSameAsRequested` registers an arena in the process's environment, and the session loaded
    next takes it. Registering another for the next session replaces it there (seen with ONNX Runtime 1.32),
    so that with either strategy every session has an arena of its own.
    """
    options = ort.SessionOptions()
    options.intra_op_num_threads = settings.model_thread_num
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = ERRORS_ONLY
    options.enable_cpu_mem_arena = settings.cpu_arena
    options.enable_mem_pattern = settings.memory_pattern
    # Idle threads must sleep: spinning ones would burn a core each between two chunks.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    if settings.cpu_arena and settings.arena_extend_strategy != "kNextPowerOfTwo":
        _register_arena(ARENA_EXTEND_STRATEGIES[settings.arena_extend_strategy])
        options.add_session_config_entry("session.use_env_allocators", "1")
    return options


def one_line(error: BaseException, limit: int = 200) -> str:
    """Give an exception's message on one line, shortened."""
    words = " ".join(str(error).split()) or type(error).__name__
    return words if len(words) <= limit else f"{words[: limit - 1]}…"


def check_interface(
    session: GraphSession,
    inputs: Sequence[str],
    outputs: Sequence[str],
    role: str,
    *,
    integers: Sequence[str] = (),
) -> None:
    """Raise ModelError unless the graph has these inputs, `integers` among them as such, and these outputs.

    The order does not matter, and there may be others.
    """
    found_inputs = {tensor.name: tensor.type for tensor in session.inputs}
    found_outputs = [tensor.name for tensor in session.outputs]
    if not found_inputs.keys() >= set(inputs) or not set(found_outputs) >= set(outputs):
        raise ModelError(
            f"{session.path} is not {role}: it takes {', '.join(list(found_inputs)[:6])} and gives "
            f"{', '.join(found_outputs[:6])}, where {', '.join(inputs)} and {', '.join(outputs)} are expected"
        )
    for name in integers:
        if found_inputs[name] not in INTEGERS:
            raise ModelError(
                f"{session.path} takes {name} as {found_inputs[name]}, not as {' or '.join(INTEGERS)}"
            )


def input_named(session: GraphSession, name: str) -> TensorInterface:
    """Find an input that is known to be there."""
    return next(tensor for tensor in session.inputs if tensor.name == name)


def fixed_size(session: GraphSession, tensor: TensorInterface, axis: int) -> int:
    """Read a size that the graph fixes; raises ModelError when it leaves it free."""
    size = tensor.shape[axis] if axis < len(tensor.shape) else None
    if not isinstance(size, int):
        raise ModelError(f"{session.path} leaves axis {axis} of {tensor.name} free: not a Paraformer graph")
    return size


def check_feature_dim(session: GraphSession, configured: int) -> int:
    """Read how many features the graph's `speech` has; raises ModelError unless config.yaml gives as many."""
    taken = fixed_size(session, input_named(session, "speech"), 2)
    if taken != configured:
        raise ModelError(f"{session.path} takes {taken} features, config.yaml gives {configured}")
    return taken


def _interface(node: ort.NodeArg) -> TensorInterface:
    return TensorInterface(node.name, node.type, tuple(node.shape))


def count_arenas() -> int:
    """How many sessions of this process have an arena; 0 where all tensors are malloc's."""
    return sum(session._has_arena for session in _loaded)


def read_arenas() -> list[ArenaUsage]:
    """Say what each session's arena holds, by name; those that do not tell are left out."""
    usages = [session.arena_usage() for session in list(_loaded)]
    return sorted((usage for usage in usages if usage is not None), key=lambda usage: usage.graph)


def shrink_arenas(use_all: Callable[[], object]) -> int:
    """Let each session with an arena give back what it does not use, with runs for it; give how many did.

    `use_all` runs every session, or as many as it can. An arena shrinks at the end of a run, and the next
    run lets it grow again: so every run shrinks until `use_all` is over.
    """
    sessions = [session for session in list(_loaded) if session._has_arena]
    options = _shrinking()
    for session in sessions:
        session._shrink_until_told, session._has_shrunk = options, False
    try:
        if sessions:
            use_all()
    finally:
        for session in sessions:
            session._shrink_until_told = None
    return sum(session._has_shrunk for session in sessions)


def _shrinking() -> ort.RunOptions:
    """Options of a run after which the arena gives back the regions that it does not use."""
    options = ort.RunOptions()
    options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
    return options


def _register_arena(strategy: int) -> None:
    """Put an arena that grows by `strategy` into the environment, for the sessions loaded from now on."""
    memory = ort.OrtMemoryInfo("Cpu", ort.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, ort.OrtMemType.DEFAULT)
    ort.create_and_register_allocator(memory, ort.OrtArenaCfg({"arena_extend_strategy": strategy}))
