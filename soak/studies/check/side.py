"""One side of a comparison: like runs and their figures, from run directories or from a baseline file."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

from soak.errors import SoakError
from soak.json_values import without_nan
from soak.judgement import judge_run
from soak.record import read_run
from soak.record.directory import write_json
from soak.record.measured import measure
from soak.studies.check.limits import final_p99_ms
from soak.verdict.verdict import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from soak.record import Run
    from soak.verdict.verdict import Verdict

SCHEMA_VERSION = 1
KIND = "soak-baseline"
GIB = 2**30
NOT_THE_SCENARIO = {
    "url",
    "duration_s",
    "connections",
    "until_decided",
    "seed",
    "rate_per_s",
    "max_rate_per_s",
    "check_references",
}
"""Settings of the load that two like runs may differ in: how long it lasted, how fast the machine was, and
whether transcripts were compared with what is said."""


@dataclass(frozen=True, kw_only=True)
class RunFigures:
    """What one run came to; NaN for what it did not show."""

    run: str
    """The directory's name."""
    verdict: str
    connections: float
    """Completed."""
    start_bytes: float
    level_bytes: float
    """The plateau; for want of one, RSS in the last quiet windows."""
    growth_bytes: float
    """From the start to that level."""
    peak_bytes: float
    bytes_per_connection: float
    """Growth after warm-up; so are its bounds."""
    bytes_per_connection_low: float
    bytes_per_connection_high: float
    cpu_s_per_audio_s: float
    first_partial_p50_ms: float
    final_p50_ms: float
    final_p99_ms: float

    @classmethod
    def of(cls, run: Run, verdict: Verdict) -> Self:
        """Read the figures of `run`, judged as `verdict`."""
        measured = measure(run)
        level = measured.level_bytes if verdict.plateau_bytes is None else float(verdict.plateau_bytes)
        growth = verdict.growth_bytes_per_connection or UNKNOWN
        p99_ms = final_p99_ms(run)
        return cls(
            run=run.path.name,
            verdict=str(verdict.verdict),
            connections=measured.connections_completed,
            start_bytes=float(verdict.start_bytes),
            level_bytes=level,
            growth_bytes=level - verdict.start_bytes,
            peak_bytes=float(verdict.peak_bytes),
            bytes_per_connection=growth.estimate,
            bytes_per_connection_low=growth.low,
            bytes_per_connection_high=growth.high,
            cpu_s_per_audio_s=measured.cpu_s_per_audio_s,
            first_partial_p50_ms=measured.first_partial_p50_ms,
            final_p50_ms=measured.final_p50_ms,
            final_p99_ms=math.nan if p99_ms is None else p99_ms,
        )


@dataclass(frozen=True)
class Side:
    """Runs that are alike, by one name."""

    name: str
    identity: dict[str, str]
    """What must be equal for a comparison to mean anything, in words: model, threads, scenario, machine."""
    versions: dict[str, str]
    """What may well be the change that is looked at: package versions, kernel, processor."""
    runs: tuple[RunFigures, ...]

    @classmethod
    def of_run(cls, run: Run, verdict: Verdict) -> Self:
        """Return the side of a single run that has been judged."""
        return cls(run.name, identity_of(run), versions_of(run), (RunFigures.of(run, verdict),))

    def named(self, name: str) -> Side:
        """Return this side by another name."""
        return replace(self, name=name)

    def merged(self, other: Side) -> Side:
        """Return this side with the runs of `other`; raises `SoakError` when they are not alike."""
        unlike = differences(self, other)
        if unlike:
            raise SoakError(
                f"{other.runs[0].run} and {self.runs[0].run} cannot be repeats of one thing: {unlike[0]}"
            )
        return replace(self, runs=(*self.runs, *other.runs))

    def to_json_object(self) -> dict[str, Any]:
        """Return the baseline as JSON-ready data; NaN is null."""
        return {
            "schema_version": SCHEMA_VERSION,
            "kind": KIND,
            "name": self.name,
            "created_utc": datetime.now(UTC).isoformat(timespec="seconds"),
            "identity": self.identity,
            "versions": self.versions,
            "runs": [without_nan(asdict(run)) for run in self.runs],
        }


def read_side(path: Path) -> Side:
    """Read a baseline file, a run directory, or a folder of run directories; raises `SoakError`."""
    if path.is_file() and path.suffix == ".json":
        return read_baseline(path)
    if path.is_dir() and not (path / "samples.csv").exists():
        folders = sorted(each.parent for each in path.glob("*/samples.csv"))
        if not folders:
            raise SoakError(f"{path} holds no runs: give a run directory, a folder of them, or a baseline")
    else:
        folders = [path]
    return side_of(folders, name=path.stem if path.is_file() else path.resolve().name)


