"""CSV files as people have them: what is meant is read, what is wrong is named by line and column."""

from __future__ import annotations

import gzip
import os
import threading
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from soak.errors import SoakError
from soak.record import read_samples
from soak.studies.fleet import judge_path
from soak.words import sentence

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

PLAIN = b"t_s,rss_bytes\n0,100\n1,110\n2.5,\n"
ROWS = "".join(f"{second},{500_000_000 + 4096 * (second * 7919 % 13)}\n" for second in range(60))
VALID = b"t_s,rss_bytes\n" + ROWS.encode()


def _read(folder: Path, content: bytes, name: str = "mine.csv") -> pd.DataFrame:
    path = folder / name
    path.write_bytes(content)
    return read_samples(path)[0]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(PLAIN, id="plain"),
        pytest.param(b"\xef\xbb\xbf" + PLAIN, id="byte order mark"),
        pytest.param(PLAIN.replace(b"\n", b"\r\n"), id="CRLF"),
        pytest.param(PLAIN.replace(b"\n", b"\r"), id="CR"),
        pytest.param(PLAIN.replace(b"t_s,rss_bytes", b'"t_s","rss_bytes"'), id="quoted header"),
        pytest.param(b't_s,rss_bytes\n"0","100"\n"1","110"\n"2.5",""\n', id="quoted cells"),
        pytest.param(b" t_s , rss_bytes \n 0 , 100 \n 1 ,110\n2.5, \n", id="spaces"),
        pytest.param(b"\nt_s,rss_bytes\n0,100\n\n1,110\n2.5,NaN\n\n", id="blank lines"),
        pytest.param(b"t_s,rss_bytes\n0,100\n1,110\n2.5\n", id="a short row"),
        pytest.param(b"t_s,rss_bytes,\n0,100,\n1,110,\n2.5,,\n", id="trailing commas"),
        pytest.param(b"host,rss_bytes,t_s\na,100,0\n\xff,110,1\nc,n/a,2.5\n", id="other columns"),
        pytest.param(gzip.compress(PLAIN), id="gzip"),
        pytest.param(gzip.compress(PLAIN[:20]) + gzip.compress(PLAIN[20:]), id="gzip in two members"),
    ],
)
def test_what_is_meant_is_read(tmp_path: Path, content: bytes) -> None:
    samples = _read(tmp_path, content)
    assert samples["t_s"].tolist() == [0.0, 1.0, 2.5]
    assert samples["rss_bytes"].tolist()[:2] == [100.0, 110.0]
    assert samples["rss_bytes"].isna().tolist() == [False, False, True]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        (b"t_s,rss_bytes\n0,100\n1,lots\n", "line 3: rss_bytes is 'lots', not a number"),
        (b"t_s,rss_bytes\n\n0,100\n\n\nsoon,110\n", "line 6: t_s is 'soon', not a number"),
        (b"t_s,rss_bytes\n0,100\n1,1_000\n", "line 3: rss_bytes is '1_000', not a number"),
        (b"t_s,rss_bytes\n2026-01-01T00:00:00,1\n", "line 2: t_s is '2026-01-01T00:00:00', not a number"),
        (b"t_s,rss_bytes\n0,100\n1,-1\n", "line 3: rss_bytes is -1: leave the cell empty"),
        (b"t_s,rss_bytes\n0,0,100\n0,5,110\n", "line 2: 3 cells where the header has 2 .a decimal comma"),
        (b"t_s,rss_bytes\n0,100\n0,5,110\n", "line 3: 3 cells where the header has 2"),
        (b"t_s;rss_bytes\n0,5;100\n", "is separated by semicolons: .* decimal points"),
        (b"t_s\trss_bytes\n0\t100\n", "is separated by tabs"),
        (b"t_s,other\n0,1\n", r"has no column rss_bytes \(found: t_s, other\)"),
        (b"0,100\n1,110\n", r"has no column t_s and rss_bytes \(found: 0, 100\)"),
        (b"t_s,rss_bytes,t_s\n0,1,2\n", "has more than one column t_s"),
        (b'\x7fELF\x02\x01\x01\x00\x00,\x00"', "is not a CSV: it is binary"),
        (b"t_s,rss_bytes\n0,1\n\x00\x00\n", "it is binary"),
        ("t_s,rss_bytes\n0,100\n".encode("utf-16"), "it is UTF-16 text: save it as UTF-8"),
        (b"x" * 100_000, "its first line is longer"),
        (b't_s,rss_bytes\n0,"1\n1,2\n', "rss_bytes|not a readable CSV"),
        (gzip.compress(VALID)[:-8] + b"12345678", "the gzip data is damaged"),
    ],
)
def test_what_is_wrong_is_told_in_one_line_with_its_place(tmp_path: Path, content: bytes, words: str) -> None:
    with pytest.raises(SoakError, match=words) as caught:
        _read(tmp_path, content)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "end",
    [
        pytest.param(b"60", id="one cell"),
        pytest.param(b"60,5000", id="a number that has lost digits"),
    ],
)
def test_a_torn_last_line_is_left_out(tmp_path: Path, end: bytes) -> None:
    path = tmp_path / "torn.csv"
    path.write_bytes(VALID + end)
    samples, torn = read_samples(path)
    assert torn
    assert len(samples) == 60


