"""Where growth sits and what it is, from readings of mappings, of the server itself, and from probes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from soak.analyse.attributing import Readings, attribute
from soak.verdict.attribution import ArenaHold, Attribution, Culprit, MemoryClass, ProbeResult
from soak.verdict.attribution_json import attribution_out
from soak.verdict.attribution_reasons import culprits, given_back, sockets_left, where_it_grew
from soak.words import sentence, summary_in_words

if TYPE_CHECKING:
    from soak.verdict.reason import Reason

MIB = 2**20
POINTS = 20


def course(start_mib: float, growth_mib: float) -> Any:
    return (start_mib + np.linspace(0, growth_mib, POINTS)) * MIB


def readings(
    *,
    python_mib: float | None = None,
    probes: tuple[ProbeResult, ...] = (),
    arena_holds: tuple[ArenaHold, ...] = (),
    counts: dict[str, Any] | None = None,
    **growth_mib: float,
) -> Readings:
    """Readings in which classes, `in_use`, `free` and `tensors` grow by so many MiB from 100 MiB each."""
    columns: dict[str, Any] = {"connections_completed": np.linspace(0, 500, POINTS)}
    for name in ("heap", "arenas", "stacks", "anonymous", "libraries", "shared", "deleted", "other"):
        columns[f"map_{name}_bytes"] = course(100, growth_mib.get(name, 0.0))
    columns["map_kernel_rss_bytes"] = sum(columns[name] for name in columns if name.startswith("map_"))
    for inside, name in (
        ("in_use", "server_heap_in_use_bytes"),
        ("free", "server_heap_free_bytes"),
        ("tensors", "server_arena_held_bytes"),
    ):
        if inside in growth_mib:
            columns[name] = course(100, growth_mib[inside])
    objects = None
    if python_mib is not None:
        size_bytes = int(python_mib * MIB)
        objects = (
            {"bytes": (10, 1000), "str": (5, 500)},
            {"bytes": (510, 1000 + size_bytes), "str": (5, 500)},
        )
    return Readings(
        t_s=np.arange(POINTS, dtype=np.float64) * 10,
        columns=columns | (counts or {}),
        is_quiet=np.arange(POINTS) > 0,
        objects=objects,
        probes=probes,
        arena_holds=arena_holds,
    )


def attributed(found: Readings, **how: Any) -> Attribution:
    attribution = attribute(found, **how)
    assert attribution is not None
    return attribution


def test_the_growth_is_told_class_by_class_largest_first() -> None:
    counts = {"map_arenas": np.linspace(2, 34, POINTS)}
    found = attributed(readings(heap=14, arenas=240, stacks=31, counts=counts))
    assert (
        summary_in_words(found)
        == "RSS changed by +285 MiB: +240 MiB glibc arenas (2 → 34), +31 MiB stacks, +14 MiB main heap."
    )
    assert found.accounted_share == pytest.approx(1.0)
    assert found.sum_over_rss == pytest.approx(1.0)
    assert found.culprits == ()


def test_what_is_in_no_named_class_is_not_accounted_for() -> None:
    found = attributed(readings(heap=80, other=20))
    assert found.accounted_share == pytest.approx(0.8)


@pytest.mark.parametrize(
    ("growths", "culprit"),
    [
        ({"heap": 32, "in_use": 32, "python_mib": 31}, Culprit.PYTHON),
        ({"anonymous": 32, "in_use": 0.1, "python_mib": 31}, Culprit.PYTHON),  # small objects: pymalloc
        ({"heap": 32, "in_use": 32, "python_mib": 0.5}, Culprit.NATIVE),
        ({"arenas": 32, "in_use": 2, "free": 30, "python_mib": 0.5}, Culprit.RETAINED),
        ({"arenas": 32, "in_use": 31, "tensors": 30, "python_mib": 0.5}, Culprit.TENSORS),
        ({"heap": 32, "in_use": 31, "tensors": 3, "python_mib": 0.5}, Culprit.NATIVE),
        ({"heap": 30, "arenas": 2}, Culprit.HEAP),
        ({"anonymous": 32}, Culprit.ANONYMOUS),
        ({"shared": 32, "heap": 1}, Culprit.SHARED),
        ({"deleted": 32}, Culprit.DELETED),
        ({"stacks": 32}, Culprit.STACKS),
    ],
)
def test_memory_that_climbs_is_named(growths: dict[str, Any], culprit: Culprit) -> None:
    assert attributed(readings(**growths), memory_climbs=True).culprits == (culprit,)


def test_only_what_grew_after_the_warm_up_is_named() -> None:
    found = readings(shared=8, python_mib=0)
    arenas = np.concatenate([np.linspace(0, 60, 8), np.full(POINTS - 8, 60)]) * MIB
    columns = dict(found.columns)
    columns["map_arenas_bytes"] = columns["map_arenas_bytes"] + arenas
    columns["map_kernel_rss_bytes"] = columns["map_kernel_rss_bytes"] + arenas
    warmed = Readings(found.t_s, columns, found.is_quiet, found.objects)
    assert attributed(warmed, memory_climbs=True, judged_from_s=90.0).culprits == (Culprit.SHARED,)


def test_a_run_without_quiet_windows_is_attributed_under_load() -> None:
    leak = readings(heap=32, in_use=32, python_mib=31)
    busy = Readings(leak.t_s, leak.columns, np.zeros(POINTS, bool), leak.objects)
    assert attributed(busy, memory_climbs=True).culprits == (Culprit.PYTHON,)


def test_other_resources_come_first_and_are_told_once() -> None:
    leak = readings(heap=8, in_use=8, python_mib=8)
    sockets = attributed(leak, memory_climbs=True, climbing=["fds", "sockets"])
    assert sockets.culprits == (Culprit.SOCKETS, Culprit.PYTHON)
    sessions = attributed(leak, memory_climbs=True, climbing=["server_sessions_alive"])
    assert sessions.culprits == (Culprit.SESSIONS, Culprit.PYTHON)


def test_descriptors_of_deleted_files_are_named_so() -> None:
    held = np.linspace(0, 200, POINTS)
    counts = {"fds": 11 + held, "fd_deleted": held}
    assert attributed(readings(counts=counts), climbing=["fds"]).culprits == (Culprit.DELETED,)
    counts["fd_deleted"] = 0 * held
    assert attributed(readings(counts=counts), climbing=["fds"]).culprits == (Culprit.DESCRIPTORS,)


def test_too_few_readings_attribute_nothing() -> None:
    found = readings(heap=8)
    once = {name: np.where(np.arange(POINTS) == 3, values, np.nan) for name, values in found.columns.items()}
    assert attribute(Readings(found.t_s, once, found.is_quiet)) is None
    assert attribute(Readings(found.t_s, {}, found.is_quiet)) is None


def said(reason: Reason | None) -> str:
    assert reason is not None
    return sentence(reason)


def test_it_is_said_what_climbs_and_what_probes_gave_back() -> None:
    probes = (ProbeResult("gc", 0.0, "server"), ProbeResult("trim", 12.0 * MIB, "server"))
    found = attributed(readings(heap=32, in_use=32, python_mib=31, probes=probes), memory_climbs=True)
    assert said(culprits(found)) == "What climbs: Python objects (bytes +31 MiB, 500 more)."
    assert said(given_back(found)) == (
        "Asked after the load to give memory back, the server returned: garbage collection 0 B and "
        "malloc_trim 12 MiB. That was kept for reuse, not leaked; 20 MiB of the growth stay."
    )


def test_what_the_allocator_keeps_is_told_from_heap_in_use() -> None:
    found = attributed(readings(arenas=232, in_use=9, free=223))
    assert said(where_it_grew(found)).endswith("Heap in use +9 MiB, kept by the allocator +223 MiB.")


def test_what_the_arenas_of_onnx_runtime_hold_is_told() -> None:
    holds = (
        ArenaHold("offline/model", 40.0 * MIB, 180.0 * MIB, 42.0 * MIB),
        ArenaHold("online/model", 20.0 * MIB, 30.0 * MIB, 20.0 * MIB),
    )
    probes = (ProbeResult("arena_shrink", 140.0 * MIB, "server"),)
    found = attributed(
        readings(
            arenas=160,
            in_use=152,
            free=8,
            tensors=150,
            probes=probes,
            arena_holds=holds,
            counts={"server_arenas": np.full(POINTS, 2.0)},
        )
    )
    assert found.inside is not None
    assert found.inside.arenas == 2
    assert found.inside.arena_bytes == pytest.approx(150 * MIB)
    assert found.inside.arena_end_bytes == pytest.approx(250 * MIB)
    assert said(where_it_grew(found)).endswith("ONNX Runtime's 2 arenas hold +150 MiB of the heap in use.")
    assert said(given_back(found)).endswith(
        "ONNX Runtime's arenas held 210 MiB, gave malloc 148 MiB back and kept 62 MiB, the most of them that "
        "can be in use; when the graphs were loaded it was 60 MiB."
    )


def test_what_the_allocator_keeps_is_no_culprit_where_the_heap_in_use_climbs() -> None:
    found = attributed(readings(heap=40, in_use=8, free=32), heap_climbs=True)
    assert Culprit.RETAINED not in found.culprits


def test_states_that_rss_misleads_about_are_told() -> None:
    counts = {
        "lazy_free_bytes": course(0, 30),
        "anon_huge_bytes": course(8, 20),
        "swap_bytes": course(0, 5),
    }
    found = attributed(readings(heap=40, in_use=2, free=38, counts=counts), memory_climbs=True)
    assert found.culprits == (Culprit.RETAINED,)
    assert said(where_it_grew(found)).endswith(
        "+30 MiB of it are freed pages that the kernel takes when it needs them. "
        "+20 MiB of it are in huge pages, which are resident whole. "
        "+5 MiB more were swapped out, which RSS does not count."
    )
    flat = {name: 0 * values for name, values in counts.items()}
    assert "pages" not in said(where_it_grew(attributed(readings(heap=40, counts=flat))))


def test_arenas_that_are_off_are_no_reason() -> None:
    found = attributed(readings(heap=8, in_use=8, free=0, counts={"server_arenas": np.zeros(POINTS)}))
    assert found.inside is not None
    assert found.inside.arenas == 0
    assert "ONNX Runtime" not in said(where_it_grew(found))


def test_sockets_that_are_left_at_rest_are_told() -> None:
    counts = {"sockets_established": np.zeros(POINTS), "sockets_close_wait": np.linspace(0, 200, POINTS)}
    found = attributed(readings(heap=8, counts=counts))
    assert (found.established_at_rest, found.close_wait_at_rest) == (0, 200)
    assert said(sockets_left(found)) == (
        "TCP sockets left with no connection open: 200 not closed although the client has (CLOSE_WAIT)."
    )


def test_nothing_is_said_where_nothing_was_read() -> None:
    found = attributed(readings(heap=8))
    assert (culprits(found), sockets_left(found), given_back(found)) == (None, None, None)


def test_in_json_classes_and_culprits_are_named() -> None:
    probes = (ProbeResult("trim", 3.0, "gdb"),)
    found = attributed(
        readings(heap=32, in_use=32, python_mib=31, probes=probes), memory_climbs=True, climbing=["threads"]
    )
    data = attribution_out(found)
    assert data["classes"][0]["memory_class"] == "heap"
    assert data["culprits"] == ["threads", "python"]
    assert data["returned_bytes"] == 3.0
    assert found.classes[0].memory_class is MemoryClass.HEAP
