"""Transcripts of a run: checked, told beside the verdict, the same however many connections are open."""

from __future__ import annotations

import asyncio
import json
import os
import threading
import wave
from typing import TYPE_CHECKING, Any

import pytest
from websockets.asyncio.server import serve

from asr_server.wire import Result, ServerDialogue, UtteranceEnded, encode_result

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from websockets.asyncio.server import ServerConnection

    from tests.e2e.conftest import Run, Soak

QUICK = [
    *("--set", "load.settle_s=0.3", "--set", "load.rest_s=1", "--set", "load.baseline_s=0.2"),
    *("--set", "load.rate_per_s=12", "--set", "sample.interval_s=0.2"),
]
ONE_AT_A_TIME = "[load]\nmax_open = 1\n"
MANY_AT_ONCE = "[server]\ndecoder_thread_num = 4\nio_thread_num = 2\n[load]\nmax_open = 32\ngroup = 32\n"


class Mistaken:
    """A server in this process that says `five` to everybody but one."""

    def __init__(self, wrong_at: int) -> None:
        self.url = ""
        self._answers = 0
        self._wrong_at = wrong_at
        self._loop = asyncio.new_event_loop()
        self._up = threading.Event()
        self._over = asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(),))

    def __enter__(self) -> Mistaken:
        self._thread.start()
        assert self._up.wait(30)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()
        self._loop.close()

    async def _serve(self) -> None:
        async with serve(self._answer, "127.0.0.1", 0, compression=None) as listener:
            self.url = f"ws://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
            self._up.set()
            await self._over.wait()

    async def _answer(self, connection: ServerConnection) -> None:
        dialogue = ServerDialogue()
        async for frame in connection:
            if isinstance(frame, bytes) or UtteranceEnded() not in dialogue.receive_text(frame):
                continue
            self._answers += 1
            text = "nine" if self._answers == self._wrong_at else "five"
            await connection.send(encode_result(Result(text, "soak", "2pass-offline")))
            await connection.send(encode_result(Result("", "soak", is_final=True)))


@pytest.fixture
def mistaken() -> Iterator[Mistaken]:
    with Mistaken(wrong_at=9) as server:  # the first answer is the one that shows that it is ready
        yield server


def _verdict(folder: Path, name: str) -> dict[str, Any]:
    (path,) = folder.glob(f"*Z-{name}")
    verdict: dict[str, Any] = json.loads((path / "verdict.json").read_text())
    return verdict


def _texts(verdict: dict[str, Any]) -> dict[str, tuple[str, float]]:
    """What came of each recording, with its error rate."""
    return {
        clip["clip"]: (clip["transcript"], clip["character_error_rate"])
        for clip in verdict["transcripts"]["clips"]
    }


def test_one_wrong_answer_is_named_in_every_output(mistaken: Mistaken, soak: Soak, tmp_path: Path) -> None:
    clips = tmp_path / "clips"
    clips.mkdir()
    with wave.open(str(clips / "number.wav"), "wb") as recording:
        recording.setparams((1, 2, 16000, 0, "NONE", ""))
        recording.writeframes(bytes(16000))
    (clips / "number.txt").write_text("Five.")
    to = ("--url", mistaken.url, "--pid", str(os.getpid()), "--set", "load.clips=clips")
    done = soak("run", *to, "--connections", "20", *QUICK)
    assert done.status in (0, 3), done.err
    said = "1 of 20 transcripts changed: connection 8 got “nine” for number where connection 1 got “five”."
    terminal = " ".join(done.out.split())
    assert f"! {said}" in terminal
    assert "Character error rate 2.5 % 1 of 20 transcripts changed" in terminal
    assert "connection 8 got another transcript for number than connection 1" in done.err
    (path,) = (tmp_path / "reports").iterdir()
    transcripts = _verdict(tmp_path / "reports", "attached")["transcripts"]
    assert transcripts["warning"].startswith(said)
    assert (transcripts["checked"], transcripts["changed"]) == (20, 1)
    assert (transcripts["character_errors"], transcripts["reference_characters"]) == (2, 80)
    assert said in (path / "report.html").read_text()
    rows = [line.split(",") for line in (path / "samples.csv").read_text().splitlines()]
    last = dict(zip(rows[0], rows[-1], strict=True))
    names = ("transcripts_changed", "transcripts_checked", "character_errors", "reference_characters")
    assert [last[name] for name in names] == ["1", "20", "2", "80"]


def test_transcripts_are_the_same_one_at_a_time_and_many_at_once(soak: Soak, tmp_path: Path) -> None:
    (tmp_path / "one.toml").write_text(ONE_AT_A_TIME)
    (tmp_path / "medium.toml").write_text(MANY_AT_ONCE)  # a name that has published figures to compare with
    both = ("-c", "one.toml", "-c", "medium.toml", "--connections", "64", "--out", "runs")
    done = soak("run", *both, *QUICK)
    assert done.status in (0, 3), done.err
    one, many = _verdict(tmp_path / "runs", "one"), _verdict(tmp_path / "runs", "medium")
    assert len(_texts(one)) == 18
    assert _texts(one) == _texts(many)
    for verdict in (one, many):
        assert (verdict["transcripts"]["checked"], verdict["transcripts"]["changed"]) == (64, 0)
    assert "Transcripts agree in all runs, recording for recording (18 compared)." in done.out
    assert done.out.count("0 of 64 transcripts changed") == 2
    (comparison,) = (tmp_path / "runs").glob("*-comparison")
    assert (comparison / "comparison.html").is_file()
    assert (comparison / "comparison.png").is_file()
    assert "2.1 GB" in done.out


def test_the_bundled_server_recognises_the_bundled_recordings(healthy_run: Run) -> None:
    transcripts = json.loads(healthy_run.done.out)["transcripts"]
    assert (transcripts["checked"], transcripts["changed"]) == (60, 0)
    assert transcripts["character_error_rate"] <= 0.05
