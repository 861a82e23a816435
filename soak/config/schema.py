"""The sections of a configuration, as validated frozen dataclasses.

Sections: `server` (the bundled server), `load` (a `LoadPlan` without its address; `max_minutes` stands for
`duration_s` where `until_decided` is set), `sample` and `judge`.
"""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - pydantic reads them at run time
from dataclasses import asdict, replace
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field
from pydantic.dataclasses import dataclass

from asr_server.inject import parse_injection
from asr_server.settings import Meaning, Port, ServerSettings
from soak.analyse import JudgeSettings  # noqa: TC001 - the same
from soak.errors import SoakError
from soak.load.plan import LoadPlan  # noqa: TC001 - the same

ProbeChoice = Literal["auto", "none", "server"]
STRICT = ConfigDict(extra="forbid", allow_inf_nan=False)
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


Threads = Annotated[int, Field(ge=1, le=1024)]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class ServerConfig(ServerSettings):
    """How the bundled server is started: its own settings, and what soak decides before it starts.

    What stands here again of the server's settings has another default in a run: the smallest server, on a
    free port, that can be looked into.
    """

    port: Port = 0
    decoder_thread_num: Threads = 1
    io_thread_num: Threads = 1
    model_thread_num: Threads = 1
    introspection: bool = True
    inject: tuple[Annotated[str, AfterValidator(_injection)], ...] = ()
    model: Annotated[
        str,
        Meaning(
            "tiny (bundled), large (built on first use) or a folder with online/ and that of second_pass"
        ),
    ] = "tiny"
    second_pass: Annotated[
        Literal["offline", "contextual"],
        Meaning(
            "which of the model's second passes corrects the sentences; the contextual one takes hotwords"
        ),
    ] = "offline"  # noqa: S105 - no password
    preload: Annotated[
        str, Meaning("another malloc for the server (LD_PRELOAD): jemalloc, mimalloc, tcmalloc or a path")
    ] = ""
    environment: Annotated[
        Mapping[str, str],
        Meaning('environment of the server\'s process, such as {MALLOC_ARENA_MAX = "2"}'),
    ] = Field(default_factory=dict)


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
    sources: tuple[str, ...] = ()
    """Where memory is read from, by name; the first that yields `rss_bytes` is judged. Left out, what the
    target can give of `process`, `process-details` and `metrics`."""
    source_options: Mapping[str, Mapping[str, Any]] = Field(default_factory=dict)
    """Options of the sources, by their name."""
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


def with_url(config: SoakConfig, url: str, certificate: str = "") -> SoakConfig:
    """Return `config` with the server's address in its load plan, and the certificate that it is to show."""
    certificate = certificate or config.load.certificate
    return replace(config, load=replace(config.load, url=url, certificate=certificate))
