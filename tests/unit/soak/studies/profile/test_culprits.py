from __future__ import annotations

import numpy as np
import pytest

from soak.studies.profile.culprits import culprits
from soak.studies.profile.frames import Frame, Stack
from soak.studies.profile.heap_course import HeapCourse
from soak.verdict.verdict import Label

MOMENTS = 14
T_S = 4.0 * np.arange(1, MOMENTS + 1, dtype=np.float64)
CONNECTIONS = 10.0 * np.arange(1, MOMENTS + 1, dtype=np.float64)
RISE = np.arange(MOMENTS) / (MOMENTS - 1)


def native(*names: str) -> Stack:
    return tuple(Frame(name, f"/src/{name}.cc", 10, module="server", offset=64) for name in names)


def course(stacks: dict[Stack, np.ndarray[tuple[int], np.dtype[np.float64]]]) -> HeapCourse:
    return HeapCourse(T_S, CONNECTIONS, stacks, np.sum(list(stacks.values()), axis=0))


def test_the_stack_that_climbs_is_first_though_a_warm_up_grew_more() -> None:
    leak, warm_up = native("keep", "on_close"), native("load", "main")
    found = culprits(
        course(
            {
                leak: 4096.0 * CONNECTIONS,
                warm_up: 5e6 * (1.0 - np.exp(-T_S / 2.0)),
                native("flat"): np.full(MOMENTS, 7e6),
            }
        )
    )
    assert found[0].stack == leak
    assert found[0].growth.label is Label.CLIMBING
    assert found[0].growth.per_connection is not None
    assert found[0].growth.per_connection.estimate == pytest.approx(4096, rel=0.02)
    assert not any(each.climbs for each in found[1:])
    assert native("flat") not in [each.stack for each in found]


def test_variants_that_differ_in_library_calls_are_one_stack() -> None:
    own = native("remember", "on_close")
    grown = Frame("std::vector<int>::_M_realloc_insert", "/usr/include/c++/12/bits/vector.tcc", 440, "server")
    allocated = Frame("operator new", None, None, "libstdc++.so.6.0.30")
    found = culprits(
        course(
            {
                (allocated, *own): 1024.0 * CONNECTIONS,
                (allocated, grown, *own): 3072.0 * CONNECTIONS,
            }
        )
    )
    assert len(found) == 1
    assert found[0].site == own[0]
    assert found[0].callers == own[1:]
    assert found[0].share == pytest.approx(1.0)
    assert found[0].growth.per_connection is not None
    assert found[0].growth.per_connection.estimate == pytest.approx(4096, rel=0.02)


def test_noise_of_a_sampling_profile_is_no_culprit() -> None:
    noise = np.random.default_rng(1).normal(0, 40_000, MOMENTS)
    found = culprits(
        course({native("keep"): 51200.0 * CONNECTIONS, native("cache"): 2e6 + noise + 30_000 * RISE})
    )
    assert [each.stack for each in found if each.climbs] == [native("keep")]


def test_too_few_moments_name_nobody() -> None:
    short = HeapCourse(T_S[:4], CONNECTIONS[:4], {native("keep"): 4096.0 * CONNECTIONS[:4]}, CONNECTIONS[:4])
    assert culprits(short) == []
