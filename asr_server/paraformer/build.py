"""Builds the large model: its graphs from weightless skeletons, refilled with seeded random weights.

The graphs have the operators, types and shapes of the int8 export of the published geometry; only the numbers
in them are random, and numbers do not change memory or time. The graph is written tensor by tensor, so the
build needs little more memory than its largest tensor.
"""

from __future__ import annotations

import gzip
import shutil
import statistics
import tempfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import onnx
from google.protobuf.message import DecodeError

from asr_server.paraformer.catalog import BUNDLED, GRAPH_FILES, TEXT_FILES
from asr_server.paraformer.errors import ModelError
from asr_server.paraformer.sessions import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import BinaryIO

    from numpy.typing import NDArray

SKELETON_SUFFIX = ".skeleton.gz"
DISK_MARGIN = 1.05
"""Room asked for beyond the model's own size."""

# Field numbers of onnx.proto, with protobuf's "length-delimited" wire type.
MODEL_GRAPH = 7 << 3 | 2
GRAPH_INITIALIZER = 5 << 3 | 2
TENSOR_RAW_DATA = 9 << 3 | 2


@dataclass(frozen=True)
class EmptyTensor:
    """A tensor of a skeleton: everything but its numbers, and the recipe for them."""

    name: str
    head: bytes
    """The serialised tensor without data."""
    recipe: str
    """`constant VALUE` or `normal MEAN DEVIATION`; empty when the head is complete."""
    dtype: np.dtype[np.generic]
    elements: int

    @property
    def data_bytes(self) -> int:
        """Size of the numbers to fill in."""
        return self.elements * self.dtype.itemsize if self.recipe else 0

    @property
    def total_bytes(self) -> int:
        """Size of the serialised tensor with its numbers."""
        if not self.recipe:
            return len(self.head)
        return len(self.head) + 1 + len(varint(self.data_bytes)) + self.data_bytes


@dataclass(frozen=True)
class Skeleton:
    """A graph without weights."""

    model_head: bytes
    """The serialised model without its graph."""
    graph_head: bytes
    """The serialised graph without its tensors."""
    tensors: tuple[EmptyTensor, ...]

    @property
    def graph_bytes(self) -> int:
        """Size of the serialised graph with all its tensors."""
        framed = (1 + len(varint(t.total_bytes)) + t.total_bytes for t in self.tensors)
        return len(self.graph_head) + sum(framed)


def build_model(
    size: Literal["large"],
    destination: Path,
    *,
    seed: int = 0,
    progress: Callable[[str, float], None],
) -> Path:
    """Build the folders of all kinds of models, `online` and others, in `destination`; gives `destination`.

    `progress` gets what is being done and the fraction done, 0 to 1. A folder already there is replaced, and
    only when the new one is complete. Raises ModelError when the disk is full or the folder cannot be
    written.
    """
    source = BUNDLED / size
    names = [path.relative_to(source) for path in sorted(source.glob(f"*/*{SKELETON_SUFFIX}"))]
    if not names:
        raise ModelError(f"the skeletons of the {size} model are missing from {source}: install soak again")
    skeletons = {name: read_skeleton(source / name) for name in names}
    wanted_bytes = sum(skeleton.graph_bytes for skeleton in skeletons.values())
    try:
        destination.parent.mkdir(parents=True, exist_ok=True)
        _check_room(destination.parent, wanted_bytes)
        with tempfile.TemporaryDirectory(prefix=f".{destination.name}-", dir=destination.parent) as folder:
            working = Path(folder) / "model"
            _copy_text_files(source, working)
            written_bytes = 0
            for name, skeleton in skeletons.items():
                graph = working / str(name).replace(SKELETON_SUFFIX, ".onnx")
                with graph.open("wb") as file:
                    for step_bytes in write_graph(file, skeleton, seed=seed, salt=str(name)):
                        written_bytes += step_bytes
                        progress(f"{name.parts[0]}: {graph.name}", min(written_bytes / wanted_bytes, 1.0))
            _replace(destination, working, Path(folder) / "replaced")
    except OSError as error:
        raise ModelError(
            f"cannot build the model in {destination}: {error.strerror or one_line(error)}; "
            f"it needs {wanted_bytes / 1e6:.0f} MB in a folder that can be written"
        ) from error
    progress("done", 1.0)
    return destination


