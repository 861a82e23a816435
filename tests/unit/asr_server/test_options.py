from pathlib import Path

import pytest

from asr_server.options import parse_options
from asr_server.paraformer.catalog import resolve_model
from asr_server.settings import ServerSettings, optional_path


def test_no_arguments_serve_the_bundled_model_as_funasr_would() -> None:
    options = parse_options([])
    assert (options.listen_ip, options.port) == ("127.0.0.1", 10095)
    assert options.model_dir == resolve_model("tiny") / "offline"
    assert options.online_model_dir == resolve_model("tiny") / "online"
    assert optional_path(options.vad_dir) == resolve_model("tiny") / "vad"
    assert not options.cpu_arena, "FunASR turns the arena off"
    assert options.sweep_interval_s == 5
    assert optional_path(options.certfile) is None
    assert options.inject == ()


def test_funasr_flag_names_are_understood() -> None:
    command_line = (
        "--decoder-thread-num 32 --io-thread-num 8 --model-thread-num 4 --model-dir /m --online-model-dir /o "
        "--vad-dir /v --hotword /h.txt --port 1 --certfile /c --keyfile /k"
    )
    options = parse_options(command_line.split())
    assert (options.decoder_thread_num, options.io_thread_num, options.model_thread_num) == (32, 8, 4)
    assert (options.model_dir, options.online_model_dir) == (Path("/m"), Path("/o"))
    assert (options.hotword, options.certfile, options.keyfile) == ("/h.txt", "/c", "/k")
    assert options.vad_dir == "/v"


@pytest.mark.parametrize("nothing", ["", "0"])
def test_without_a_vad_dir_speech_is_detected_by_energy(nothing: str) -> None:
    assert optional_path(parse_options(["--vad-dir", nothing]).vad_dir) is None


def test_certfile_0_means_plain_as_in_funasr_scripts() -> None:
    assert optional_path(parse_options(["--certfile", "0", "--keyfile", "0"]).certfile) is None


def test_memory_flags_reach_the_runtime() -> None:
    command_line = (
        "--cpu-arena --arena-shrinkage --no-memory-pattern --arena-extend-strategy kSameAsRequested"
    )
    options = parse_options(command_line.split())
    assert (options.cpu_arena, options.arena_shrinkage, options.memory_pattern) == (True, True, False)
    assert options.arena_extend_strategy == "kSameAsRequested"


def test_injections_add_up() -> None:
    options = parse_options(["--inject", "session:1KiB", "--inject", "session:2KB"])
    assert options.inject == ("session:1KiB", "session:2KB")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--port", "-1"],
        ["--io-thread-num", "two"],
        ["--max-queued-audio-s", "inf"],
        ["--keyfile", "/k"],
        ["--por", "1"],
        ["--port", "70000"],
        ["--sweep-interval-s", "nan"],
        ["--listen-ip", "localhost"],
        ["--inject", "session"],
        ["--quantize", "maybe"],
        ["--arena-extend-strategy", "kBig"],
    ],
)
def test_a_mistake_is_one_line_and_status_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parse_options(arguments)
    assert ended.value.code == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.count("\n") == 1
    assert arguments[0] in output.err


def test_the_flags_of_settings_are_read_as_these_settings() -> None:
    settings = ServerSettings(
        port=1, decoder_thread_num=3, quantize=False, hotword="words.txt", certfile="/c", keyfile="/k",
        cpu_arena=True, memory_pattern=False, sweep_interval_s=0.0, inject=("session:1KiB", "fd:4KiB"),
    )  # fmt: skip
    options = parse_options(settings.flags())
    assert all(getattr(options, name) == value for name, value in vars(settings).items())
    assert parse_options(ServerSettings().flags()) == parse_options([])
