"""Every format is recognised by its content alone, and read as its writer meant it."""

from __future__ import annotations

import gzip
import random
from typing import TYPE_CHECKING

import numpy as np
import pytest

from soak.errors import SoakError
from soak.recordings import Asked, read_runs
from soak.recordings.reading import recognised
from soak.recordings.registry import FORMATS

if TYPE_CHECKING:
    from pathlib import Path

    from soak.record import Run

MIB = 1024.0**2
FIRST_MIB = {
    "psrecord": 81.5,
    "mprof": 101.5,
    "pidstat": 900.0,
    "sar": 7912340 / 1024,
    "top": 3.6 * 1024,
    "ps": 80.0,
    "smem": 80.0,
    "free": 7912340 / 1024,
    "docker-stats": 300.0,
    "kubectl-top": 812.0,
    "prometheus": 806.0,
    "openmetrics": 806.0,
    "json-lines": 300.0,
    "memory-profiler": 82.0,
    "markdown": 221.0,
    "clock-pairs": 1305.0,
    "csv": 300.5,
    "bare-columns": 1264.349184,
    "log": 491496 / 1024,
}
"""The first reading of each format's own example."""
LENGTH_S = {
    "psrecord": 2.004,
    "mprof": 2.0,
    "pidstat": 20.0,
    "sar": 1200.0,
    "top": 3.0,
    "ps": 60.0,
    "smem": 60.0,
    "kubectl-top": 60.0,
    "prometheus": 30.0,
    "openmetrics": 30.0,
    "markdown": 600.0,
    "clock-pairs": 9000.0,
    "csv": 20.0,
    "log": 2.0,
}
"""How long the example is, where it tells the time."""


def read(folder: Path, text: str, asked: Asked | None = None) -> list[Run]:
    path = folder / "recording"
    path.write_text(text, encoding="utf-8")
    return read_runs(path, asked or Asked())


@pytest.mark.parametrize("name", FORMATS.names())
def test_the_example_of_each_format_is_recognised_and_read(name: str, tmp_path: Path) -> None:
    form = FORMATS.make(name, {})
    assert recognised(form.example)[0].name == name
    run = read(tmp_path, form.example)[0]
    assert run.origin is not None
    assert run.origin.read_as.startswith(f"{form.label}; memory in ")
    assert run.samples["rss_bytes"].iloc[0] / MIB == pytest.approx(FIRST_MIB[name])
    if name in LENGTH_S:
        assert run.origin.step is None
        assert run.samples["t_s"].iloc[-1] == pytest.approx(LENGTH_S[name])
    else:
        assert run.origin.step in {"reading", "call"}


def test_a_packed_file_and_one_of_powershell_are_read_too(tmp_path: Path) -> None:
    text = FORMATS.make("psrecord", {}).example
    packed, wide = tmp_path / "packed.gz", tmp_path / "wide.log"
    packed.write_bytes(gzip.compress(text.encode()))
    wide.write_bytes(text.encode("utf-16"))
    for path in (packed, wide):
        [run] = read_runs(path)
        assert len(run.samples) == 3


CSVS = {
    "ISO and a unit in the name": "timestamp,rss_kb\n2026-11-26T10:00:00Z,1024\n2026-11-26T10:00:30Z,2048\n",
    "any case": "TIMESTAMP,RSS_KB\n2026-11-26 10:00:00,1024\n2026-11-26 10:00:30,2048\n",
    "epoch in s": "ts,mem_usage\n1732918800,1.0MiB\n1732918830,2.0MiB\n",
    "epoch in ms": "ts,VmRSS\n1732918800000,1024 kB\n1732918830000,2048 kB\n",
    "epoch in ns": "time,working_set\n1732918800000000000,1Mi\n1732918830000000000,2Mi\n",
    "time of the day over midnight": "time,memory\n23:59:45,1M\n00:00:15,2M\n",
    "day first": "date;rss\n26.11.2026 10:00:00;1,0 MB\n26.11.2026 10:00:30;2,0 MB\n",
    "month first": "date,rss\n11/26/2026 10:00:00,1 MB\n11/26/2026 10:00:30,2 MB\n",
    "date and time apart": "date,time,rss\n2026-11-26,10:00:00,1MB\n2026-11-26,10:00:30,2MB\n",
    "thousands": 'elapsed,rss\n0,"1,024 K"\n30,"2,048 K"\n',
    "elapsed in ms": "elapsed_ms,rss_mb\n0,1\n30000,2\n",
    "remarks": "# host asr-1\n# at night\ntime,rss_mb\n0,1\n30,2\n",
    "a header behind a #": "# time,rss_mb\n0,1\n30,2\n",
    "tabs": "time\tRSS (MB)\n0\t1\n30\t2\n",
    "peak and virtual beside it": "time,peak_rss_mb,vsz_mb,rss_mb\n0,9,99,1\n30,9,99,2\n",
}


