"""Folders as ModelScope delivers them give what the bundled ones give: nothing is taken for granted."""

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from asr_server.paraformer.contextual import ContextualRecogniser, load_second_pass
from asr_server.paraformer.model_dir import ModelError, read_model_dir
from asr_server.paraformer.offline import OfflineRecogniser
from asr_server.paraformer.sessions import RuntimeSettings
from asr_server.paraformer.streaming import OnlineRecogniser
from tests.unit.asr_server.paraformer.published import (
    publish,
    with_failure_where_nothing_fires,
    with_long_lengths,
    with_order,
    with_timestamps,
    with_token_list,
)

Samples = NDArray[np.float32]
SETTINGS = RuntimeSettings()


def test_an_offline_folder_with_timestamps_long_lengths_and_another_order(
    offline: OfflineRecogniser, tmp_path: Path, mandarin: Samples
) -> None:
    folder = publish(offline.model.path, tmp_path / "paraformer", "BiCifParaformer")
    with_timestamps(folder / "model.onnx")
    with_long_lengths(folder / "model.onnx")
    with_order(folder / "model.onnx", ["speech_lengths", "us_cif_peak", "token_num"])
    model = load_second_pass(folder, SETTINGS)
    assert isinstance(model, OfflineRecogniser)
    assert model.recognise(mandarin) == offline.recognise(mandarin) != []


def test_a_contextual_folder_with_extra_outputs_and_long_lengths(
    contextual: ContextualRecogniser, tmp_path: Path, mandarin: Samples
) -> None:
    folder = publish(contextual.model.path, tmp_path / "contextual", "ContextualParaformer")
    with_timestamps(folder / "model.onnx")
    with_order(folder / "model.onnx", ["bias_embed", "us_alphas"])
    for name in ("model.onnx", "model_eb.onnx"):
        with_long_lengths(folder / name)
    model = load_second_pass(folder, SETTINGS)
    assert isinstance(model, ContextualRecogniser)
    for words in ([], ["三七", "四五六"], ["seven"]):
        expected = contextual.with_hotwords(words).recognise(mandarin)
        assert model.with_hotwords(words).recognise(mandarin) == expected != []


def test_an_online_folder_with_long_lengths_and_another_order(
    online: OnlineRecogniser, tmp_path: Path, mandarin: Samples
) -> None:
    folder = publish(online.model.path, tmp_path / "online", "ParaformerStreaming")
    for name in ("model.onnx", "decoder.onnx"):
        with_long_lengths(folder / name)
    with_order(folder / "model.onnx", ["alphas", "speech_lengths"])
    with_order(folder / "decoder.onnx", ["in_cache_1", "acoustic_embeds", "out_cache_1", "out_cache_0"])
    stream = OnlineRecogniser.load(folder, SETTINGS).new_stream()
    expected = online.new_stream().accept(mandarin, is_final=True)
    assert stream.accept(mandarin, is_final=True) == expected != []


def test_tokens_may_stand_in_the_configuration_as_they_once_did(
    offline: OfflineRecogniser, tmp_path: Path
) -> None:
    folder = publish(offline.model.path, tmp_path / "old", "Paraformer")
    with_token_list(folder)
    assert read_model_dir(folder).tokens == offline.model.tokens


def test_a_token_list_that_is_no_list_is_one_line(offline: OfflineRecogniser, tmp_path: Path) -> None:
    folder = publish(offline.model.path, tmp_path / "old", "Paraformer")
    (folder / "tokens.json").unlink()
    with (folder / "config.yaml").open("a", encoding="utf-8") as config:
        config.write("token_list: data/tokens.txt\n")
    with pytest.raises(ModelError, match=r"config\.yaml: token_list must hold a list of strings"):
        read_model_dir(folder)


def test_a_tag_that_asks_for_an_object_builds_none(tmp_path: Path, offline: OfflineRecogniser) -> None:
    folder = publish(offline.model.path, tmp_path / "tagged", "Paraformer")
    touch = "!!python/object/apply:pathlib.Path.touch [!!python/object/apply:pathlib.Path [{}]]"
    with (folder / "config.yaml").open("a", encoding="utf-8") as config:
        config.write(f"x: {touch.format(tmp_path / 'y')}\n")
    with pytest.raises(ModelError, match=r"config\.yaml is not YAML: could not determine a constructor"):
        read_model_dir(folder)
    assert not (tmp_path / "y").exists()


def test_a_graph_that_fails_on_silence_hears_silence(
    offline: OfflineRecogniser, tmp_path: Path, mandarin: Samples, caplog: pytest.LogCaptureFixture
) -> None:
    folder = publish(offline.model.path, tmp_path / "failing", "Paraformer")
    with_failure_where_nothing_fires(folder / "model.onnx")
    model = load_second_pass(folder, SETTINGS)
    assert model.recognise(np.zeros(400, np.float32)) == []
    (line,) = (record.getMessage() for record in caplog.records)
    assert "failed on 400 samples, which are taken for silence" in line
    assert "\n" not in line
    assert model.recognise(mandarin) == offline.recognise(mandarin)


def test_a_bias_leaves_the_last_tokens_out(
    offline: OfflineRecogniser, tmp_path: Path, mandarin: Samples
) -> None:
    folder = publish(offline.model.path, tmp_path / "biased", "Paraformer")
    text = (folder / "config.yaml").read_text(encoding="utf-8")
    (folder / "config.yaml").write_text(
        text.replace("predictor_bias: 0", "predictor_bias: 1"), encoding="utf-8"
    )
    assert load_second_pass(folder, SETTINGS).recognise(mandarin) == offline.recognise(mandarin)[:-1]


def test_tokens_of_another_model_are_refused(offline: OfflineRecogniser, tmp_path: Path) -> None:
    folder = publish(offline.model.path, tmp_path / "other", "Paraformer")
    tokens = json.loads((folder / "tokens.json").read_text(encoding="utf-8"))
    (folder / "tokens.json").write_text(json.dumps(tokens[:-2]), encoding="utf-8")
    with pytest.raises(ModelError, match="the files are not of one model"):
        load_second_pass(folder, SETTINGS)