def test_a_clock_that_lost_its_digits_is_a_torn_line(tmp_path: Path) -> None:
    path = tmp_path / "torn.csv"
    path.write_bytes(b"rss_bytes,t_s\n100,1000\n101,1001\n102,100")
    samples, torn = read_samples(path)
    assert torn
    assert samples["t_s"].tolist() == [1000.0, 1001.0]


def test_a_gzip_file_that_was_cut_off_is_read_to_its_last_whole_line(tmp_path: Path) -> None:
    path = tmp_path / "torn.csv.gz"
    path.write_bytes(gzip.compress(VALID)[:-100])
    samples, torn = read_samples(path)
    assert torn
    assert 0 < len(samples) < 60


def test_only_the_columns_asked_for_are_read(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_bytes(b"t_s,rss_bytes,fds,threads\n0,100,many,3\n")
    samples, _ = read_samples(path, ("t_s", "rss_bytes", "threads"))
    assert samples.columns.tolist() == ["t_s", "rss_bytes", "threads"]


def test_a_pipe_is_read_as_a_file_is(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(PLAIN,))
    writer.start()
    samples, _ = read_samples(path)
    writer.join()
    assert len(samples) == 3


def _said_of(folder: Path, content: bytes) -> str:
    """Return the first reason of the verdict on this file, or why it has none."""
    path = folder / "any.csv"
    path.write_bytes(content)
    try:
        read_samples(path)
        [(_, judgement)] = judge_path(path)
    except SoakError as error:
        return str(error)
    return sentence(judgement.verdict.reasons[0])


def _is_an_answer(said: str) -> bool:
    """Tell whether it is one line, and not what a defect of ours would be called."""
    return bool(said) and "\n" not in said and "cannot be judged" not in said


@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=st.one_of(
        st.binary(max_size=300),
        st.text(max_size=300).map(lambda text: text.encode("utf-8", "replace")),
        st.binary(max_size=100).map(lambda rest: b"t_s,rss_bytes\n" + rest),
        st.text(alphabet="0123456789.,;\t\"'-+eEinfa \r\n", max_size=200).map(
            lambda text: b"t_s,rss_bytes\n" + text.encode()
        ),
    )
)
def test_garbage_never_ends_in_a_traceback(tmp_path: Path, content: bytes) -> None:
    assert _is_an_answer(_said_of(tmp_path, content))


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    cuts=st.lists(
        st.tuples(st.integers(0, len(VALID)), st.integers(0, 40), st.binary(max_size=8)),
        min_size=1,
        max_size=6,
    ),
    packed=st.booleans(),
)
def test_a_mangled_recording_never_ends_in_a_traceback(
    tmp_path: Path, cuts: list[tuple[int, int, bytes]], *, packed: bool
) -> None:
    content = gzip.compress(VALID, mtime=0) if packed else VALID
    for at, length, instead in cuts:
        content = content[:at] + instead + content[at + length :]
    assert _is_an_answer(_said_of(tmp_path, content))


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(VALID.index(b"\n2,"), len(VALID)))
def test_a_recording_cut_off_anywhere_is_read_up_to_there(tmp_path: Path, at: int) -> None:
    path = tmp_path / "cut.csv"
    path.write_bytes(VALID[:at])
    samples, _ = read_samples(path)
    assert len(samples) in (VALID[:at].count(b"\n") - 1, VALID[:at].count(b"\n"))
    assert not (samples["rss_bytes"] < 250e6).any()
