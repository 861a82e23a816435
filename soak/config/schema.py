"""The configuration of a soak: TOML and command-line settings in, validated frozen dataclasses out.

Sections: `server` (the bundled server), `load` (a `LoadPlan` without its address; `max_minutes` stands for
`duration_s` where `until_decided` is set), `sample` and `judge`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence  # noqa: TC003 - pydantic reads them at run time
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from asr_server.inject import parse_injection
from soak.analyse import JudgeSettings
from soak.errors import SoakError
from soak.load.clips import ClipError, find_clips
from soak.load.plan import LoadPlan, PlanError

ProbeChoice = Literal["auto", "none", "server"]
STRICT = ConfigDict(extra="forbid", allow_inf_nan=False)
URL_NOT_YET_KNOWN = "ws://127.0.0.1:0"
"""Stands in the load plan until the server has told its address."""
LOAD_DEFAULTS: dict[str, Any] = {"baseline_s": 3.0}
Section = TypeVar("Section")
DEFAULT_LENGTH: dict[str, Any] = {"connections": 500}
"""The length of a run when neither file nor command line gives one."""
DEFAULT_MAX_MINUTES = 60.0
"""What a run until decided takes at most when neither gives a maximum. The published geometry with 32 decoder
threads was still inconclusive after twenty minutes."""
RANDOM_MODEL = "large"
"""Its weights are random: what it hears is always wrong, but always the same."""
SECTIONS = ("server", "load", "sample", "judge")


def _injection(text: str) -> str:
    parse_injection(text)
    return text


def _probe(choice: object) -> object:
    """Say what became of a way of probing that is no more; raises `SoakError`."""
    if choice == "gdb":
        raise SoakError(
            "sample.probe=gdb was removed, because calling into a process by gdb could end it: take none, or "
            "server for a server with /debug pages like the bundled one's"
        )
    return choice


@dataclass(frozen=True, config=STRICT)
class ServerConfig:
    """How the bundled server is started; names and meanings of the thread settings are FunASR's."""

    decoder_thread_num: Annotated[int, Field(ge=1, le=1024)] = 1
    """Threads that do all inference."""
    io_thread_num: Annotated[int, Field(ge=1, le=1024)] = 1
    """Event-loop threads that share the listening socket."""
    model_thread_num: Annotated[int, Field(ge=1, le=1024)] = 1
    """ONNX Runtime's intra-op threads."""
    model: str = "tiny"
    """`tiny` (bundled), `large` (built on first use) or a folder with `online/` and that of `second_pass`."""
    second_pass: Literal["offline", "contextual"] = "offline"  # noqa: S105 - no password
    """Which of the model's second passes corrects the sentences; the contextual one takes hotwords."""
    quantize: bool | None = None
    """Take the models' int8 graphs, or the float ones; left out, int8 where there are any."""
    port: Annotated[int, Field(ge=0, le=65535)] = 0
    """0 takes a free one."""
    certfile: str = ""
    """TLS certificate; empty for plain WebSocket."""
    keyfile: str = ""
    """Its key."""
    cpu_arena: bool = False
    """ONNX Runtime's CPU memory arena; FunASR turns it off."""
    arena_extend_strategy: Literal["kNextPowerOfTwo", "kSameAsRequested"] = "kNextPowerOfTwo"
    """How the arena grows."""
    memory_pattern: bool = True
    """ONNX Runtime's memory pattern optimisation."""
    arena_shrinkage: bool = False
    """Shrink the arena after every run; needs `cpu_arena`."""
    compression: bool = False
    """permessage-deflate; FunASR's C++ servers have none."""
    sweep_interval_s: Annotated[float, Field(ge=0)] = 5.0
    """Closed connections are freed by a sweep this often, as FunASR does; 0 frees them at once."""
    trim_interval_s: Annotated[float, Field(ge=0)] = 0.0
    """Free memory of malloc's heap goes back to the kernel this often; 0 never."""
    introspection: bool = True
    """Serve the pages by which the probes at the end of a run look into the server."""
    preload: str = ""
    """Another malloc for the server (LD_PRELOAD): `jemalloc`, `mimalloc` or the path of a library."""
    hotword: str = ""
    """File of hotwords for every connection, a word and its weight a line; see also `load.hotwords`."""
    inject: tuple[Annotated[str, AfterValidator(_injection)], ...] = ()
    """Leaks to inject, `kind:size[:probability[:after]]`, such as `session:64KiB`; the kinds are listed by
    `python -m asr_server --help`."""
    environment: Mapping[str, str] = Field(default_factory=dict)
    """Environment of the server's process, such as `MALLOC_ARENA_MAX`."""


@dataclass(frozen=True, config=STRICT)
class SampleConfig:
    """When the server's memory is read, and how much of the time the costly readings may take."""

    interval_s: Annotated[float, Field(ge=0.1, le=3600)] = 1.0
    """Between two samples."""
    metrics_interval_s: Annotated[float, Field(ge=0.1, le=3600)] = 2.0
    """Between two readings of the server's `/metrics`."""
    smaps_interval_s: Annotated[float, Field(ge=1)] = 10.0
    """Shortest time between two readings of `/proc/P/smaps`, sockets and cgroup."""
    smaps_share: Annotated[float, Field(gt=0, le=0.1)] = 0.001
    """Share of the time that these may take: reading the mappings stalls the server."""
    probe: Annotated[ProbeChoice, BeforeValidator(_probe)] = "auto"
    """What is tried after the load to get memory back: `server` asks the server's own /debug pages, `auto`
    does so with the bundled server and tries nothing with others."""


