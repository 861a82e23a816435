"""A run's configuration as the bundled server's command line, which the server itself has to understand."""

from pathlib import Path

import pytest

from asr_server.options import parse_options
from soak.config import load_config
from soak.dialects.funasr import Funasr
from soak.errors import SoakError
from soak.targets.flags import server_flags


def test_the_second_pass_is_the_offline_model_unless_told_otherwise() -> None:
    options = parse_options(server_flags(load_config("minimal").server, Path("/m")))
    assert options.online_model_dir == Path("/m/online")
    assert options.model_dir == Path("/m/offline")
    assert options.hotword == ""


def test_the_contextual_second_pass_and_hotwords_can_be_asked_for() -> None:
    settings = ["server.second_pass=contextual", "server.hotword=words.txt", "load.hotwords=明 erik"]
    config = load_config("minimal", settings)
    options = parse_options(server_flags(config.server, Path("/m")))
    assert options.model_dir == Path("/m/contextual")
    assert options.hotword == "words.txt"
    assert config.load.dialect == Funasr(hotwords="明 erik")


@pytest.mark.parametrize(("setting", "wanted"), [([], None), (["true"], True), (["false"], False)])
def test_float_graphs_can_be_asked_for(setting: list[str], wanted: bool | None) -> None:
    config = load_config("minimal", [f"server.quantize={value}" for value in setting])
    assert parse_options(server_flags(config.server, Path("/m"))).quantize is wanted


def test_there_is_no_third_second_pass() -> None:
    with pytest.raises(SoakError, match=r"server\.second_pass is 'third': .*'offline' or 'contextual'"):
        load_config("minimal", ["server.second_pass=third"])
