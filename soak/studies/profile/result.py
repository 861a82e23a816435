"""`profile.json`: which code keeps the memory that grows."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from soak.errors import SoakError
from soak.json_values import without_nan
from soak.record.directory import write_json
from soak.studies.profile.culprits import FEWEST_MOMENTS, Culprit, culprits, gained
from soak.studies.profile.debug_packages import where_symbols_are
from soak.studies.profile.frames import Frame, is_standard
from soak.studies.profile.holders import Holder, holder_of
from soak.studies.profile.judged import Growth, judged
from soak.verdict.verdict import UNKNOWN, Estimate, Label

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from soak.studies.profile.heap_course import HeapCourse

SCHEMA_VERSION = 1
FILE_NAME = "profile.json"
"""In the run directory of the profiled run."""


@dataclass(frozen=True, eq=False)
class ProfileResult:
    """What a profiled run comes to."""

    run: str
    """Name of the run's directory."""
    profiler: str
    """`jemalloc` or `memray`."""
    command: str
    """What makes the profile again."""
    heap: Growth
    """Of everything that was in use."""
    t_s: tuple[float, ...]
    """Moments, in seconds since the start of the run."""
    connections: tuple[float, ...]
    """Completed by then."""
    total_bytes: tuple[float, ...]
    """In use then, all stacks together."""
    found: tuple[Culprit, ...]
    """The stacks that were judged: those that climb first."""
    holders: Mapping[int, Holder]
    """By the place of a culprit in `found`: which container keeps its objects, where that is known."""
    notes: tuple[str, ...]

    @property
    def culprits(self) -> tuple[Culprit, ...]:
        """The stacks that climb, worst first."""
        return tuple(each for each in self.found if each.climbs)

    def holder(self, culprit: Culprit) -> Holder | None:
        """Return what keeps the objects of one of `found`."""
        return self.holders.get(self.found.index(culprit))

    def to_json_object(self) -> dict[str, Any]:
        """Return what `profile.json` holds; NaN is null."""
        return {
            "schema_version": SCHEMA_VERSION,
            "run": self.run,
            "profiler": self.profiler,
            "command": self.command,
            "heap_in_use": {**_growth_json(self.heap), "bytes": _rounded(self.total_bytes)},
            "t_s": [round(each, 3) for each in self.t_s],
            "connections": _rounded(self.connections),
            "stacks": [self._stack_json(place, each) for place, each in enumerate(self.found)],
            "notes": list(self.notes),
        }

    def _stack_json(self, place: int, each: Culprit) -> dict[str, Any]:
        holder = self.holders.get(place)
        return {
            **_growth_json(each.growth),
            "gained_bytes": round(each.gained_bytes),
            "share": round(each.share, 4),
            "site": each.site.to_json_object(),
            "kept_by": None if holder is None else holder.to_json_object(),
            "stack": [frame.to_json_object() for frame in each.stack],
            "bytes": _rounded(each.in_use_bytes),
        }

    def write(self, folder: Path) -> Path:
        """Write `profile.json` into `folder`; raises `SoakError` when it cannot be written."""
        write_json(folder / FILE_NAME, self.to_json_object())
        return folder / FILE_NAME

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read `profile.json` of `folder`; raises `SoakError` in one line for one that is none."""
        path = folder / FILE_NAME
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            if content["schema_version"] != SCHEMA_VERSION:
                raise SoakError(
                    f"{path} has schema_version {content['schema_version']}; this soak reads {SCHEMA_VERSION}"
                )
            return cls._of_json_object(content)
        except OSError as error:
            raise SoakError(f"cannot read {path}: {error.strerror}; make it with soak profile") from None
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise SoakError(f"{path} is no profile: {error}") from None

    @classmethod
    def _of_json_object(cls, content: Mapping[str, Any]) -> Self:
        stacks = content["stacks"]
        return cls(
            run=content["run"],
            profiler=content["profiler"],
            command=content["command"],
            heap=_growth_of(content["heap_in_use"]),
            t_s=tuple(content["t_s"]),
            connections=tuple(content["connections"]),
            total_bytes=tuple(content["heap_in_use"]["bytes"]),
            found=tuple(
                Culprit(
                    tuple(Frame.from_json_object(frame) for frame in each["stack"]),
                    np.array(each["bytes"], dtype=np.float64),
                    _growth_of(each),
                    each["share"],
                )
                for each in stacks
            ),
            holders={
                place: Holder.from_json_object(each["kept_by"])
                for place, each in enumerate(stacks)
                if each["kept_by"] is not None
            },
            notes=tuple(content["notes"]),
        )


def profile_result(
    course: HeapCourse, grown: Sequence[Holder], *, run: str, profiler: str, command: str
) -> ProfileResult:
    """Judge a course; `grown` are the containers that gained, most first."""
    found = culprits(course)
    heap = Growth(Label.INCONCLUSIVE, None, UNKNOWN)
    notes = _without_symbols(course.unnamed, found)
    if course.t_s.size >= FEWEST_MOMENTS:
        heap = judged(course.t_s, course.total_bytes, course.connections)
    else:
        notes.insert(
            0,
            f"Only {course.t_s.size} quiet windows have a profile, and {FEWEST_MOMENTS} are needed: "
            "give more --connections.",
        )
    per_moment = (
        (float(course.connections[-1]) / max(np.ptp(course.connections), 1.0)) if course.t_s.size else 1
    )
    holders = {
        place: holder
        for place, each in enumerate(found)
        if each.climbs and (holder := holder_of(each.gained_bytes * per_moment, grown)) is not None
    }
    return ProfileResult(
        run=run,
        profiler=profiler,
        command=command,
        heap=heap,
        t_s=tuple(course.t_s.tolist()),
        connections=tuple(course.connections.tolist()),
        total_bytes=tuple(course.total_bytes.tolist()),
        found=tuple(found),
        holders=holders,
        notes=tuple(notes),
    )


def _without_symbols(unnamed: Sequence[str], found: Sequence[Culprit]) -> list[str]:
    """Return where the symbols are of the files that stand in a stack that climbs."""
    shown = {
        frame.module
        for each in found
        if each.climbs
        for frame in each.stack
        if frame.file is None and not is_standard(frame)
    }
    return [where_symbols_are(path) for path in unnamed if PurePath(path).name in shown]


def heap_gained_bytes(result: ProfileResult) -> float:
    """Return by how much what was in use grew from the first moment to the last; NaN without two."""
    if len(result.total_bytes) < 2:
        return math.nan
    return gained(np.array(result.total_bytes))


def _growth_json(growth: Growth) -> dict[str, Any]:
    per_connection = growth.per_connection
    return {
        "verdict": str(growth.label),
        "bytes_per_connection": None if per_connection is None else _estimate_json(per_connection),
        "bytes_per_hour": _estimate_json(growth.per_hour),
    }


def _estimate_json(estimate: Estimate) -> Any:
    return without_nan(asdict(estimate))


def _growth_of(recorded: Mapping[str, Any]) -> Growth:
    per_connection = recorded["bytes_per_connection"]
    return Growth(
        Label(recorded["verdict"]),
        None if per_connection is None else _estimate_of(per_connection),
        _estimate_of(recorded["bytes_per_hour"]),
    )


def _estimate_of(recorded: Mapping[str, Any]) -> Estimate:
    return Estimate(
        *(
            math.nan if recorded[name] is None else float(recorded[name])
            for name in ("estimate", "low", "high")
        )
    )


def _rounded(values: Any) -> list[int]:
    return [round(float(each)) for each in values]
