"""The server's command line, under FunASR's names where FunASR has one."""

from __future__ import annotations

import argparse
import ipaddress
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

from asr_server.inject import FORM, Injection, kinds_in_words, parse_injection
from asr_server.paraformer.catalog import OFFLINE, ONLINE, VAD, resolve_model
from asr_server.paraformer.sessions import ARENA_EXTEND_STRATEGIES, RuntimeSettings

if TYPE_CHECKING:
    from collections.abc import Sequence

LOG_LEVELS: Final = ("debug", "info", "warning", "error")
QUANTIZE_CHOICES: Final = {"": None, "true": True, "false": False}


@dataclass(frozen=True)
class ServerOptions:
    """Everything that the command line decides."""

    listen_ip: str
    port: int
    io_thread_num: int
    decoder_thread_num: int
    runtime: RuntimeSettings
    quantize: bool | None
    """Whether the models are the int8 ones; None takes int8 graphs where there are any."""
    offline_model_dir: Path
    online_model_dir: Path
    vad_dir: Path | None
    """None: voice activity is detected by energy."""
    vad_quantize: bool | None
    """As `quantize`, for the VAD."""
    hotword_file: Path | None
    certfile: Path | None
    keyfile: Path | None
    compression: bool
    sweep_interval_s: float
    trim_interval_s: float
    """How often free heap memory goes back to the kernel; 0: never."""
    max_message_bytes: int
    max_queued_audio_s: float
    injections: tuple[Injection, ...]
    introspection: bool
    """Whether the /debug pages are served."""
    log_level: str


class _HelpFormatter(argparse.ArgumentDefaultsHelpFormatter, argparse.RawDescriptionHelpFormatter):
    """Shows defaults, and leaves the lines of the list of kinds as they are."""


