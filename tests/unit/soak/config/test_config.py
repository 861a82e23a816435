"""Configurations: what is bundled, what overrides what, and one line for each mistake."""

import tomllib
from pathlib import Path

import pytest

from soak.config import bundled_config_names, bundled_configs_dir, load_config, with_url
from soak.errors import ExitCode, SoakError
from soak.load.scenarios.dialogue import Dialogue


def test_the_bundled_configurations_are_the_published_settings() -> None:
    threads = {
        name: (server.decoder_thread_num, server.io_thread_num, server.model_thread_num)
        for name in ("minimal", "medium", "high")
        for server in [load_config(name).server]
    }
    assert threads == {"minimal": (1, 1, 1), "medium": (32, 2, 1), "high": (32, 8, 4)}


@pytest.mark.parametrize("name", bundled_config_names())
def test_every_bundled_configuration_is_valid_and_ends(name: str) -> None:
    config = load_config(name)
    assert config.name == name
    assert config.load.connections or config.load.duration_s
    assert config.server.model == "tiny"


def test_overrides_win_over_settings_and_settings_over_the_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("[load]\nrate_per_s = 1\nconnections = 10\n[server]\nio_thread_num = 3\n")
    config = load_config(
        str(path),
        ["load.rate_per_s=2.5", "load.pace=realtime", 'server.inject=["session:64KiB"]'],
        {"load": {"connections": None, "duration_s": 60.0}},
    )
    assert config.name == "mine"
    assert config.load.rate_per_s == 2.5
    assert config.load.scenario == Dialogue(pace="realtime")
    assert (config.load.connections, config.load.duration_s) == (None, 60.0)
    assert config.server.inject == ("session:64KiB",)
    assert config.server.io_thread_num == 3


def test_what_a_model_of_random_weights_hears_is_not_compared_with_what_is_said() -> None:
    assert load_config("minimal").load.check_references
    assert not load_config("minimal", ["server.model=large"]).load.check_references
    asked_for = ["server.model=large", "load.check_references=true"]
    assert load_config("minimal", asked_for).load.check_references


def test_the_address_is_put_in_when_the_server_has_told_it() -> None:
    config = with_url(load_config("minimal"), "ws://127.0.0.1:4711")
    assert config.load.url == "ws://127.0.0.1:4711"
    assert "url" not in config.to_json_object()["load"]


@pytest.mark.parametrize(
    ("toml", "settings", "message"),
    [
        ("[sever]\n", [], r"unknown section \[sever\]; there are server, load, sample, judge"),
        (
            "[server]\ndecoder_threads = 1\n",
            [],
            r"server\.decoder_threads is not a setting; .*decoder_thread_num",
        ),
        ("[server]\nio_thread_num = 0\n", [], r"server\.io_thread_num is 0: .*greater than or equal to 1"),
        ('[server]\nmodel_thread_num = "two"\n', [], r"server\.model_thread_num is 'two'"),
        ('[server]\ninject = ["session"]\n', [], r"server\.inject.*session:64KiB"),
        ("[load]\nspeed = 1\n", [], r"load\.speed is not a setting"),
        ("[load]\nconnections = 1\nmax_open = 0\n", [], r"load\.max_open is 0: it must be above 0"),
        ('[load]\nclips = "nowhere"\n', [], r"load\.clips: nowhere is no folder"),
        ("[load]\nclips = 3\n", [], r"load\.clips is 3: it must be a string"),
        ("[judge]\nmin_duration_s = 15\n", [], r"judge\.min_duration_s is gone: .*leave it out"),
        ("", ["judge.plateau_confidence=0.8"], r"plateau_confidence is gone: set judge\.confidence"),
        ("[judge]\nconfidence = 95\n", [], r"judge.*the confidence must be above 0\.5 and below 1, not 95"),
        ("[judge]\nrelative_budget = 2\n", [], r"judge.*relative_budget must be between 0 and 1"),
        ("[load]\nuntil_decided = 1\n", [], r"load\.until_decided is 1: it must be true or false"),
        ("[load]\nmax_minutes = 5\n", [], r"load\.max_minutes is the limit .*--until-decided"),
        ("[load]\nuntil_decided = true\nmax_minutes = 0\n", [], r"load\.max_minutes is 0"),
        ("[load]\nuntil_decided = true\nmax_minutes = 5\nduration_s = 9\n", [], "give one"),
        ("[sample]\ninterval_s = 0.01\n", [], r"sample\.interval_s is 0\.01"),
        ("threads = 1\n", [], "threads stands outside a section"),
        ("[load\n", [], "is not valid TOML"),
        ("", ["load"], "write it as section.key=value"),
        ("", ["nothing.here=1"], r"unknown section \[nothing\]"),
    ],
)
def test_a_mistake_gets_one_line_that_names_it(
    tmp_path: Path, toml: str, settings: list[str], message: str
) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(toml)
    with pytest.raises(SoakError, match=message) as caught:
        load_config(str(path), settings)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code is ExitCode.USAGE


def test_a_configuration_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(SoakError, match=r"--config maximal: .* attached, high, medium, minimal"):
        load_config("maximal")


def test_the_files_say_what_they_are_for() -> None:
    for path in bundled_configs_dir().glob("*.toml"):
        text = path.read_text()
        assert text.startswith("# ")
        assert tomllib.loads(text)


def test_a_configuration_without_a_length_gets_one(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("[load]\nmax_open = 4\n")
    assert load_config(str(path)).load.connections == 500
    path.write_text("[load]\nduration_s = 60\n")
    assert load_config(str(path)).load.connections is None


@pytest.mark.parametrize(
    ("load", "command_line", "duration_s", "connections"),
    [
        ("", {}, 3600.0, None),
        ("max_minutes = 10", {}, 600.0, None),
        ("max_minutes = 10\nconnections = 99", {}, 600.0, 99),
        ("connections = 99", {}, None, 99),
        ("duration_s = 60", {}, 60.0, None),
        ("duration_s = 60", {"max_minutes": 2, "duration_s": None, "connections": None}, 120.0, None),
        ("max_minutes = 10", {"duration_s": 60.0, "connections": None, "max_minutes": None}, 60.0, None),
    ],
)
def test_a_run_until_decided_has_a_maximum(
    tmp_path: Path,
    load: str,
    command_line: dict[str, float | None],
    duration_s: float | None,
    connections: int | None,
) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(f"[load]\nuntil_decided = true\n{load}\n")
    plan = load_config(str(path), overrides={"load": command_line}).load
    assert plan.until_decided
    assert (plan.duration_s, plan.connections) == (duration_s, connections)
