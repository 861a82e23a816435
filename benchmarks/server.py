"""How fast is this server, against FunASR's own package, sherpa-onnx's C++ server and bare ONNX Runtime?

All get the same int8 weights and the same speech, each on one core of its own while the load runs on another:
CPU seconds per second of audio, also as a multiple of bare `session.run` over the same windows, and how many
streams at the pace of speech a server keeps up with. There is one table for each window of the encoder:
[5, 10, 5] frames is FunASR's, [5, 10, 3] is written into sherpa-onnx and takes less.

Streams send a packet every 60 ms by the clock, so a server that is slower than the audio falls behind with
every chunk, and the last result tells the sum. A server keeps up when 95 % of the final results come at most
one chunk (600 ms) later after the last packet than they do for a stream that has the server to itself.

    python -m venv SHERPA; SHERPA/bin/pip install sherpa-onnx-bin sherpa-onnx
    python -m benchmarks.server --sherpa SHERPA/bin/sherpa-onnx-online-websocket-server \\
        --funasr-python FUNASR/bin/python

How FUNASR is made is told in `benchmarks/serving/funasr_loop.py`. What is not given is left out, and its row
says so. Servers run with one thread for each task, and ONNX Runtime with one thread for each operator.
`recogniser` is this server's in a loop, without the server; agreement is 1 - CER against what it hears.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from asr_server.paraformer.catalog import ONLINE, resolve_model
from asr_server.paraformer.errors import ModelError
from benchmarks.serving import sherpa_model
from benchmarks.serving.audio import continuous_speech, sentences
from benchmarks.serving.measure import funasr_program, own_program, run_loop, run_server
from benchmarks.serving.script import ContenderError, script_of
from benchmarks.serving.servers import sherpa_server, this_server
from soak.dialects.funasr import Funasr
from soak.dialects.sherpa_onnx import SherpaOnnx
from soak.load.character_errors import character_errors

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from asr_server.wire import Mode
    from benchmarks.serving.measure import LoopFigures
    from benchmarks.serving.servers import Server
    from soak.dialects import Dialect

FUNASR_WINDOW, SHERPA_WINDOW = (5, 10, 5), (5, 10, 3)
"""Left, chunk and right, in frames of 60 ms: FunASR's default, and what is written into sherpa-onnx."""
LOOP_ROUNDS = 5
HEADINGS = ("", "CPU s/s", "x session.run", "streams", "agreement")
ENERGY_VAD = ("--vad-dir", "0")
PAUSES = "with pauses"
"""Between sentences: without any there would be but one second pass, at the end."""

Window = tuple[int, int, int]


@dataclass(frozen=True)
class Row:
    """One line of a table."""

    name: str
    cpu: Sequence[float] = ()
    """CPU seconds per second of audio."""
    bare: float = 0.0
    """The same of bare `session.run`."""
    streams: str = ""
    agreement: str = ""

    def cells(self) -> tuple[str, ...]:
        """What stands under each heading."""
        if not self.cpu:
            return self.name, "", "", "", ""
        cpu = f"{statistics.median(self.cpu):.4f}"
        ratio = spread([each / self.bare for each in self.cpu])
        return self.name, cpu, ratio, self.streams, self.agreement


@dataclass
class Table:
    """What was measured with one window."""

    window: Window
    bare: float
    """CPU seconds per second of audio of bare `session.run`."""
    loop: float
    """The same of recognition in a loop."""
    heard: str
    rows: list[Row]

    def agreement(self, transcript: str) -> str:
        """How alike a transcript is to what this recogniser hears."""
        found = character_errors(self.heard, transcript)
        return f"{max(0.0, 1 - found.errors / max(1, found.characters)):.1%}"