@pytest.mark.parametrize("text", CSVS.values(), ids=CSVS)
def test_a_csv_with_usual_names_needs_no_option(text: str, tmp_path: Path) -> None:
    [run] = read(tmp_path, text)
    assert run.origin is not None
    assert run.origin.step is None
    assert run.samples["t_s"].tolist() == pytest.approx([0.0, 30.0])
    assert (run.samples["rss_bytes"] / MIB).tolist() == pytest.approx([1.0, 2.0])


def test_every_column_of_an_export_is_a_series_but_those_made_of_others(tmp_path: Path) -> None:
    text = "Time,asr-0,asr-1,avg\n" + "".join(
        f"2026-11-26T10:00:{second:02}+01:00,{8e8 + second:.0f},{'null' if second < 3 else 9e8},8.5e8\n"
        for second in range(10)
    )
    runs = read(tmp_path, text)
    assert [run.origin.series for run in runs if run.origin] == ["asr-0", "asr-1"]
    assert np.isnan(runs[1].samples["rss_bytes"].iloc[:3]).all()
    assert runs[1].name == "recording asr-1"


def test_several_runs_in_one_file_are_several_series(tmp_path: Path) -> None:
    one = FORMATS.make("mprof", {}).example.replace("CHLD", "FUNC")
    runs = read(tmp_path, one + one.replace("1732918", "1732919"))
    assert [run.origin.series for run in runs if run.origin] == ["run 1", "run 2"]
    assert all(run.samples["t_s"].tolist() == [0.0, 1.0, 2.0] for run in runs)


def test_processes_and_pods_are_series_each(tmp_path: Path) -> None:
    text = FORMATS.make("kubectl-top", {}).example.replace("813Mi\n", "813Mi\nasr-1   9m   7Mi\n")
    runs = read(tmp_path, text + text.replace("T10:", "T11:"))
    assert [run.origin.series for run in runs if run.origin] == ["asr-7d4b9-x", "asr-1"]


def test_records_over_several_lines_are_read_as_one(tmp_path: Path) -> None:
    text = "".join(
        f"2026-11-26T10:00:0{second}.000Z start {{\n  rss: '{130 + second}.50 MB',\n  heap: '21 MB'\n}}\n"
        for second in range(4)
    )
    [run] = read(tmp_path, text)
    assert (run.samples["rss_bytes"] / MIB).tolist() == [130.5, 131.5, 132.5, 133.5]
    assert run.samples["t_s"].tolist() == [0.0, 1.0, 2.0, 3.0]


def test_clients_are_read_beside_memory_and_their_leaving_is_no_restart(tmp_path: Path) -> None:
    text = "".join(
        f"clients: {clients}, rss: {rss}\n"
        for clients, rss in [(0, 25.5), (900, 202.25), (900, 190.5), (0, 72.5), (900, 201.75), (0, 71.25)]
    )
    [run] = read(tmp_path, text)
    assert run.samples["open_connections"].tolist() == [0, 900, 900, 0, 900, 0]
    assert run.origin is not None
    assert run.origin.falls_are_releases


def test_an_axis_that_is_no_time_is_counted(tmp_path: Path) -> None:
    [run] = read(tmp_path, "iteration,rss_mb\n0,100\n10,101\n20,102\n")
    assert run.origin is not None
    assert run.origin.step == "iteration"
    [same] = read(tmp_path, "iteration,rss_mb\n0,100\n10,101\n20,102\n", Asked(every_s=2.0))
    assert same.samples["t_s"].tolist() == [0.0, 20.0, 40.0]
    [named] = read(tmp_path, "100.5\n101.5\n102.5\n", Asked(per="request"))
    assert named.origin is not None
    assert named.origin.step == "request"


def test_options_say_what_cannot_be_seen(tmp_path: Path) -> None:
    text = "a,b,c\n0,5,100\n10,5,101\n20,5,102\n"
    with pytest.raises(SoakError, match=r"columns: a, b, c.*--memory c"):
        read(tmp_path, text)
    [run] = read(tmp_path, text, Asked(time="a", memory="C", unit="KB"))
    assert run.samples["t_s"].tolist() == [0.0, 10.0, 20.0]
    assert (run.samples["rss_bytes"] / 1024).tolist() == [100.0, 101.0, 102.0]
    with pytest.raises(SoakError, match="--time z: there is no such column"):
        read(tmp_path, text, Asked(time="z"))


