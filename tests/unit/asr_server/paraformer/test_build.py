import shutil
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper

from asr_server.paraformer import build
from asr_server.paraformer.build import build_model, read_skeleton
from asr_server.paraformer.catalog import BUNDLED, GRAPH_FILES, TEXT_FILES
from asr_server.paraformer.model_dir import ModelError
from asr_server.training.skeleton import write_skeleton

if TYPE_CHECKING:
    from numpy.typing import NDArray


def small_graph() -> onnx.ModelProto:
    """One dynamically quantised matrix product with a bias, as quantize_dynamic writes it."""
    random = np.random.default_rng(0)
    weights = random.normal(128, 36, (48, 32)).clip(0, 255).astype(np.uint8)
    tensors: list[tuple[str, NDArray[np.generic]]] = [
        ("w_quantized", weights),
        ("w_scale", np.full(32, 0.001, np.float32)),
        ("w_zero_point", np.full(32, 128, np.uint8)),
        ("bias", random.normal(0, 0.02, 32).astype(np.float32)),
        ("shape", np.array([1, 48], np.int64)),
    ]
    nodes = [
        helper.make_node("Reshape", ["x", "shape"], ["row"]),
        helper.make_node("DynamicQuantizeLinear", ["row"], ["q", "scale", "zero"]),
        helper.make_node("MatMulInteger", ["q", "w_quantized", "zero", "w_zero_point"], ["sum"]),
        helper.make_node("Cast", ["sum"], ["float"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["scale", "w_scale"], ["scales"]),
        helper.make_node("Mul", ["float", "scales"], ["product"]),
        helper.make_node("Add", ["product", "bias"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 48])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 32])],
        [numpy_helper.from_array(values, name) for name, values in tensors],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=7)


@pytest.fixture(autouse=True)
def small_skeletons(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    bundled = tmp_path / "bundled"
    for kind, graphs in GRAPH_FILES.items():
        folder = bundled / "large" / kind
        folder.mkdir(parents=True)
        for name in TEXT_FILES:
            (folder / name).write_text(f"{kind} {name}", encoding="utf-8")
        for name in graphs:
            onnx.save(small_graph(), tmp_path / "graph.onnx")
            write_skeleton(tmp_path / "graph.onnx", folder / Path(name).with_suffix(".skeleton.gz"))
    monkeypatch.setattr(build, "BUNDLED", bundled)
    return bundled / "large"


class Usage(NamedTuple):
    total: int
    used: int
    free: int


def quiet(_step: str, _fraction: float) -> None:
    pass


def test_refilled_graph_has_the_shape_of_the_original(tmp_path: Path) -> None:
    built = build_model("large", tmp_path / "cache" / "large-v2", progress=quiet)
    model, original = onnx.load(built / "online" / "model_quant.onnx"), small_graph()
    onnx.checker.check_model(model)
    assert [node.op_type for node in model.graph.node] == [node.op_type for node in original.graph.node]
    for tensor, before in zip(model.graph.initializer, original.graph.initializer, strict=True):
        assert (tensor.name, tensor.dims, tensor.data_type) == (before.name, before.dims, before.data_type)
    values = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    assert values["shape"].tolist() == [1, 48]
    assert set(values["w_zero_point"].tolist()) == {128}
    assert abs(values["w_quantized"].mean() - 128) < 5
    assert 25 < values["w_quantized"].std() < 45
    assert 0 < values["bias"].std() < 0.05
    for name in TEXT_FILES:
        assert (built / "offline" / name).read_text(encoding="utf-8") == f"offline {name}"


def test_refilled_graph_runs(tmp_path: Path) -> None:
    built = build_model("large", tmp_path / "large-v2", progress=quiet)
    session = ort.InferenceSession(built / "offline" / "model_quant.onnx", providers=["CPUExecutionProvider"])
    (y,) = session.run(None, {"x": np.ones((1, 48), np.float32)})
    assert y.shape == (1, 32)
    assert y.std() > 0


def test_same_seed_same_model(tmp_path: Path) -> None:
    first, again, other = (
        build_model("large", tmp_path / name, seed=seed, progress=quiet)
        for name, seed in (("a", 1), ("b", 1), ("c", 2))
    )
    graph = Path("online") / "decoder_quant.onnx"
    assert (first / graph).read_bytes() == (again / graph).read_bytes()
    assert (first / graph).read_bytes() != (other / graph).read_bytes()
    assert (first / graph).read_bytes() != (first / "online" / "model_quant.onnx").read_bytes()


def test_progress_rises_to_one(tmp_path: Path) -> None:
    fractions: list[float] = []
    build_model("large", tmp_path / "large-v2", progress=lambda _, fraction: fractions.append(fraction))
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0


def test_a_build_replaces_the_one_before_and_leaves_nothing_else(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    (cache / "large-v2").mkdir(parents=True)
    (cache / "large-v2" / "old").touch()
    build_model("large", cache / "large-v2", progress=quiet)
    assert [path.name for path in cache.iterdir()] == ["large-v2"]
    assert sorted(path.name for path in (cache / "large-v2").iterdir()) == sorted(GRAPH_FILES)


def test_an_interrupted_build_leaves_what_was_there(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    (cache / "large-v2").mkdir(parents=True)
    (cache / "large-v2" / "old").touch()

    def interrupt(_step: str, _fraction: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_model("large", cache / "large-v2", progress=interrupt)
    assert [path.name for path in cache.rglob("*")] == ["large-v2", "old"]


def test_too_little_room_is_said_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10_000, 9_000, 1_000))
    with pytest.raises(ModelError, match="not enough room"):
        build_model("large", tmp_path / "cache" / "large-v2", progress=quiet)
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ModelError, match="cannot build the model in") as caught:
        build_model("large", tmp_path / "file" / "large-v2", progress=quiet)
    assert "\n" not in str(caught.value)


def test_a_disk_that_fills_up_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(build, "write_graph", full)
    with pytest.raises(ModelError, match=r"No space left on device; it needs \d+ MB"):
        build_model("large", tmp_path / "cache" / "large-v2", progress=quiet)
    assert list((tmp_path / "cache").iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"not gzip", b"\x1f\x8b\x08\x00"])
def test_a_damaged_skeleton_is_one_line(small_skeletons: Path, content: bytes) -> None:
    path = small_skeletons / "online" / "model_quant.skeleton.gz"
    path.write_bytes(content)
    with pytest.raises(ModelError, match="is damaged"):
        read_skeleton(path)


def test_the_bundled_skeletons_have_the_published_geometry() -> None:
    encoder = read_skeleton(BUNDLED / "large" / "online" / "model_quant.skeleton.gz")
    decoder = read_skeleton(BUNDLED / "large" / "online" / "decoder_quant.skeleton.gz")
    offline = read_skeleton(BUNDLED / "large" / "offline" / "model_quant.skeleton.gz")
    contextual = read_skeleton(BUNDLED / "large" / "contextual" / "model_quant.skeleton.gz")
    hotwords = read_skeleton(BUNDLED / "large" / "contextual" / "model_eb.skeleton.gz")
    assert 160e6 < encoder.graph_bytes < 172e6
    assert 68e6 < decoder.graph_bytes < 74e6
    assert 228e6 < offline.graph_bytes < 246e6
    assert offline.graph_bytes < contextual.graph_bytes < 1.02 * offline.graph_bytes
    assert 25e6 < hotwords.graph_bytes < 26e6
