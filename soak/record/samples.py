"""Reading a CSV of memory samples, whoever wrote it: only the columns asked for, in one pass."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import numpy as np
import pandas as pd

from soak.columns import COLUMNS, DECLARED, TEXT_COLUMNS, Unit
from soak.errors import SoakError
from soak.record.recorded import LARGEST

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from _typeshed import WriteableBuffer

REQUIRED_COLUMNS = ("t_s", "rss_bytes")
EMPTY_CELLS = frozenset(
    spelling
    for word in ("", "nan", "-nan", "na", "n/a", "null", "none", "<na>")
    for spelling in (word, word.upper(), word.capitalize(), word.replace("nan", "NaN"))
)
"""What a failed reading looks like in other people's files."""
NEVER_NEGATIVE = frozenset(each.name for each in DECLARED if each.unit in {Unit.BYTES, Unit.COUNT})
LONGEST_HEADER_BYTES = 1 << 16
BLOCK_BYTES = 1 << 20
MOST_ZEROS = 1 << 30
"""At the end of a file; a device of zeros has no end."""
GZIP_MAGIC = b"\x1f\x8b"
UTF8_MARK = b"\xef\xbb\xbf"
UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
OTHER_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}
SHOWN_CHARACTERS = 40


def read_samples(path: Path, columns: Collection[str] = COLUMNS) -> tuple[pd.DataFrame, bool]:
    """Read the `columns` that the CSV has, plain or gzipped; return them with whether its end was cut off.

    Numbers come as float64 with NaN for an empty or infinite cell, `phase` as a categorical of texts; other
    columns are never parsed. Raises `SoakError`, in one line that names line and column, for what cannot be
    used.
    """
    try:
        with _open(path) as raw:
            lines = _WholeLines(raw)
            header = _read_header(path, lines)
            wanted = _wanted(path, header, columns)
            frame = _parse(path, lines, len(header), wanted)
    except OSError as error:
        raise SoakError(f"cannot read {path}: {error.strerror or error}") from error
    if lines.broken is not None:
        raise SoakError(f"{path} cannot be read to its end: {lines.broken}")
    _refuse_what_cannot_be(path, frame, len(header), wanted)
    samples = frame.drop(columns=str(len(header))).rename(
        columns={str(at): name for name, at in wanted.items()}
    )
    _empty_where_infinite(samples)
    if lines.unterminated and _ends_in_half_a_number(samples):
        return samples.iloc[:-1], True
    return samples, lines.torn


@dataclass(frozen=True)
class _Fault:
    line: int
    what: str


class _WholeLines(io.RawIOBase):
    """The bytes of a CSV without a last line that was cut off, and without the marks of editors."""

    def __init__(self, raw: io.BufferedIOBase) -> None:
        super().__init__()
        self.torn = False
        """Whether a last line with too few cells, or the end of a gzip file, was missing."""
        self.unterminated = False
        """Whether the last line passed on had no line end."""
        self.broken: str | None = None
        """What made the file unreadable, in a few words."""
        self._raw = raw
        self._ready = b""
        self._rest = b""
        self._commas = 0
        self._ended = False

    def readable(self) -> bool:
        return True

    def first_line(self) -> bytes:
        """Take the header, without its line end."""
        start = b""
        while len(start) <= LONGEST_HEADER_BYTES and not (b"\n" in start or b"\r" in start):
            block = self._block()
            if not block:
                break
            start += block
        start = start.removeprefix(UTF8_MARK)
        header, _, self._rest = _partition_line(start.lstrip(b"\r\n"))
        self._commas = header.count(b",")
        self._release()
        return header

    def put_first(self, line: bytes) -> None:
        """Pass on `line` before everything else."""
        self._ready = line + self._ready

    def readinto(self, buffer: WriteableBuffer) -> int:
        while not self._ready and not self._ended:
            block = self._block()
            if block:
                self._rest += block
                self._release()
            else:
                self._end()
        view = memoryview(buffer).cast("B")
        size = min(len(view), len(self._ready))
        view[:size] = self._ready[:size]
        self._ready = self._ready[size:]
        return size

    def _block(self) -> bytes:
        """Read on; a gzip file that was cut off ends early, a broken file ends where it breaks."""
        try:
            block = self._raw.read1(BLOCK_BYTES)  # read would drop what comes before a cut
        except EOFError:
            self.torn = True
            return b""
        except (gzip.BadGzipFile, zlib.error) as error:
            self.broken = f"the gzip data is damaged ({error})"
            return b""
        return self._before_zeros(block) if b"\0" in block else block

    def _before_zeros(self, block: bytes) -> bytes:
        """Return what comes before zeros: after a loss of power a file may end in them."""
        text, zeros = block[: block.index(b"\0")], block[block.index(b"\0") :]
        seen = 0
        while zeros and not zeros.strip(b"\0") and seen <= MOST_ZEROS:
            seen += len(zeros)
            zeros = self._raw.read1(BLOCK_BYTES)
        if zeros:
            utf16 = block.startswith(UTF16_MARKS)
            self.broken = "it is UTF-16 text: save it as UTF-8" if utf16 else "it is binary, not text"
            return b""
        self.torn = True
        return text

    def _release(self) -> None:
        end = max(self._rest.rfind(b"\n"), self._rest.rfind(b"\r")) + 1
        self._ready, self._rest = self._ready + self._rest[:end], self._rest[end:]

    def _end(self) -> None:
        """Pass on a last line without line end when it has all its cells: a file of one's own may lack it."""
        self._ended = True
        if not self._rest.strip():
            return
        if self.torn or self._rest.count(b",") != self._commas:
            self.torn = True
            return
        self.unterminated = True
        self._ready = self._rest


