"""The growth as a pprof profile: what `go tool pprof`, speedscope, Pyroscope and others read."""

from __future__ import annotations

import gzip
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from soak.private_file import replacing

if TYPE_CHECKING:
    from pathlib import Path

    from soak.studies.profile.frames import Frame
    from soak.studies.profile.heap_course import HeapCourse

PPROF_NAME = "growth.pb.gz"
GROWTH, IN_USE = "growth", "inuse_space"
"""What a sample has two values of, in bytes: what a stack gained from the first quiet window to the last, and
what it held in the last."""
INTEGER, NATURAL, TEXT = "int64", "uint64", "string"
MESSAGES: dict[str, tuple[tuple[str, int, str, bool], ...]] = {
    "ValueType": (("type", 1, INTEGER, False), ("unit", 2, INTEGER, False)),
    "Sample": (("location_id", 1, NATURAL, True), ("value", 2, INTEGER, True)),
    "Line": (("function_id", 1, NATURAL, False), ("line", 2, INTEGER, False)),
    "Location": (
        ("id", 1, NATURAL, False),
        ("address", 3, NATURAL, False),
        ("line", 4, "Line", True),
    ),
    "Function": (
        ("id", 1, NATURAL, False),
        ("name", 2, INTEGER, False),
        ("system_name", 3, INTEGER, False),
        ("filename", 4, INTEGER, False),
    ),
    "Profile": (
        ("sample_type", 1, "ValueType", True),
        ("sample", 2, "Sample", True),
        ("location", 4, "Location", True),
        ("function", 5, "Function", True),
        ("string_table", 6, TEXT, True),
        ("default_sample_type", 14, INTEGER, False),
    ),
}
"""The messages of pprof's `profile.proto` as far as they are needed: name, number, type, whether repeated."""
PACKAGE = "soak.pprof"
_Field = descriptor_pb2.FieldDescriptorProto
_TYPES = {INTEGER: _Field.TYPE_INT64, NATURAL: _Field.TYPE_UINT64, TEXT: _Field.TYPE_STRING}


def write_pprof(course: HeapCourse, path: Path) -> None:
    """Write the stacks of a course; raises `SoakError` when `path` cannot be."""
    with replacing(path) as stream:
        stream.write(gzip.compress(pprof(course), mtime=0))


def pprof(course: HeapCourse) -> bytes:
    """Return the stacks of a course, those that neither hold nor gained anything left out."""
    tables = _Tables()
    for name in (GROWTH, IN_USE):
        tables.profile.sample_type.add(type=tables.text(name), unit=tables.text("bytes"))
    tables.profile.default_sample_type = tables.text(GROWTH)
    for stack, in_use in course.bytes_by_stack.items():
        values = (round(float(in_use[-1] - in_use[0])), round(float(in_use[-1])))
        if any(values):
            places = [tables.location(frame) for frame in stack]
            tables.profile.sample.add(location_id=places, value=values)
    return bytes(tables.profile.SerializeToString(deterministic=True))


@lru_cache(maxsize=1)
def profile_message() -> Any:
    """Return the class of pprof's message `Profile`."""
    described = descriptor_pb2.FileDescriptorProto(name="soak/pprof.proto", package=PACKAGE, syntax="proto3")
    for name, fields in MESSAGES.items():
        message = described.message_type.add(name=name)
        for field_name, number, kind, repeated in fields:
            entry = message.field.add(
                name=field_name,
                number=number,
                label=_Field.LABEL_REPEATED if repeated else _Field.LABEL_OPTIONAL,
                type=_TYPES.get(kind, _Field.TYPE_MESSAGE),
            )
            if kind not in _TYPES:
                entry.type_name = f".{PACKAGE}.{kind}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(described)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{PACKAGE}.Profile"))


@dataclass
class _Tables:
    """A profile being filled: texts, functions and places are written once, and named by number."""

    profile: Any = field(default_factory=lambda: profile_message()(string_table=[""]))
    texts: dict[str, int] = field(default_factory=lambda: {"": 0})
    functions: dict[tuple[str, str], int] = field(default_factory=dict)
    locations: dict[Frame, int] = field(default_factory=dict)

    def text(self, text: str) -> int:
        """Return the number of a text."""
        if text not in self.texts:
            self.texts[text] = len(self.texts)
            self.profile.string_table.append(text)
        return self.texts[text]

    def location(self, frame: Frame) -> int:
        """Return the number of a call's place, from 1."""
        if frame not in self.locations:
            self.locations[frame] = len(self.locations) + 1
            place = self.profile.location.add(id=self.locations[frame], address=frame.offset)
            place.line.add(function_id=self._function(frame), line=frame.line or 0)
        return self.locations[frame]

    def _function(self, frame: Frame) -> int:
        file = frame.file or frame.module
        key = (frame.function, file)
        if key not in self.functions:
            self.functions[key] = len(self.functions) + 1
            name = self.text(frame.function)
            self.profile.function.add(
                id=self.functions[key], name=name, system_name=name, filename=self.text(file)
            )
        return self.functions[key]