def test_what_is_said_outweighs_a_time_that_is_written(tmp_path: Path) -> None:
    text = "time,pid,rss_mb\n" + "".join(f"{at * 1000},{pid},80\n" for at in range(3) for pid in (1, 2))
    for run in read(tmp_path, text, Asked(every_s=1.0)):
        assert run.samples["t_s"].tolist() == [0.0, 1.0, 2.0]
    for run in read(tmp_path, text, Asked(per="request")):
        assert run.origin is not None
        assert run.origin.step == "request"
        assert "3 readings over 2 requests" in run.origin.read_as


def test_threads_of_the_kernel_hold_no_memory_and_long_commands_are_cut(tmp_path: Path) -> None:
    text = "PID RSS COMMAND\n1 80000 asr --model {}\n2 0 [kthreadd]\n3 90 sh\n".format("x" * 99)
    names = [run.origin.series for run in read(tmp_path, text * 2) if run.origin]
    assert len(names) == 2
    assert len(names[0]) == 40


def test_a_gap_is_told_and_loses_nothing(tmp_path: Path) -> None:
    times = [*range(10), *range(3000, 3005)]
    [run] = read(tmp_path, "time,rss_mb\n" + "".join(f"{at},80\n" for at in times))
    assert len(run.samples) == 15
    assert run.origin is not None
    assert "A gap of 49 min 51 s stands after 10 of 15 readings" in run.origin.warnings[0]


def test_how_finely_memory_was_written_is_seen(tmp_path: Path) -> None:
    grains = {
        "3.6g\n3.7g\n3.7g\n3.7g\n": 0.1 * 1024 * MIB,
        "20Gi\n20Gi\n20Gi\n": 1024 * MIB,
        "9.5Gi\n9.6Gi\n9.7Gi\n10Gi\n11Gi\n12Gi\n": 1024 * MIB,
        "104857600\n109051904\n113246208\n121634816\n": 4 * MIB,
        "216-218 MB\n217-219 MB\n": 2 * MIB,
    }
    for text, grain in grains.items():
        [run] = read(tmp_path, text)
        assert run.origin is not None
        assert run.origin.grain_bytes == pytest.approx(grain), text


def test_a_marked_restart_begins_a_life_and_the_longest_is_read(tmp_path: Path) -> None:
    [run] = read(tmp_path, FORMATS.make("clock-pairs", {}).example)
    assert run.samples["rss_bytes"].iloc[0] == 1305 * MIB
    assert run.origin is not None
    assert "Restarts are marked at 06:00" in run.origin.warnings[-1]


DOUBTS = {
    "t_s,rss_bytes\n0,300\n1,301\n2,302\n": "too small: these are likely MB",
    "t_s,rss_bytes\n0,15120\n1,16272\n2,16320\n": "these are likely KB",
    "t_s,rss_bytes\n0,8e8\n0.001,8e8\n0.002,8e8\n": "1,000 readings a second are too many",
    "t_s,rss_bytes\n0,8e8\n1000,8e8\n2000,8e8\n": "likely in milliseconds; say --every 1s",
}


@pytest.mark.parametrize("text", DOUBTS)
def test_what_looks_wrong_is_said_with_the_likely_reading(text: str, tmp_path: Path) -> None:
    [run] = read(tmp_path, text)
    assert run.origin is not None
    assert any(DOUBTS[text] in warning for warning in run.origin.warnings)


AS_PEOPLE_PASTE_IT = {
    "epoch and kB, no header": ("1732918800 81920\n1732918830 163840\n", 80.0, 30.0),
    "the same with commas": ("1732918800,81920\n1732918830,163840\n", 80.0, 30.0),
    "date, then ps -o rss=": (
        "Thu Nov 26 10:00:00 UTC 2026\n81920\nThu Nov 26 10:00:30 UTC 2026\n163840\n",
        80.0,
        30.0,
    ),
    "grep VmRSS": ("10:00:00 VmRSS:\t   81920 kB\n10:00:30 VmRSS:\t  163840 kB\n", 80.0, 30.0),
    "docker stats --format": (
        "2026-11-26T10:00:00Z asr 80.0MiB / 1.9GiB\n2026-11-26T10:00:30Z asr 160.0MiB / 1.9GiB\n",
        80.0,
        30.0,
    ),
    "a log with a comma in its time": (
        "2026-11-26 10:00:00,123 INFO memory usage: 80.0 MB, 12 connections\n"
        "2026-11-26 10:00:30,123 INFO memory usage: 160.0 MB, 14 connections\n",
        80.0,
        30.0,
    ),
    "syslog": (
        "Nov 26 10:00:00 host asr[471]: rss 80 MB\nNov 26 10:00:30 host asr[471]: rss 160 MB\n",
        80.0,
        30.0,
    ),
    "newest first": ("time,rss_mb\n2026-11-26 10:00:30,160\n2026-11-26 10:00:00,80\n", 80.0, 30.0),
    "ragged": ("time,rss_mb\n0,80\n1\n2,\n\n30,160,\n", 80.0, 30.0),
    "typeperf": (
        '"(PDH-CSV 4.0)","\\\\HOST\\Process(asr)\\Working Set"\n"11/26/2026 10:00:00.000","83886080.000000"\n'
        '"11/26/2026 10:00:30.000","167772160.000000"\n',
        80.0,
        30.0,
    ),
    "structured log": (
        '{"level":30,"time":1732918800123,"mem":{"rss":83886080,"heapUsed":123}}\n'
        '{"level":30,"time":1732918830123,"mem":{"rss":167772160,"heapUsed":124}}\n',
        80.0,
        30.0,
    ),
}


