"""A VAD folder as ModelScope delivers it, and everything that can be wrong with one."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from asr_server.paraformer.catalog import resolve_model
from asr_server.paraformer.errors import ModelError
from asr_server.paraformer.sessions import RuntimeSettings
from asr_server.vad.fsmn import FsmnVad
from asr_server.vad.model_dir import read_vad_dir


def change(vad_dir: Path, edit: Callable[[dict[str, Any]], object]) -> None:
    config = yaml.safe_load((vad_dir / "config.yaml").read_text())
    edit(config)
    (vad_dir / "config.yaml").write_text(yaml.safe_dump(config))


def refusal(vad_dir: Path) -> str:
    with pytest.raises(ModelError) as caught:
        FsmnVad.load(vad_dir, RuntimeSettings())
    message = str(caught.value)
    assert "\n" not in message
    assert str(vad_dir) in message
    return message


def test_the_settings_are_read_from_model_conf(vad_dir: Path) -> None:
    change(vad_dir, lambda config: config["model_conf"].update(max_end_silence_time=400, do_extend=0))
    endpoint = read_vad_dir(vad_dir).endpoint
    assert (endpoint.max_end_silence_time, endpoint.do_extend) == (400, False)
    assert (endpoint.window_size_ms, endpoint.sil_pdf_ids) == (200, (0,))


def test_settings_that_are_left_out_are_funasrs_defaults(vad_dir: Path) -> None:
    change(vad_dir, lambda config: config.update(model_conf={"snr_mode": 0, "dcd_block_size": 4}))
    endpoint = read_vad_dir(vad_dir).endpoint
    assert (endpoint.max_end_silence_time, endpoint.max_single_segment_time) == (800, 60_000)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("config.yaml", "no config.yaml in"),
        ("am.mvn", "no am.mvn in"),
        ("model_quant.onnx", "no model_quant.onnx or model.onnx in"),
    ],
)
def test_a_missing_file_is_named(vad_dir: Path, name: str, words: str) -> None:
    (vad_dir / name).unlink()
    assert words in refusal(vad_dir)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    assert "no VAD folder at" in refusal(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (lambda c: c.pop("model_conf"), "has no model_conf"),
        (lambda c: c.pop("frontend_conf"), "has no frontend_conf"),
        (lambda c: c["frontend_conf"].pop("lfr_m"), "frontend_conf lacks lfr_m"),
        (lambda c: c["frontend_conf"].update(lfr_m=7), "<AddShift> has 400 numbers, the features have 560"),
        (lambda c: c["frontend_conf"].update(fs=8000), "sample_rate 16000, frontend_conf has fs 8000"),
        (lambda c: c["frontend_conf"].update(lfr_n=6), "frontend_conf gives frames of 60 ms"),
        (lambda c: c["model_conf"].update(window_size_ms="wide"), "window_size_ms in model_conf is 'wide'"),
        (lambda c: c["model_conf"].update(window_size_ms=100), "window_size_ms in model_conf must be at"),
        (lambda c: c["model_conf"].update(frame_in_ms=0), "frame_in_ms in model_conf must be at least 1"),
        (lambda c: c["model_conf"].update(max_end_silence_time=-1), "max_end_silence_time"),
        (lambda c: c["model_conf"].update(lookback_time_start_point=10**6), "must not exceed 10000 ms"),
        (lambda c: c["model_conf"].update(sil_pdf_ids=[0, 1]), "silence_pdf_num 1 but 2 sil_pdf_ids"),
        (lambda c: c["model_conf"].update(sil_pdf_ids=[248]), "not among the 248 outputs"),
        (lambda c: c["model_conf"].update(sil_pdf_ids=0), "sil_pdf_ids in model_conf is 0"),
    ],
)  # fmt: skip
def test_an_inconsistent_config_is_one_line(vad_dir: Path, edit: Callable[[Any], object], words: str) -> None:
    change(vad_dir, edit)
    assert words in refusal(vad_dir)


def test_yaml_that_would_run_code_is_refused(vad_dir: Path) -> None:
    (vad_dir / "config.yaml").write_text("model_conf: !!python/object/apply:os.getcwd []\n")
    assert "is not YAML" in refusal(vad_dir)


def test_a_torn_graph_is_refused(vad_dir: Path) -> None:
    graph = vad_dir / "model_quant.onnx"
    graph.write_bytes(graph.read_bytes()[:1000])
    assert "cannot load" in refusal(vad_dir)


def test_the_graph_of_another_model_is_refused(vad_dir: Path) -> None:
    recogniser = resolve_model("tiny") / "offline" / "model_quant.onnx"
    (vad_dir / "model_quant.onnx").write_bytes(recogniser.read_bytes())
    assert re.search("is not an FSMN VAD: it takes speech, speech_lengths", refusal(vad_dir))
