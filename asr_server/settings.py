"""The settings of the server, each declared once: name, type with its range, default, meaning.

From here come the command line (`asr_server.options`), the flags with which a program starts the server
(`ServerSettings.flags`), soak's section `server`, and the table of the documentation.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, get_args, get_type_hints

from annotated_types import Ge, Interval

from asr_server.inject import FORM, parse_injection
from asr_server.paraformer.catalog import OFFLINE, ONLINE, VAD, resolve_model

if TYPE_CHECKING:
    from collections.abc import Callable

TINY: Final = resolve_model("tiny")


@dataclass(frozen=True)
class Meaning:
    """What a setting is for, in words that follow its name."""

    text: str


@dataclass(frozen=True)
class Form:
    """How a setting is written where a type does not say it."""

    name: str
    """Such as `KIND:SIZE`."""
    check: Callable[[str], object]
    """Raises ValueError, in one line, for what is written in another form."""


@dataclass(frozen=True)
class Called:
    """What the numbers of a setting are called where one is refused."""

    text: str
    """Such as `a port`."""


@dataclass(frozen=True)
class Setting:
    """One declared setting."""

    name: str
    kind: Any
    """Its type without annotations."""
    default: Any
    notes: tuple[Any, ...]
    """Its annotations: ranges (`annotated_types`), `Meaning`, `Form`, `Called`."""

    @property
    def flag(self) -> str:
        """Its name on the command line."""
        return "--" + self.name.replace("_", "-")

    @property
    def meaning(self) -> str:
        """What it is for."""
        return next((note.text for note in self.notes if isinstance(note, Meaning)), "")

    def note(self, kind: type[Any]) -> Any:
        """Return its annotation of this kind, or None."""
        return next((note for note in self.notes if isinstance(note, kind)), None)


def settings_of(declared: type[Any]) -> list[Setting]:
    """Return the settings that a dataclass such as `ServerSettings` declares, in order."""
    hints = get_type_hints(declared, include_extras=True)
    settings = []
    for field in fields(declared):
        hint = hints[field.name]
        notes = getattr(hint, "__metadata__", ())
        kind = get_args(hint)[0] if notes else hint
        settings.append(Setting(field.name, kind, field.default, notes))
    return settings


def _ip_address(text: str) -> None:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        raise ValueError(f"{text!r} is not an IP address: write for example 0.0.0.0") from None


Port = Annotated[int, Interval(ge=0, le=65535), Called("a port")]
Count = Annotated[int, Ge(1), Called("a whole number")]
Bytes = Annotated[int, Ge(1), Called("a number of bytes")]
Seconds = Annotated[float, Ge(0), Called("a number of seconds")]


@dataclass(frozen=True, kw_only=True)
class ServerSettings:
    """What changes how the server works. The names and meanings that FunASR has, too, are FunASR's."""

    port: Annotated[Port, Meaning("port to listen on; 0 for any free one")] = 10095
    decoder_thread_num: Annotated[Count, Meaning("threads that do all inference")] = 8
    io_thread_num: Annotated[
        Count, Meaning("threads that do all network work: event loops that share the listening socket")
    ] = 2
    model_thread_num: Annotated[Count, Meaning("ONNX Runtime threads inside one inference")] = 1
    quantize: Annotated[
        bool | None,
        Meaning(
            "true for the int8 graphs of both models, false for the float ones; empty for int8 where there "
            "is such a file"
        ),
    ] = None
    hotword: Annotated[
        str,
        Meaning(
            "file of hotwords for all connections, a word and a weight per line; a contextual second pass "
            "expects them besides each client's own. Weights are read and have no effect: there is no FST "
            "here"
        ),
    ] = ""
    certfile: Annotated[str, Meaning("certificate for TLS; empty or 0 for plain ws")] = ""
    keyfile: Annotated[str, Meaning("private key of the certificate")] = ""
    cpu_arena: Annotated[bool, Meaning("ONNX Runtime's CPU memory arena; FunASR turns it off")] = False
    arena_extend_strategy: Annotated[
        Literal["kNextPowerOfTwo", "kSameAsRequested"], Meaning("how the arena grows")
    ] = "kNextPowerOfTwo"
    memory_pattern: Annotated[
        bool, Meaning("plan one block for all tensors of a run (ONNX Runtime's memory pattern)")
    ] = True
    arena_shrinkage: Annotated[bool, Meaning("shrink the arena after each run; needs the arena")] = False
    compression: Annotated[bool, Meaning("permessage-deflate; FunASR's C++ servers have none")] = False
    sweep_interval_s: Annotated[
        Seconds, Meaning("how often closed connections are freed, as FunASR does it; 0: at close")
    ] = 5.0
    trim_interval_s: Annotated[
        Seconds,
        Meaning("how often free memory of malloc's heap is given back to the kernel (malloc_trim); 0: never"),
    ] = 0.0
    introspection: Annotated[
        bool,
        Meaning(
            "pages that look into the process: /debug/objects, gc, arena_shrink, trim, tracemalloc. For "
            "everybody who reaches the port by its IP address or as localhost; not for other sites' pages"
        ),
    ] = False
    inject: Annotated[
        tuple[str, ...],
        Form(FORM, parse_injection),
        Meaning(
            "leak on purpose, to test what watches this server; repeatable. PROBABILITY (0 to 1) is that of "
            "an event, drawn from a seeded sequence; AFTER is how many connections close before it begins"
        ),
    ] = ()

    def flags(self) -> list[str]:
        """Return the command line that asks for these settings; what is None or empty is left out."""
        flags: list[str] = []
        for setting in settings_of(ServerSettings):
            value = getattr(self, setting.name)
            if isinstance(value, tuple):
                for each in value:
                    flags += [setting.flag, each]
            elif setting.kind is bool:
                flags.append(setting.flag if value else f"--no-{setting.flag[2:]}")
            elif isinstance(value, bool):
                flags += [setting.flag, str(value).lower()]
            elif value is not None and value != "":
                flags += [setting.flag, str(value)]
        return flags