@dataclass(frozen=True)
class SoakConfig:
    """Everything a run needs to know."""

    name: str
    server: ServerConfig
    load: LoadPlan
    sample: SampleConfig
    judge: JudgeSettings

    def to_json_object(self) -> dict[str, Any]:
        """Return all sections as JSON-ready values, for the manifest."""
        load = self.load.to_json_object()
        del load["url"]
        return {
            "server": asdict(self.server),
            "load": load,
            "sample": asdict(self.sample),
            "judge": asdict(self.judge),
        }


def bundled_configs_dir() -> Path:
    """Return the folder of the configurations that come with soak (in a wheel, inside the package)."""
    package = Path(__file__).parent.parent
    inside = package / "configs"
    return inside if inside.is_dir() else package.parent / "configs"


def bundled_config_names() -> list[str]:
    """Return the names `--config` knows without a file."""
    return sorted(path.stem for path in bundled_configs_dir().glob("*.toml"))


def load_config(
    name_or_file: str,
    settings: Sequence[str] = (),
    overrides: Mapping[str, Mapping[str, Any]] | None = None,
) -> SoakConfig:
    """Read a bundled configuration by name, or a TOML file, and lay settings over it.

    `settings` are `section.key=value` texts (values as in TOML; a bare word is a string); `overrides` maps
    section to key to value and comes last. Raises `SoakError` with one line that names file, section and key.
    """
    path = _find(name_or_file)
    document = _parse_toml(path)
    for setting in settings:
        section, key, value = _parse_setting(setting)
        document.setdefault(section, {})[key] = value
    for section, values in (overrides or {}).items():
        document.setdefault(section, {}).update(values)
    unknown = sorted(set(document) - set(SECTIONS))
    if unknown:
        raise SoakError(f"{path.name}: unknown section [{unknown[0]}]; there are {', '.join(SECTIONS)}")
    try:
        server = _validated(ServerConfig, document, "server")
        hears = {"check_references": server.model != RANDOM_MODEL}
        return SoakConfig(
            name=path.stem,
            server=server,
            load=_load_plan(hears | document.get("load", {})),
            sample=_validated(SampleConfig, document, "sample"),
            judge=_validated(JudgeSettings, document, "judge"),
        )
    except (SoakError, PlanError) as error:
        raise SoakError(f"configuration {path.stem}: {error}") from None


def _find(name_or_file: str) -> Path:
    bundled = bundled_configs_dir() / f"{name_or_file}.toml"
    if re.fullmatch(r"[\w-]+", name_or_file) and bundled.is_file():
        return bundled
    path = Path(name_or_file)
    if path.is_file():
        return path
    raise SoakError(
        f"--config {name_or_file}: there is no such file, and the bundled ones are "
        f"{', '.join(bundled_config_names())}"
    )


def _parse_toml(path: Path) -> dict[str, dict[str, Any]]:
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SoakError(f"cannot read {path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SoakError(f"{path} is not valid TOML: {error}") from None
    for section, values in document.items():
        if not isinstance(values, dict):
            raise SoakError(
                f"{path.name}: {section} stands outside a section; put it under [{SECTIONS[0]}] …"
            )
    return document


def _parse_setting(setting: str) -> tuple[str, str, Any]:
    match = re.fullmatch(r"(\w+)\.(\w+)=(.*)", setting, re.DOTALL)
    if match is None:
        raise SoakError(f"--set {setting}: write it as section.key=value, such as load.rate_per_s=2")
    section, key, text = match.groups()
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = text
    return section, key, value


def _validated(kind: type[Section], document: Mapping[str, Any], section: str) -> Section:
    try:
        return TypeAdapter(kind).validate_python(document.get(section, {}))
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        where = ".".join((section, *map(str, fault["loc"])))
        if fault["type"] == "unexpected_keyword_argument":
            known = ", ".join(field.name for field in fields(kind))  # type: ignore[arg-type]  # dataclasses all
            raise SoakError(f"{where} is not a setting; [{section}] has {known}") from None
        raise SoakError(f"{where} is {fault['input']!r}: {fault['msg']}") from None


def _load_plan(values: Mapping[str, Any]) -> LoadPlan:
    given = {name: value for name, value in values.items() if value is not None}
    max_minutes = given.pop("max_minutes", None)
    until_decided = given.get("until_decided") is True
    if max_minutes is not None:
        _check_max_minutes(max_minutes, given, until_decided=until_decided)
        given["duration_s"] = max_minutes * 60.0
    if "connections" not in given and "duration_s" not in given:
        given |= {"duration_s": DEFAULT_MAX_MINUTES * 60.0} if until_decided else DEFAULT_LENGTH
    plan = LoadPlan.from_json_object({**LOAD_DEFAULTS, **given, "url": URL_NOT_YET_KNOWN})
    if plan.clips:  # the driver reads them: what is wrong with them is better said now
        try:
            find_clips(Path(plan.clips))
        except ClipError as error:
            raise SoakError(f"load.clips: {error}") from None
    return plan


def _check_max_minutes(max_minutes: object, given: Mapping[str, Any], *, until_decided: bool) -> None:
    """Refuse a maximum that is no number of minutes, that limits nothing, or that is given twice."""
    if isinstance(max_minutes, bool) or not isinstance(max_minutes, int | float) or not max_minutes > 0:
        raise SoakError(f"load.max_minutes is {max_minutes!r}: it must be a number above 0")
    if not until_decided:
        raise SoakError(
            "load.max_minutes is the limit of a run until decided: set load.until_decided (--until-decided) "
            "too, or give a fixed length"
        )
    if "duration_s" in given:
        raise SoakError("load.max_minutes and load.duration_s both limit the run: give one")


def with_url(config: SoakConfig, url: str) -> SoakConfig:
    """Return `config` with the server's address in its load plan."""
    return replace(config, load=replace(config.load, url=url))