def read_skeleton(path: Path) -> Skeleton:
    """Read a skeleton file; raises ModelError when it is damaged."""
    try:
        model = onnx.ModelProto.FromString(gzip.decompress(path.read_bytes()))
    except (OSError, EOFError, zlib.error, DecodeError) as error:
        raise ModelError(f"{path} is damaged ({one_line(error)}): install soak again") from error
    if not model.graph.initializer:
        raise ModelError(f"{path} is damaged (it holds no tensors): install soak again")
    tensors = tuple(_empty_tensor(tensor) for tensor in model.graph.initializer)
    del model.graph.initializer[:]
    graph_head = model.graph.SerializeToString()
    model.ClearField("graph")
    return Skeleton(model.SerializeToString(), graph_head, tensors)


def write_graph(file: BinaryIO, skeleton: Skeleton, *, seed: int, salt: str) -> Iterator[int]:
    """Write an ONNX file with random weights, yielding the bytes written at each step.

    Every tensor's numbers depend on the seed, the salt and its name alone.
    """
    file.write(skeleton.model_head)
    file.write(bytes([MODEL_GRAPH]) + varint(skeleton.graph_bytes))
    file.write(skeleton.graph_head)
    yield len(skeleton.model_head) + len(skeleton.graph_head)
    for tensor in skeleton.tensors:
        file.write(bytes([GRAPH_INITIALIZER]) + varint(tensor.total_bytes) + tensor.head)
        if tensor.recipe:
            random = np.random.default_rng([seed, zlib.crc32(f"{salt}/{tensor.name}".encode())])
            file.write(bytes([TENSOR_RAW_DATA]) + varint(tensor.data_bytes))
            file.write(random_numbers(tensor, random).data)
        yield tensor.total_bytes


def random_numbers(tensor: EmptyTensor, random: np.random.Generator) -> NDArray[Any]:
    """Follow a tensor's recipe: a flat array of its type."""
    kind, *numbers = tensor.recipe.split()
    values = [float(number) for number in numbers]
    if kind == "constant":
        return np.full(tensor.elements, values[0], dtype=tensor.dtype)
    mean, deviation = values
    if tensor.dtype == np.uint8:
        # One random byte picks one of 256 equally likely values: ten times faster than
        # drawing normal numbers.
        picks = np.frombuffer(random.bytes(tensor.elements), dtype=np.uint8)
        return _normal_bytes(mean, deviation)[picks]
    normal = random.standard_normal(tensor.elements, dtype=np.float32)
    filled: NDArray[Any] = normal * np.float32(deviation) + np.float32(mean)
    return filled


def varint(number: int) -> bytes:
    """Encode a length as protobuf does: seven bits a byte, the lowest first."""
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def _normal_bytes(mean: float, deviation: float) -> NDArray[np.uint8]:
    """Give 256 equally likely values of a normal distribution, rounded and kept within a byte."""
    normal = statistics.NormalDist(mean, deviation)
    values = (round(normal.inv_cdf((index + 0.5) / 256)) for index in range(256))
    return np.array([min(max(value, 0), 255) for value in values], dtype=np.uint8)


def _empty_tensor(tensor: onnx.TensorProto) -> EmptyTensor:
    recipe = tensor.doc_string
    tensor.ClearField("doc_string")
    return EmptyTensor(
        name=tensor.name,
        head=tensor.SerializeToString(),
        recipe=recipe,
        dtype=onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type),
        elements=int(np.prod(tensor.dims, dtype=np.int64)),
    )


def _check_room(folder: Path, wanted_bytes: int) -> None:
    """Raise ModelError when the disk cannot hold the model: better now than after half of it."""
    free_bytes = shutil.disk_usage(folder).free
    if free_bytes < wanted_bytes * DISK_MARGIN:
        raise ModelError(
            f"not enough room for the model in {folder}: {wanted_bytes / 1e6:.0f} MB needed, "
            f"{free_bytes / 1e6:.0f} MB free"
        )


def _copy_text_files(source: Path, working: Path) -> None:
    for kind in GRAPH_FILES:
        (working / kind).mkdir(parents=True)
        for name in TEXT_FILES:
            shutil.copyfile(source / kind / name, working / kind / name)


def _replace(destination: Path, built: Path, aside: Path) -> None:
    """Put a finished folder in its place; what was there moves aside, to be deleted with the rest."""
    if destination.exists():
        destination.rename(aside)
    built.rename(destination)
