from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import numpy as np

from soak.studies.profile.frames import Frame
from soak.studies.profile.heap_course import HeapCourse
from soak.studies.profile.pprof import pprof, profile_message, write_pprof

if TYPE_CHECKING:
    from pathlib import Path

KEEP = Frame("keep(int)", "/src/server.cc", 40, "server", 0x1234)
MAIN = Frame("main", "/src/server.cc", 90, "server", 0x2000)
T_S = np.array([1.0, 2.0, 3.0])
COURSE = HeapCourse(
    T_S,
    T_S,
    {
        (KEEP, MAIN): np.array([100.0, 200.0, 300.0]),
        (MAIN,): np.array([50.0, 40.0, 20.0]),
        (KEEP,): np.zeros(3),
    },
    T_S,
)


def test_growth_and_level_of_each_stack_are_read_back_with_their_calls() -> None:
    profile = profile_message().FromString(pprof(COURSE))
    text = profile.string_table
    assert text[0] == ""
    assert [(text[each.type], text[each.unit]) for each in profile.sample_type] == [
        ("growth", "bytes"),
        ("inuse_space", "bytes"),
    ]
    places = {each.id: each for each in profile.location}
    functions = {each.id: each for each in profile.function}
    told = [
        (
            [text[functions[places[number].line[0].function_id].name] for number in sample.location_id],
            list(sample.value),
        )
        for sample in profile.sample
    ]
    assert told == [(["keep(int)", "main"], [200, 300]), (["main"], [-30, 20])]
    innermost = places[profile.sample[0].location_id[0]]
    assert (innermost.address, innermost.line[0].line) == (0x1234, 40)
    assert text[functions[innermost.line[0].function_id].filename] == "/src/server.cc"


def test_the_bytes_are_those_that_pprof_defines() -> None:
    """By hand: field 1 (sample_type) holds field 1 (type) = 1 and field 2 (unit) = 2."""
    assert pprof(COURSE).startswith(bytes([0x0A, 4, 0x08, 1, 0x10, 2]))


def test_the_file_is_gzipped_and_the_same_each_time(tmp_path: Path) -> None:
    write_pprof(COURSE, tmp_path / "a")
    write_pprof(COURSE, tmp_path / "b")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert gzip.decompress((tmp_path / "a").read_bytes()) == pprof(COURSE)
