"""The contextual model: who its hotwords are, what they cost, and what is wrong with a folder."""

import gc
import logging
import shutil
import weakref
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray

from asr_server.paraformer.contextual import HOTWORDS_PER_RUN, ContextualRecogniser, load_second_pass
from asr_server.paraformer.errors import ModelError
from asr_server.paraformer.frontend import extract_features
from asr_server.paraformer.hotword_tokens import HotwordTokens
from asr_server.paraformer.offline import OfflineRecogniser
from asr_server.paraformer.sessions import RuntimeSettings

Samples = NDArray[np.float32]
SETTINGS = RuntimeSettings()


@pytest.fixture
def folder(tiny: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny / "contextual", tmp_path / "contextual"))


@pytest.mark.parametrize(
    ("kind", "wanted"), [("offline", OfflineRecogniser), ("contextual", ContextualRecogniser)]
)
def test_the_graph_says_which_second_pass_a_folder_holds(tiny: Path, kind: str, wanted: type) -> None:
    assert type(load_second_pass(tiny / kind, SETTINGS)) is wanted


def test_without_hotwords_the_list_holds_the_entry_for_none_alone(contextual: ContextualRecogniser) -> None:
    assert contextual.bias_embed.shape[0] == 1
    assert contextual.with_hotwords([]) is contextual


def test_hotwords_change_what_the_network_says_and_no_other_connections_do(
    contextual: ContextualRecogniser, mandarin: Samples
) -> None:
    said: list[NDArray[np.float32]] = []

    def listen(model: ContextualRecogniser) -> None:
        features = extract_features(mandarin, model.model.frontend)
        feeds = {"speech": features[None], "speech_lengths": np.array([len(features)], np.int32)}
        said.append(model.graph.run({**feeds, "bias_embed": model.bias_embed[None]}, ["logits"])[0])

    biased = contextual.with_hotwords(["三七", "四五六"])
    for model in (contextual, biased, contextual.with_hotwords(["九"]), contextual, biased):
        listen(model)
    plain, first, other, plain_again, first_again = said
    assert np.abs(first - plain).max() > 1e-3
    assert np.abs(other - first).max() > 1e-3
    np.testing.assert_array_equal(plain_again, plain)
    np.testing.assert_array_equal(first_again, first)


def test_a_connections_hotwords_join_the_servers(contextual: ContextualRecogniser) -> None:
    server = contextual.with_hotwords(["三七"])
    client = server.with_hotwords(["四", "三七", "四"])
    assert client.words == ("四", "三七")
    assert len(client.bias_embed) == 3
    assert server.with_hotwords(["三七"]) is server
    np.testing.assert_array_equal(client.bias_embed[-1], contextual.bias_embed[0])


def test_a_hotword_is_the_same_vector_in_every_list(contextual: ContextualRecogniser) -> None:
    digits = "零一二三四五六七八九"
    words = [a + b + c for a in digits for b in digits for c in digits[:3]]
    assert len(words) > 2 * HOTWORDS_PER_RUN
    together = contextual.with_hotwords(words).bias_embed
    for index in (0, HOTWORDS_PER_RUN - 1, HOTWORDS_PER_RUN, len(words) - 1):
        alone = contextual.with_hotwords([words[index]]).bias_embed
        np.testing.assert_allclose(alone[0], together[index], atol=1e-5)


def test_hotwords_are_cut_at_ten_tokens(contextual: ContextualRecogniser) -> None:
    ten, eleven, nine = (
        contextual.with_hotwords(["一二三四五六七八九十三"[:count]]).bias_embed[0] for count in (10, 11, 9)
    )
    np.testing.assert_array_equal(ten, eleven)
    assert not np.allclose(ten, nine)


