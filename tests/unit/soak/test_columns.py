"""Each column is declared once: what the sources write, and what the reports draw, is what is declared."""

from collections.abc import Iterable
from dataclasses import fields

import pytest

from soak.columns import COLUMNS, DECLARED, JUDGED_COLUMNS, Column, Owner, Unit, declared, written_by
from soak.load.messages import Counters, Interval, Quantiles
from soak.report.palette import LIGHT
from soak.run.rows import RowBuilder
from soak.sources.cgroup import CgroupReading
from soak.sources.descriptors import Descriptors, SocketStates
from soak.sources.processes import MemorySplit, TreeReading
from soak.sources.scrape import COLUMN_OF_METRIC
from soak.sources.smaps import MappingReading
from soak.verdict.attribution import CLASS_COLUMNS


def names(*readings: type) -> set[str]:
    return {field.name for reading in readings for field in fields(reading)}


@pytest.mark.parametrize(
    ("owner", "written"),
    [
        (Owner.PROCESS, {*names(MemorySplit, Descriptors), "threads", "processes", "cpu_s"}),
        (Owner.MAPPINGS, names(MappingReading)),
        (Owner.SOCKETS, names(SocketStates)),
        (Owner.CGROUP, names(CgroupReading)),
        (Owner.SERVER, COLUMN_OF_METRIC.values()),
    ],
)
def test_each_source_writes_the_columns_that_are_declared_as_its_own(
    owner: Owner, written: Iterable[str]
) -> None:
    assert set(written_by(owner)) == set(written)


def test_a_row_has_every_column_of_the_harness_the_load_and_the_processes() -> None:
    rows = RowBuilder()
    quantiles = Quantiles(1.0, 2.0, 3.0, 3)
    rows.load_reported(Interval(1.0, Counters(), 3, quantiles, quantiles, 1, 0.5))
    reading = TreeReading(MemorySplit(1, 1, 0, 0, 0), 4, Descriptors(3, 1, 1, 0, 0, 1), 1, 0.5)
    row = rows.build(1.0, 0.0, reading.columns())
    owners = (Owner.HARNESS, Owner.DRIVER, Owner.PROCESS)
    assert set(row) == {name for owner in owners for name in written_by(owner)}


def test_names_are_unique_and_end_in_their_unit() -> None:
    assert len(set(COLUMNS)) == len(COLUMNS)
    endings = {Unit.BYTES: "_bytes", Unit.SECONDS: "_s", Unit.MILLISECONDS: "_ms"}
    for each in DECLARED:
        assert each.name.endswith(endings.get(each.unit, each.name))


def test_the_file_begins_with_what_any_csv_must_have() -> None:
    assert COLUMNS[:4] == ("t_s", "rss_bytes", "connections_completed", "open_connections")
    assert set(JUDGED_COLUMNS) < set(COLUMNS)


def test_every_colour_is_one_of_the_palette() -> None:
    assert {each.drawn for each in DECLARED} - {None} <= LIGHT.keys()


def test_a_class_of_mappings_has_one_name() -> None:
    assert all(declared(name).label == str(each) for each, name in CLASS_COLUMNS.items())


def test_a_column_of_somebody_else_survives_the_manifest() -> None:
    foreign = Column("go_heap_bytes", "go", Unit.BYTES, "Go's heap")
    assert Column.from_json_object(foreign.to_json_object()) == foreign
    with pytest.raises(ValueError, match="is no column"):
        Column("a,b", "go", Unit.BYTES, "two")