class _OneLineParser(argparse.ArgumentParser):
    """Says what is wrong in one line, without repeating the whole usage."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help\n")


def parse_options(arguments: Sequence[str]) -> ServerOptions:
    """Read the command line. A mistake ends the process with status 2 after one line on stderr."""
    parser = _build_parser()
    values = parser.parse_args(arguments)
    if values.arena_shrinkage and not values.cpu_arena:
        parser.error("--arena-shrinkage needs the CPU arena: add --cpu-arena, or leave it out")
    certfile, keyfile = _optional_path(values.certfile), _optional_path(values.keyfile)
    if (certfile is None) != (keyfile is None):
        parser.error("--certfile and --keyfile go together: give both for TLS, or neither for plain ws")
    return ServerOptions(
        listen_ip=values.listen_ip,
        port=values.port,
        io_thread_num=values.io_thread_num,
        decoder_thread_num=values.decoder_thread_num,
        runtime=RuntimeSettings(
            model_thread_num=values.model_thread_num,
            cpu_arena=values.cpu_arena,
            arena_extend_strategy=values.arena_extend_strategy,
            memory_pattern=values.memory_pattern,
            arena_shrinkage=values.arena_shrinkage,
        ),
        quantize=QUANTIZE_CHOICES[values.quantize],
        offline_model_dir=values.model_dir,
        online_model_dir=values.online_model_dir,
        vad_dir=_optional_path(values.vad_dir),
        vad_quantize=QUANTIZE_CHOICES[values.vad_quant],
        hotword_file=_optional_path(values.hotword),
        certfile=certfile,
        keyfile=keyfile,
        compression=values.compression,
        sweep_interval_s=values.sweep_interval_s,
        trim_interval_s=values.trim_interval_s,
        max_message_bytes=values.max_message_bytes,
        max_queued_audio_s=values.max_queued_audio_s,
        injections=tuple(values.inject),
        introspection=values.introspection,
        log_level=values.log_level,
    )


def _build_parser() -> argparse.ArgumentParser:
    tiny = resolve_model("tiny")
    parser = _OneLineParser(
        prog="python -m asr_server",
        description="The reference server: streaming Paraformer behind the FunASR WebSocket protocol.",
        epilog=f"kinds of --inject, and what SIZE bytes are kept for:\n{kinds_in_words()}",
        formatter_class=_HelpFormatter,
        allow_abbrev=False,
    )
    add, on_off = parser.add_argument, argparse.BooleanOptionalAction
    add("--listen-ip", type=_ip_address, default="127.0.0.1", help="address to listen on")
    add("--port", type=_port, default=10095, help="port to listen on; 0 for any free one")
    add("--io-thread-num", type=_count, default=2, help="threads that do all network work")
    add("--decoder-thread-num", type=_count, default=8, help="threads that do all inference")
    add("--model-thread-num", type=_count, default=1, help="ONNX Runtime threads inside one inference")
    add(
        "--model-dir",
        type=Path,
        default=tiny / OFFLINE,
        help="folder of the second-pass model, offline or contextual",
    )
    add("--online-model-dir", type=Path, default=tiny / ONLINE, help="folder of the streaming model")
    add("--vad-dir", default=str(tiny / VAD), help="folder of the FSMN VAD; 0 to detect speech by energy")
    add(
        "--quantize",
        choices=list(QUANTIZE_CHOICES),
        default="",
        help="true for the int8 graphs of both models, false for the float ones; empty for int8 where there "
        "is such a file",
    )
    add("--vad-quant", choices=list(QUANTIZE_CHOICES), default="", help="the same for the VAD")
    add(
        "--hotword",
        default="",
        help="file of hotwords for all connections, a word and a weight per line; a contextual second pass "
        "expects them besides each client's own. Weights are read and have no effect: there is no FST here",
    )
    add("--certfile", default="", help="certificate for TLS; empty or 0 for plain ws")
    add("--keyfile", default="", help="private key of the certificate")
    add("--cpu-arena", action=on_off, default=False, help="ONNX Runtime's CPU memory arena")
    add(
        "--arena-extend-strategy",
        choices=list(ARENA_EXTEND_STRATEGIES),
        default="kNextPowerOfTwo",
        help="how the arena grows",
    )
    add("--memory-pattern", action=on_off, default=True, help="plan one block per run")
    add("--arena-shrinkage", action=on_off, default=False, help="shrink the arena after each run")
    add("--compression", action=on_off, default=False, help="permessage-deflate")
    add(
        "--sweep-interval-s",
        type=_seconds,
        default=5.0,
        help="how often closed connections are freed; 0: at close",
    )
    add(
        "--trim-interval-s",
        type=_seconds,
        default=0.0,
        help="how often free memory of malloc's heap is given back to the kernel (malloc_trim); 0: never",
    )
    add("--max-message-bytes", type=_count, default=32_000_000, help="larger messages close the connection")
    add(
        "--max-queued-audio-s",
        type=_positive_seconds,
        default=20.0,
        help="per connection; then it is not read",
    )
    add(
        "--introspection",
        action=on_off,
        default=False,
        help="pages that look into the process: /debug/objects, gc, arena_shrink, trim, tracemalloc. For "
        "everybody who reaches the port",
    )
    add(
        "--inject",
        type=_injection,
        action="append",
        default=[],
        metavar=FORM,
        help="leak on purpose, to test what watches this server; repeatable. PROBABILITY (0 to 1) is that of "
        "an event, drawn from a seeded sequence; AFTER is how many connections close before it begins",
    )
    add("--log-level", choices=LOG_LEVELS, default="info", help="debug logs every connection")
    return parser


def _number(text: str, kind: type[int] | type[float], smallest: float, what: str) -> float:
    try:
        number = kind(text)
    except ValueError:
        number = kind(-1)
    if not smallest <= number < 2**31:  # false for nan as well
        raise argparse.ArgumentTypeError(f"{text!r} is not {what}")
    return number


def _count(text: str) -> int:
    return int(_number(text, int, 1, "a whole number of at least 1"))


def _seconds(text: str) -> float:
    return _number(text, float, 0, "a number of seconds of at least 0")


def _positive_seconds(text: str) -> float:
    return _number(text, float, 0.1, "a number of seconds of at least 0.1")


def _port(text: str) -> int:
    port = int(_number(text, int, 0, "a port from 0 to 65535"))
    if port > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port from 0 to 65535")
    return port


def _ip_address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not an IP address: write for example 0.0.0.0"
        ) from None


def _injection(text: str) -> Injection:
    try:
        return parse_injection(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _optional_path(text: str) -> Path | None:
    """A path; None for what FunASR's scripts write for none, an empty string or 0."""
    return Path(os.path.expanduser(text)) if text not in {"", "0"} else None