@dataclass
class Bench:
    """Measures one model."""

    model: str
    seconds: float
    repeats: int
    funasr_python: Path | None
    sherpa: Path | None
    folder: Path

    def __post_init__(self) -> None:
        """Make the audio and choose the cores: the first for the contender, the last for the load."""
        cores = sorted(os.sched_getaffinity(0))
        if len(cores) < 2:
            raise ContenderError("this needs two cores: one for the server and one for the load")
        self._core = cores[0]
        os.sched_setaffinity(0, {cores[-1]})
        self._dir = resolve_model(self.model)
        self._pcm = continuous_speech(self.seconds)
        self._pcm_file = self.folder / "speech.pcm"
        self._pcm.tofile(self._pcm_file)

    def measure(self) -> Iterator[Table]:
        """Give one table after another."""
        table = self._begin(FUNASR_WINDOW)
        table.rows.append(self._funasr(table))
        table.rows.append(self._own_server(table, "online", "energy VAD", ENERGY_VAD))
        table.rows.append(self._own_server(table, "2pass", PAUSES))
        yield table
        table = self._begin(SHERPA_WINDOW)
        table.rows.append(self._sherpa(table))
        table.rows.append(self._own_server(table, "online", "energy VAD", ENERGY_VAD))
        table.rows.append(self._own_server(table, "online", "FSMN VAD"))
        yield table

    def _tell(self, text: str) -> None:
        print(f"{self.model} · {text}", file=sys.stderr, flush=True)

    def _begin(self, window: Window) -> Table:
        """Measure bare `session.run` and this project's recogniser, in turn."""
        figures = self._loop("this recogniser", own_program(), window)
        bare, loop = statistics.median(figures.bare), statistics.median(figures.whole)
        rows = [Row("bare session.run", figures.bare, bare), Row("recogniser", figures.whole, bare)]
        return Table(window, bare, loop, figures.transcript, rows)

    def _funasr(self, table: Table) -> Row:
        if self.funasr_python is None:
            return Row("funasr-onnx: see --help")
        figures = self._loop("funasr-onnx", funasr_program(self.funasr_python), table.window)
        agreement = table.agreement(figures.transcript)
        return Row("funasr-onnx", figures.whole, table.bare, agreement=agreement)

    def _sherpa(self, table: Table) -> Row:
        if self.sherpa is None:
            return Row("sherpa-onnx: see --sherpa")
        exported = sherpa_model.export(self._dir / ONLINE, self.folder / "sherpa")
        with sherpa_server(self.sherpa, exported, self._core, self.folder / "sherpa.log") as server:
            return self._server("sherpa-onnx server", server, SherpaOnnx(), table)

    def _own_server(self, table: Table, mode: Mode, how: str, flags: Sequence[str] = ()) -> Row:
        dialect = Funasr(mode=mode, chunk_size=table.window)
        with this_server(self._dir, self._core, self.folder / "server.log", more_flags=flags) as server:
            return self._server(f"server {mode}, {how}", server, dialect, table)

    def _loop(self, name: str, program: Sequence[str], window: Window) -> LoopFigures:
        self._tell(f"{name}, window {window}")
        return run_loop(program, [self._dir / ONLINE, self._pcm_file, *window, LOOP_ROUNDS], self._core)

    def _server(self, name: str, server: Server, dialect: Dialect, table: Table) -> Row:
        self._tell(f"{name}, window {table.window}")
        with_pauses = name.endswith(PAUSES)
        script = script_of(dialect, sentences(self.seconds) if with_pauses else self._pcm)
        try:
            figures = run_server(
                server, dialect, script, loop_cpu_s=table.loop, repeats=self.repeats, tell=self._tell
            )
        except ContenderError as error:
            self._tell(str(error))
            return Row(f"{name}: failed")
        heard = list(figures.transcripts)
        agreement = "" if with_pauses else table.agreement(heard[0]) if heard else "none heard"
        if len(heard) > 1:
            agreement = f"{len(heard)} different"
        streams = f"{figures.streams} ({figures.kept_up} of {len(figures.runs)})"
        return Row(name, [run.cpu_s_per_audio_s for run in figures.runs], table.bare, streams, agreement)


def spread(values: Sequence[float]) -> str:
    """Write a median with the least and the most."""
    return f"{statistics.median(values):.2f} ({min(values):.2f}–{max(values):.2f})"


def written(table: Table, *, markdown: bool) -> str:
    """Write a table in columns, or in Markdown."""
    lines = [HEADINGS, *(row.cells() for row in table.rows)]
    if markdown:
        lines.insert(1, ("---",) * len(HEADINGS))
        return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
    widths = [max(len(cell) for cell in column) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
        for cells in lines
    )


def main(
    models: Annotated[list[str] | None, typer.Argument(help="tiny, large, or both")] = None,
    *,
    seconds: Annotated[float, typer.Option(min=3.0, help="length of a stream")] = 15.3,
    repeats: Annotated[int, typer.Option(min=1, help="runs at the number of streams that was found")] = 3,
    funasr_python: Annotated[Path | None, typer.Option(help="Python with funasr-onnx")] = None,
    sherpa: Annotated[Path | None, typer.Option(help="sherpa-onnx's server")] = None,
    markdown: Annotated[bool, typer.Option(help="print Markdown")] = False,
) -> None:
    """Print two tables for each model."""
    for model in models or ["tiny", "large"]:
        with tempfile.TemporaryDirectory() as folder:
            try:
                bench = Bench(model, seconds, repeats, funasr_python, sherpa, Path(folder))
                for table in bench.measure():
                    window = ", ".join(str(frames) for frames in table.window)
                    print(
                        f"\n{model}, int8, window [{window}]\n\n{written(table, markdown=markdown)}",
                        flush=True,
                    )
            except (ContenderError, ModelError) as error:
                raise SystemExit(f"benchmarks.server: {error}") from None


if __name__ == "__main__":
    typer.run(main)
