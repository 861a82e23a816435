"""`manifest.json`, typed: what was run, how it was configured, on what machine, and against which server."""

from typing import Annotated, Any, Self

from pydantic import Field, Strict, ValidationError

from soak.capabilities import Capabilities, Capability, capabilities_of
from soak.columns import Column
from soak.errors import SoakError
from soak.record.recorded import Count, Recorded, Seconds, Setting, Texts, first_fault, parse

SCHEMA_VERSION = 1
BUDGET = ("max_growth_bytes_per_hour", "relative_budget", "min_relative_budget_bytes")
"""Settings that mean the same in every version of the judge."""
JUDGE_ALONE = "remove it to judge the samples alone"


class ServerSettings(Recorded):
    """How the bundled server was started; None for what was not recorded, further settings beside these."""

    decoder_thread_num: Count | None = None
    io_thread_num: Count | None = None
    model_thread_num: Count | None = None
    model: str | None = None
    second_pass: str | None = None
    quantize: bool | None = None


class SampleSettings(Recorded):
    """How the server was sampled; further settings beside these."""

    interval_s: Seconds | None = None


class Configuration(Recorded):
    """The resolved configuration, section by section."""

    server: ServerSettings | None = None
    """None for a server that soak did not start."""
    load: dict[str, Any] = Field(default_factory=dict)
    sample: SampleSettings = SampleSettings()
    judge: dict[str, Any] = Field(default_factory=dict)


class Host(Recorded):
    """The machine; None for what it does not tell."""

    architecture: str | None = None
    cpu_model: str | None = None
    cores: Count | None = None
    memory_bytes: Count | None = None
    kernel: str | None = None
    libc: str | None = None
    python: str | None = None
    os: str | None = None
    thp: str | None = None
    """Transparent huge pages: the kernel's switch, the choice in brackets."""
    cgroup_limit_bytes: Count | None = None
    """The lowest memory limit that the harness runs under."""


class RecordedTarget(Recorded):
    """The server under test."""

    kind: str | None = None
    """`bundled`, `attached`, or what else a target calls itself."""
    capabilities: Texts | None = None
    """What it could do, as its soak called it; see `abilities`."""
    pid: Count | None = None
    url: str | None = None
    start_time: Seconds | None = None
    """When its process began, in seconds since 1970."""
    command_line: Texts | None = None
    model: dict[str, Any] | None = None

    @property
    def abilities(self) -> Capabilities:
        """What it could do, as far as this soak knows it."""
        return capabilities_of(self.to_json_object())


class LoadPlan(Recorded):
    """What the driver was asked to do; the whole plan beside this."""

    connections: Count | None = None
    """How many to make; None where only time limited the load."""


class ForeignColumn(Recorded):
    """What is said of a column of somebody else's memory source."""

    name: str
    owner: str
    unit: str
    label: str


class Manifest(Recorded):
    """`manifest.json`; by default that of a recording without one, in which nothing is known."""

    schema_version: Count = SCHEMA_VERSION
    soak_version: str | None = None
    command_line: Texts | None = None
    started_utc: str | None = None
    """ISO 8601."""
    name: str | None = None
    """The configuration's."""
    configuration: Configuration = Configuration()
    judge_asked: dict[str, Setting] = Field(default_factory=dict)
    """The judge's settings that the run asked for, where they differ from the defaults of its day."""
    host: Host = Host()
    versions: dict[str, str] = Field(default_factory=dict)
    environment: dict[str, str] | None = None
    """Variables that steer allocators and thread pools; None where they were not recorded."""
    target: RecordedTarget = RecordedTarget()
    load_plan: LoadPlan = LoadPlan()
    columns: Annotated[tuple[ForeignColumn, ...], Strict(strict=False)] = ()

    @classmethod
    def of(cls, recorded: object) -> Self:
        """Check what was recorded, by whatever version, and bring it to today's form."""
        return cls.model_validate(_upgraded(recorded) if isinstance(recorded, dict) else recorded)

    @property
    def reference_server(self) -> ServerSettings | None:
        """How the bundled server was started; None for another server."""
        return self.configuration.server if Capability.REFERENCE in self.target.abilities else None

    @property
    def foreign_columns(self) -> tuple[Column, ...]:
        """The columns of other people's memory sources; raises ValueError for one that cannot be."""
        return tuple(Column.from_json_object(each.to_json_object()) for each in self.columns)


def read_manifest(text: str | bytes, path: object) -> Manifest:
    """Read the text of a manifest; raises `SoakError`, in one line that names `path` and key, for another."""
    try:
        recorded = parse(text)
    except ValueError as error:
        raise SoakError(f"cannot read {path}: {error}; {JUDGE_ALONE}") from error
    if not isinstance(recorded, dict):
        raise SoakError(f"{path} is not a JSON object; {JUDGE_ALONE}")
    version = recorded.get("schema_version")
    if type(version) is not int or version > SCHEMA_VERSION:
        raise SoakError(
            f"{path} has schema_version {version!r:.40}; this soak reads up to {SCHEMA_VERSION}: upgrade soak"
        )
    try:
        manifest = Manifest.of(recorded)
        manifest.foreign_columns  # noqa: B018 - raises for a description of none
    except ValidationError as error:
        raise SoakError(f"{path}: {first_fault(error)}; {JUDGE_ALONE}") from error
    except ValueError as error:
        raise SoakError(f"{path}: columns: {error}; {JUDGE_ALONE}") from error
    return manifest


def _upgraded(recorded: dict[str, Any]) -> dict[str, Any]:
    """Return a manifest of an older soak as it would be written today; every change of form has its step."""
    return _with_judge_asked(_with_words_of_the_command(recorded))


def _with_words_of_the_command(recorded: dict[str, Any]) -> dict[str, Any]:
    """The command line was one text once."""
    line = recorded.get("command_line")
    return {**recorded, "command_line": line.split()} if isinstance(line, str) else recorded


def _with_judge_asked(recorded: dict[str, Any]) -> dict[str, Any]:
    """What was asked of the judge stood among the defaults of the day once: of these the budget stays."""
    configuration = recorded.get("configuration")
    judge = configuration.get("judge") if isinstance(configuration, dict) else None
    if "judge_asked" in recorded or not isinstance(judge, dict):
        return recorded
    return {**recorded, "judge_asked": {name: judge[name] for name in BUDGET if name in judge}}