@dataclass(frozen=True, kw_only=True)
class ServerOptions(ServerSettings):
    """Everything that the command line decides: the settings, and where the server and its models are."""

    listen_ip: Annotated[str, Form("ADDRESS", _ip_address), Meaning("address to listen on")] = "127.0.0.1"
    model_dir: Annotated[Path, Meaning("folder of the second-pass model, offline or contextual")] = (
        TINY / OFFLINE
    )
    online_model_dir: Annotated[Path, Meaning("folder of the streaming model")] = TINY / ONLINE
    vad_dir: Annotated[str, Meaning("folder of the FSMN VAD; 0 to detect speech by energy")] = str(TINY / VAD)
    vad_quant: Annotated[bool | None, Meaning("as --quantize, for the VAD")] = None
    max_message_bytes: Annotated[Count, Meaning("larger messages close the connection")] = 32_000_000
    max_text_bytes: Annotated[
        Bytes,
        Meaning("larger messages of text, hotwords included, close the connection before they are parsed"),
    ] = 65_536
    max_queued_audio_s: Annotated[
        float,
        Ge(0.1),
        Called("a number of seconds"),
        Meaning(
            "audio that a connection may have waiting to be decoded: 640 KB at 16 kHz, 1.92 MB at 48 kHz by "
            "default; with more it is not read"
        ),
    ] = 20.0
    max_queued_audio_total_s: Annotated[
        float,
        Ge(1.0),
        Called("a number of seconds"),
        Meaning(
            "the same of all connections together, 64 MB at 16 kHz by default; with more each may have one "
            "task of a second waiting"
        ),
    ] = 2000.0
    max_connections: Annotated[
        Count,
        Meaning("connections open at a time, as far as the limit of open files allows; more are told 503"),
    ] = 10_000
    handshake_timeout_s: Annotated[
        float,
        Ge(0.1),
        Called("a number of seconds"),
        Meaning("a connection that has not shaken hands by then is cut, TLS included"),
    ] = 5.0
    idle_timeout_s: Annotated[
        Seconds,
        Meaning("a connection from which nothing comes for so long, no ping either, is closed; 0: never"),
    ] = 3600.0
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], Meaning("debug logs every connection")
    ] = "info"


def optional_path(text: str) -> Path | None:
    """Return a path; None for what FunASR's scripts write for none, an empty string or 0."""
    return Path(text).expanduser() if text not in {"", "0"} else None
