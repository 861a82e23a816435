import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from asr_server.paraformer.model_dir import ModelError, graph_file, read_model_dir
from asr_server.paraformer.offline import OfflineRecogniser
from asr_server.paraformer.sessions import RuntimeSettings
from asr_server.paraformer.streaming import OnlineRecogniser

SETTINGS = RuntimeSettings()


@pytest.fixture
def online_dir(tiny: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny / "online", tmp_path / "online"))


def replaced(name: str, old: str, new: str) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        text = (folder / name).read_text(encoding="utf-8")
        assert old in text
        (folder / name).write_text(text.replace(old, new, 1), encoding="utf-8")

    return damage


def removed(*names: str) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        for name in names:
            (folder / name).unlink()

    return damage


def written(name: str, content: bytes) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        (folder / name).write_bytes(content)

    return damage


def cut_short(name: str) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        (folder / name).write_bytes((folder / name).read_bytes()[:5000])

    return damage


def fifo(name: str) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        (folder / name).unlink()
        os.mkfifo(folder / name)

    return damage


def one_token_fewer(folder: Path) -> None:
    tokens = json.loads((folder / "tokens.json").read_text(encoding="utf-8"))
    (folder / "tokens.json").write_text(json.dumps(tokens[:-1]), encoding="utf-8")


def graphs_swapped(folder: Path) -> None:
    encoder, decoder = folder / "model_quant.onnx", folder / "decoder_quant.onnx"
    encoder.rename(folder / "aside")
    decoder.rename(encoder)
    (folder / "aside").rename(decoder)


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (removed("config.yaml"), "no config.yaml in"),
        (removed("am.mvn"), "no am.mvn in"),
        (removed("tokens.json"), "no tokens.json in"),
        (removed("model_quant.onnx", "model.onnx"), "no model_quant.onnx or model.onnx in"),
        (removed("decoder_quant.onnx", "decoder.onnx"), "no decoder_quant.onnx or decoder.onnx in"),
        (written("config.yaml", b"a: [1"), "is not YAML"),
        (written("config.yaml", b"just words"), "holds no settings"),
        (written("config.yaml", b"a: 1"), "has no frontend_conf"),
        (written("config.yaml", b"!!python/object/apply:os.getcwd []"), "is not YAML"),
        (written("config.yaml", b"!other []"), "is not YAML"),
        (replaced("config.yaml", "lfr_m: 7", "lfr_x: 7"), "frontend_conf lacks lfr_m"),
        (replaced("config.yaml", "n_mels: 80", "n_mels: many"), "wrong type"),
        (replaced("config.yaml", "window: hamming", "window: round"), "window must be one of"),
        (replaced("config.yaml", "lfr_n: 6", "lfr_n: 0"), "lfr_n must be above 0"),
        (replaced("config.yaml", " threshold: 1.0", " threshold: 0"), "threshold must be above 0"),
        (written("tokens.json", b"[1"), "is not JSON"),
        (written("tokens.json", b'{"a": 1}'), "list of strings"),
        (written("tokens.json", b"\xff\xfe"), "cannot read"),
        (written("config.yaml", b"[" * 100_000), "nested too deeply"),
        (written("tokens.json", b"[" * 100_000), "nested too deeply"),
        (written("config.yaml", b"a: 2001-99-99"), "cannot be read"),
        (replaced("config.yaml", "n_mels: 80", "n_mels: .inf"), "wrong type"),
        (replaced("config.yaml", "lfr_n: 6", "lfr_n: 100000000"), "must be at most 100"),
        (replaced("config.yaml", "frame_shift: 10", "frame_shift: 0.00001"), "at least 1 ms"),
        (replaced("config.yaml", "frame_length: 25", "frame_length: .nan"), "above 0"),
        (replaced("config.yaml", " threshold: 1.0", " threshold: .nan"), "threshold must be above 0"),
        (replaced("config.yaml", "tail_threshold: 0.45", "tail_threshold: .inf"), "must be a number"),
        (replaced("am.mvn", "[ -", "[ nan -"), "not finite"),
        (replaced("am.mvn", "[ -", "[ 1e999 -"), "not finite"),
        (fifo("tokens.json"), "no regular file"),
        (fifo("config.yaml"), "no regular file"),
        (fifo("am.mvn"), "no regular file"),
        (one_token_fewer, "tokens, decoder_quant.onnx gives"),
        (written("am.mvn", b"hello"), "has no <AddShift>"),
        (replaced("am.mvn", "<Rescale>", "<Other>"), "has no <Rescale>"),
        (replaced("am.mvn", "[ -", "[ x -"), "no number"),
        (replaced("am.mvn", "[ -", "[ 1.0 -"), "has 561 numbers, the features have 560"),
        (written("model_quant.onnx", b"not a graph"), "cannot load"),
        (written("model_quant.onnx", b""), "cannot load"),
        (cut_short("decoder_quant.onnx"), "cannot load"),
        (graphs_swapped, "is not the encoder of an online Paraformer"),
    ],
)
def test_every_fault_is_one_line_that_names_it(
    online_dir: Path, damage: Callable[[Path], None], words: str
) -> None:
    damage(online_dir)
    with pytest.raises(ModelError) as caught:
        OnlineRecogniser.load(online_dir, SETTINGS)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert str(online_dir) in str(caught.value)


def test_an_online_model_is_no_offline_one(online_dir: Path) -> None:
    with pytest.raises(ModelError, match="is not an offline Paraformer"):
        OfflineRecogniser.load(online_dir, SETTINGS)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no model folder at"):
        read_model_dir(tmp_path / "nowhere")


def test_int8_graphs_come_first_unless_told_otherwise(tmp_path: Path) -> None:
    plain, int8 = tmp_path / "model.onnx", tmp_path / "model_quant.onnx"
    plain.touch()
    assert graph_file(tmp_path, "model") == plain
    int8.touch()
    assert graph_file(tmp_path, "model") == int8
    assert graph_file(tmp_path, "model", quantize=False) == plain
    int8.unlink()
    with pytest.raises(ModelError, match=r"no model_quant\.onnx"):
        graph_file(tmp_path, "model", quantize=True)


def test_published_layout_with_a_bias_and_other_thresholds(online_dir: Path) -> None:
    replaced("config.yaml", "predictor_bias: 0", "predictor_bias: 1")(online_dir)
    replaced("config.yaml", "tail_threshold: 0.45", "tail_threshold: 0.3")(online_dir)
    model = read_model_dir(online_dir)
    assert model.predictor_bias == 1
    assert model.tail_threshold == 0.3
    assert model.frontend.samples_per_feature == 960
    assert model.tokens[:3] == ("<blank>", "<s>", "</s>")
    assert np.isfinite(model.frontend.scale).all()