@contextmanager
def _open(path: Path) -> Iterator[io.BufferedIOBase]:
    with path.open("rb") as stream:
        if stream.peek(len(GZIP_MAGIC)).startswith(GZIP_MAGIC):
            with gzip.open(stream) as unpacked:
                yield unpacked
        else:
            yield stream


def _partition_line(text: bytes) -> tuple[bytes, bytes, bytes]:
    ends = [at for at in (text.find(b"\n"), text.find(b"\r")) if at >= 0]
    if not ends:
        return text, b"", b""
    end = min(ends)
    after = end + (2 if text[end : end + 2] == b"\r\n" else 1)
    return text[:end], text[end:after], text[after:]


def _read_header(path: Path, lines: _WholeLines) -> list[str]:
    line = lines.first_line()
    if lines.broken is not None:
        raise SoakError(f"{path} is not a CSV: {lines.broken}")
    if not line.strip():
        raise SoakError(f"{path} is empty: a header with t_s,rss_bytes and rows are needed")
    if len(line) > LONGEST_HEADER_BYTES:
        raise SoakError(f"{path} is not a CSV: its first line is longer than {LONGEST_HEADER_BYTES} bytes")
    try:
        cells = next(csv.reader([line.decode("utf-8", errors="replace")], skipinitialspace=True))
    except csv.Error as error:
        raise SoakError(f"{path} is not a readable CSV: {error} in line 1") from None
    return [cell.strip() for cell in cells]


def _wanted(path: Path, header: list[str], columns: Collection[str]) -> dict[str, int]:
    """Return where each column to be read is; raises `SoakError` when a required one is missing or double."""
    missing = [name for name in REQUIRED_COLUMNS if name not in header]
    if missing:
        for separator, name in OTHER_SEPARATORS.items():
            cells = [cell.strip(' "') for cell in separator.join(header).split(separator)]
            if set(REQUIRED_COLUMNS) <= set(cells):
                raise SoakError(
                    f"{path} is separated by {name}: separate cells by commas and write decimal points"
                )
        found = _printable(", ".join(header[:6]))
        raise SoakError(f"{path} has no column {' and '.join(missing)} (found: {found})")
    double = [name for name in columns if header.count(name) > 1]
    if double:
        raise SoakError(f"{path} has more than one column {double[0]}: remove or rename the others")
    return {name: at for at, name in enumerate(header) if name in columns}