def side_of(folders: Sequence[Path], name: str) -> Side:
    """Judge the runs in `folders` and take them as repeats of one thing; raises `SoakError`."""
    sides = []
    for folder in folders:
        run = read_run(folder)
        if not run.manifest:
            raise SoakError(f"{folder} has no manifest.json: what ran there is not known, so not comparable")
        sides.append(Side.of_run(run, judge_run(run).verdict))
    whole = sides[0]
    for side in sides[1:]:
        whole = whole.merged(side)
    return whole.named(name)


def write_baseline(side: Side, path: Path) -> None:
    """Write `side` as a baseline, whole or not at all; raises `SoakError` when it cannot be written."""
    write_json(path, side.to_json_object())


def read_baseline(path: Path) -> Side:
    """Read a baseline; raises `SoakError` in one line when it is none."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["kind"] != KIND:
            raise SoakError(f"{path} is no baseline: write one with 'soak baseline save'")
        if content["schema_version"] != SCHEMA_VERSION:
            raise SoakError(
                f"{path} has schema_version {content['schema_version']}; this soak reads {SCHEMA_VERSION}"
            )
        runs = tuple(_figures(run) for run in content["runs"])
        side = Side(content["name"], dict(content["identity"]), dict(content["versions"]), runs)
    except OSError as error:
        raise SoakError(
            f"cannot read {path}: {error.strerror}; write one with 'soak baseline save'"
        ) from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SoakError(f"{path} is no baseline: {error}; write one with 'soak baseline save'") from None
    if not side.runs:
        raise SoakError(f"{path} holds no runs: write it anew with 'soak baseline save'")
    return side


def _figures(run: dict[str, Any]) -> RunFigures:
    known: dict[str, Any] = {field.name: run[field.name] for field in fields(RunFigures)}
    figures: dict[str, Any] = {name: math.nan if value is None else value for name, value in known.items()}
    return RunFigures(**figures)


def identity_of(run: Run) -> dict[str, str]:
    """Return what makes runs comparable, in words: target, model, threads, scenario, machine."""
    configuration = run.manifest.get("configuration", {})
    server, load = configuration.get("server"), configuration.get("load", {})
    host, kind = run.manifest.get("host", {}), run.manifest.get("target", {}).get("kind")
    identity = {"target": "the bundled server" if kind == "bundled" else f"a server that was {kind}"}
    if server is not None:
        passes = f", second pass {server.get('second_pass')}"
        float_graphs = ", float graphs" if server.get("quantize") is False else ""
        threads = (str(server.get(f"{name}_thread_num")) for name in ("decoder", "io", "model"))
        identity["model"] = f"{server.get('model')}{passes}{float_graphs}"
        identity["threads"] = f"decoder/io/model {'/'.join(threads)}"
    scenario = {name: value for name, value in load.items() if name not in NOT_THE_SCENARIO}
    identity["scenario"] = ", ".join(f"{name} {scenario[name]}" for name in sorted(scenario))
    memory_gib = round((host.get("memory_bytes") or 0) / GIB)
    identity["machine"] = f"{host.get('architecture')}, {host.get('cores')} cores, {memory_gib} GiB"
    return identity


def versions_of(run: Run) -> dict[str, str]:
    """Return versions of packages, Python, libc and kernel, and the processor's name.

    The processor is no part of the identity: hosted runners of one class have several, and what they change
    is speed, which a check does not judge.
    """
    host = run.manifest.get("host", {})
    found = {name: host.get(name) for name in ("python", "libc", "kernel", "cpu_model")}
    return {
        name: str(version)
        for name, version in {**run.manifest.get("versions", {}), **found}.items()
        if version
    }


def differences(left: Side, right: Side) -> list[str]:
    """Say in what the two are unlike, one sentence each; nothing when they may be compared."""
    said = []
    for name in sorted(left.identity.keys() | right.identity.keys()):
        ours, theirs = (side.identity.get(name, "not recorded") for side in (left, right))
        if ours != theirs:
            said.append(f"{name}: {_short(ours, theirs)} against {_short(theirs, ours)}")
    return said


def _short(text: str, other: str) -> str:
    """Keep of a list only what the other does not have."""
    parts = [part for part in text.split(", ") if part not in other.split(", ")]
    return ", ".join(parts) or "nothing else"