def test_words_without_tokens_are_left_out_and_said(
    contextual: ContextualRecogniser, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        biased = contextual.with_hotwords(
            ["三七", "阿里巴巴", "三巴", "supercalifragilistic", "\n", "\ud800"]
        )
    assert len(biased.bias_embed) == 2
    (line,) = (record.getMessage() for record in caplog.records)
    assert line.startswith("5 of 6 hotwords left out")
    assert "'阿里巴巴'" in line
    assert "\n" not in line


def test_the_offline_model_says_once_that_it_takes_no_hotwords(
    tiny: Path, caplog: pytest.LogCaptureFixture
) -> None:
    offline = OfflineRecogniser.load(tiny / "offline", SETTINGS)
    assert offline.with_hotwords([]) is offline
    assert not caplog.records
    assert offline.with_hotwords(["三七"]) is offline
    assert offline.with_hotwords(["四"]) is offline
    (line,) = (record.getMessage() for record in caplog.records)
    assert "takes none: they are ignored" in line
    assert str(tiny / "offline") in line


def test_the_vectors_go_with_the_connection(contextual: ContextualRecogniser) -> None:
    biased = contextual.with_hotwords(["三七"])
    vectors = weakref.ref(biased.bias_embed)
    del biased
    gc.collect()
    assert vectors() is None


def spelled(model: ContextualRecogniser, hotword: str) -> list[str] | None:
    token_ids = HotwordTokens.read(model.model).spell(hotword)
    return None if token_ids is None else [model.model.tokens[token_id] for token_id in token_ids]


@pytest.mark.parametrize(
    ("hotword", "tokens"),
    [
        ("三七", ["三", "七"]),
        ("seven", ["seven"]),
        ("Seven", ["seven"]),
        ("three seven", ["three", "seven"]),
        ("三seven七", ["三", "seven", "七"]),
        ("sevens", None),
        ("三 sevens", None),
        ("，", None),
        ("", None),
    ],
)
def test_characters_and_whole_words_are_tokens(
    contextual: ContextualRecogniser, hotword: str, tokens: list[str] | None
) -> None:
    assert spelled(contextual, hotword) == tokens


def test_a_dictionary_of_pieces_goes_before_whole_words(folder: Path) -> None:
    text = "twelve\tone two\nseven\tsix one\nalibaba\ta@@ li@@ ba@@ ba\nno pieces\n"
    (folder / "seg_dict").write_text(text, encoding="utf-8")
    model = ContextualRecogniser.load(folder, SETTINGS)
    assert spelled(model, "twelve") == ["one", "two"]
    assert spelled(model, "Seven") == ["six", "one"]
    assert spelled(model, "eight") == ["eight"]
    assert spelled(model, "alibaba") is None


def test_a_row_is_as_long_as_the_graph_wants(folder: Path, contextual: ContextualRecogniser) -> None:
    model = onnx.load(folder / "model_eb.onnx")
    model.graph.input[0].type.tensor_type.shape.dim[1].dim_value = 4
    onnx.save(model, folder / "model_eb.onnx")
    short = ContextualRecogniser.load(folder, SETTINGS)
    for words, same in ((["三七"], ["三七"]), (["一二三四五六"], ["一二三四"])):
        expected = contextual.with_hotwords(same).bias_embed
        np.testing.assert_allclose(short.with_hotwords(words).bias_embed, expected, atol=1e-6)


def graphs_of_two_models(folder: Path) -> None:
    shutil.copyfile(folder / "model_quant.onnx", folder / "model_eb.onnx")


def replaced(name: str, content: bytes) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        (folder / name).write_bytes(content)

    return damage


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda folder: (folder / "model_eb.onnx").unlink(), "no model_eb_quant.onnx or model_eb.onnx in"),
        (graphs_of_two_models, "is not the hotword encoder of a contextual Paraformer"),
        (replaced("model_eb.onnx", b"nothing"), "cannot load"),
        (replaced("seg_dict", b"\xff\xfe"), "cannot read"),
    ],
)
def test_every_fault_is_one_line_that_names_it(
    folder: Path, damage: Callable[[Path], None], words: str
) -> None:
    damage(folder)
    with pytest.raises(ModelError) as caught:
        load_second_pass(folder, SETTINGS)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert str(folder) in str(caught.value)


def test_a_contextual_model_is_no_offline_one_and_the_other_way_round(tiny: Path) -> None:
    with pytest.raises(ModelError, match="is not an offline Paraformer: it takes bias_embed too"):
        OfflineRecogniser.load(tiny / "contextual", SETTINGS)
    with pytest.raises(ModelError, match="is not a contextual Paraformer"):
        ContextualRecogniser.load(tiny / "offline", SETTINGS)