@pytest.mark.parametrize("case", AS_PEOPLE_PASTE_IT)
def test_what_people_paste_is_read(case: str, tmp_path: Path) -> None:
    text, first_mib, length_s = AS_PEOPLE_PASTE_IT[case]
    [run] = read(tmp_path, text)
    known = run.samples.dropna(subset="rss_bytes")
    assert known["rss_bytes"].iloc[0] / MIB == pytest.approx(first_mib)
    assert known["rss_bytes"].iloc[-1] / MIB == pytest.approx(2 * first_mib)
    assert known["t_s"].iloc[-1] == pytest.approx(length_s)


@pytest.mark.parametrize(
    ("text", "step"),
    [
        ("after 10 requests: 812 MB\nafter 20 requests: 813 MB\n", "requests"),
        ("| requests | RSS MB |\n|--|--|\n| 1,000 | 81.5 |\n| 10,000 | 81.6 |\n", "requests"),
        ("epoch,rss_mb\n1,81.5\n2,81.6\n", "epochs"),
    ],
)
def test_a_count_that_is_written_is_the_axis(text: str, step: str, tmp_path: Path) -> None:
    [run] = read(tmp_path, text)
    assert run.origin is not None
    assert f"{run.origin.step}s" == step


@pytest.mark.parametrize(
    "text",
    [
        "asr-0 120m 812Mi\nasr-1 9m 8Mi\nasr-0 121m 813Mi\nasr-1 9m 8Mi\n",
        "time,pod,rss_kb\n0,asr-0,100000\n0,asr-1,200000\n9,asr-0,100000\n9,asr-1,200000\n",
        "Series;Time;Value\nasr-0;1732918800;8e8\nasr-0;1732918805;8e8\nasr-1;1732918800;9e8\nasr-1;1732918805;9e8\n",
    ],
)
def test_rows_of_several_pods_are_told_apart(text: str, tmp_path: Path) -> None:
    runs = read(tmp_path, text)
    assert [run.origin.series for run in runs if run.origin] == ["asr-0", "asr-1"]
    assert [len(run.samples) for run in runs] == [2, 2]


def test_locusts_history_is_told_apart_from_memory(tmp_path: Path) -> None:
    with pytest.raises(SoakError, match="Locust's history tells the load and no memory"):
        read(tmp_path, "Timestamp,User Count,Type,Name,Requests/s\n1732918800,5,,Aggregated,2.0\n")
    [run] = read(tmp_path, "Timestamp,User Count,Requests/s,rss_mb\n1732918800,5,2,80\n1732918801,6,2,81\n")
    assert run.samples["open_connections"].tolist() == [5.0, 6.0]


@pytest.mark.parametrize("text", ["hello\nworld\n", "just one line"])
def test_what_holds_no_memory_is_refused_in_a_line(text: str, tmp_path: Path) -> None:
    with pytest.raises(SoakError, match="not known as a recording of memory") as refused:
        read(tmp_path, text)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("name", FORMATS.names())
@pytest.mark.parametrize("seed", range(5))
def test_a_damaged_file_is_read_or_refused_in_a_line(name: str, seed: int, tmp_path: Path) -> None:
    chosen = random.Random(seed)
    text = FORMATS.make(name, {}).example
    for _ in range(6):
        at = chosen.randrange(len(text))
        text = text[:at] + chosen.choice(["", "\n", "x", "9", "-", "|", '"', "½", text[:30]]) + text[at + 2 :]
    try:
        runs = read(tmp_path, text)
    except SoakError as error:
        assert "\n" not in str(error)  # noqa: PT017 - either outcome is fine
    else:
        assert all(run.samples["rss_bytes"].notna().any() for run in runs)