def _parse(path: Path, lines: _WholeLines, width: int, wanted: dict[str, int]) -> pd.DataFrame:
    """Parse the columns of `wanted` under the names of their positions.

    Column `width` of the result is what stands right of the header's last column. The parser would drop such
    cells without a word; and with a decimal comma it is the wrong ones that are left.
    """
    lines.put_first(",".join(map(str, range(width + 1))).encode() + b"\n")
    numbers = [str(at) for name, at in wanted.items() if name not in TEXT_COLUMNS]
    kinds: dict[str, Any] = dict.fromkeys(map(str, (*wanted.values(), width)), "category")
    kinds |= dict.fromkeys(numbers, "float64")
    try:
        return pd.read_csv(
            cast("BinaryIO", lines),
            usecols=list(kinds),
            index_col=False,
            dtype=kinds,
            keep_default_na=False,
            na_values=dict.fromkeys(numbers, sorted(EMPTY_CELLS)),
            skipinitialspace=True,
            encoding_errors="replace",
        )
    except ValueError as error:  # pandas' ParserError is one, too
        if lines.broken is not None:
            raise SoakError(f"{path} cannot be read to its end: {lines.broken}") from None
        fault = _first_fault(path, wanted)
        if fault is not None:
            raise SoakError(f"{path}, line {fault.line}: {fault.what}") from None
        raise SoakError(f"{path} is not a readable CSV: {_printable(str(error), 200)}") from None


def _refuse_what_cannot_be(path: Path, frame: pd.DataFrame, width: int, wanted: dict[str, int]) -> None:
    """Refuse, by its line, a row with extra cells, a count or size below 0, a time or RSS beyond all."""
    extra = any(str(text).strip() for text in frame[str(width)].cat.categories)
    below = any((frame[str(at)] < 0).any() for name, at in wanted.items() if name in NEVER_NEGATIVE)
    beyond = any((frame[str(wanted[name])].abs() > LARGEST).any() for name in REQUIRED_COLUMNS)
    if not (extra or below or beyond):
        return
    fault = _first_fault(path, wanted)
    where = f"{path}, line {fault.line}: {fault.what}" if fault else f"{path} has rows that do not fit"
    raise SoakError(where)


def _first_fault(path: Path, wanted: dict[str, int]) -> _Fault | None:
    """Read the file once more, slowly, for the line and column of the first cell that cannot be used."""
    if not path.is_file():  # a pipe cannot be read twice
        return None
    with _open(path) as raw:
        text = io.TextIOWrapper(io.BufferedReader(_WholeLines(raw)), "utf-8-sig", "replace", newline="")
        rows = csv.reader(text, skipinitialspace=True)
        try:
            width = len(next(rows))
            return next(_faults(rows, width, wanted), None)
        except csv.Error as error:
            return _Fault(rows.line_num, str(error))
        except StopIteration:
            return None


def _faults(rows: Any, width: int, wanted: dict[str, int]) -> Iterator[_Fault]:
    for row in rows:
        if any(cell.strip() for cell in row[width:]):
            yield _Fault(
                rows.line_num,
                f"{len(row)} cells where the header has {width} (a decimal comma? write a point)",
            )
        for name, at in wanted.items():
            cell = row[at].strip() if at < len(row) else ""
            if name in TEXT_COLUMNS or cell in EMPTY_CELLS:
                continue
            number = _number(cell)
            if number is None:
                yield _Fault(rows.line_num, f"{name} is {_printable(cell)!r}, not a number")
            elif (name in NEVER_NEGATIVE and number < 0) or (
                name in REQUIRED_COLUMNS and abs(number) > LARGEST
            ):
                what = f"{name} is {_printable(cell)}: leave the cell empty where a reading failed"
                yield _Fault(rows.line_num, what)


def _number(cell: str) -> float | None:
    try:
        return None if "_" in cell else float(cell)
    except ValueError:
        return None


def _empty_where_infinite(samples: pd.DataFrame) -> None:
    """Take an infinite cell for a reading that failed; of time and RSS the judge says that it cannot be."""
    for name in samples.columns.difference([*REQUIRED_COLUMNS, *TEXT_COLUMNS]):
        infinite = np.isinf(samples[name].to_numpy())
        if infinite.any():
            samples.loc[infinite, name] = np.nan


def _ends_in_half_a_number(samples: pd.DataFrame) -> bool:
    """Whether the last cell of a line without end has lost digits: the clock goes back, a value collapses."""
    if len(samples) < 2:
        return False
    before, last = samples.iloc[-2], samples.iloc[-1]
    if last["t_s"] < before["t_s"]:
        return True
    name = samples.columns[-1]
    return name in REQUIRED_COLUMNS and bool(last[name] < before[name] / 2)


def _printable(text: str, longest: int = SHOWN_CHARACTERS) -> str:
    shown = "".join(sign if sign.isprintable() else "�" for sign in " ".join(text.split()))
    return shown if len(shown) <= longest else f"{shown[: longest - 1]}…"
