"""The package of docs/extending.md, installed beside soak, on the real driver against a server of its own."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosedError
from websockets.typing import Subprotocol

from soak.config import load_config
from soak.errors import SoakError
from soak.load.messages import Done, DriverEvent, decode

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from websockets.asyncio.server import ServerConnection

    from soak.load.messages import Message


class ParrotServer:
    """Speaks the page's protocol, and notes what came."""

    def __init__(self) -> None:
        self.url = ""
        self.languages: list[str] = []
        self.heard_bytes: list[int] = []
        self.cut_after_bytes: list[int] = []
        self.pongs = 0

    async def handle(self, connection: ServerConnection) -> None:
        heard = 0
        assert connection.subprotocol == "parrot.v1"
        try:
            async for message in connection:
                said: dict[str, Any] = json.loads(message)
                if said["type"] == "hello":
                    self.languages.append(said["language"])
                    await self.say(connection, "ping")
                elif said["type"] == "pong":
                    self.pongs += 1
                    await self.say(connection, "welcome")  # audio before this would be heard before a pong
                    assert heard == 0
                elif said["type"] == "audio":
                    heard += len(base64.b64decode(said["audio"]))
                    await self.say(connection, "heard", "so far")
                else:
                    self.heard_bytes.append(heard)
                    await self.say(connection, "all", f"{heard} bytes")
        except ConnectionClosedError:
            self.cut_after_bytes.append(heard)

    @staticmethod
    async def say(connection: ServerConnection, kind: str, text: str = "") -> None:
        await connection.send(json.dumps({"type": kind, "text": text}))


@contextlib.asynccontextmanager
async def parrot_server() -> AsyncIterator[ParrotServer]:
    server = ParrotServer()
    subprotocol = Subprotocol("parrot.v1")
    async with serve(server.handle, "127.0.0.1", 0, compression=None, subprotocols=[subprotocol]) as listener:
        server.url = f"ws://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
        yield server


async def drive(site: Path, plan: dict[str, object]) -> tuple[int, list[Message], str]:
    """Run the driver with the package installed; returns exit code, messages and complaints."""
    driver = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "soak.load"),
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(site), os.environ.get("PYTHONPATH", "")])},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert driver.stdin is not None
    assert driver.stdout is not None
    assert driver.stderr is not None
    driver.stdin.write(json.dumps(plan).encode() + b"\n")  # left open: its end would end the load
    messages = [decode(line.decode()) async for line in driver.stdout]
    complaints = (await driver.stderr.read()).decode()
    return await driver.wait(), messages, complaints


def plan(url: str, **values: object) -> dict[str, object]:
    quick = {"settle_s": 0.02, "rest_s": 0.01, "rate_per_s": 50, "max_open": 4, "block_s": 60}
    return {"url": url, "connections": 6, **quick, **values}


async def test_a_dialect_of_another_package_carries_a_whole_load(site: Path) -> None:
    async with parrot_server() as server:
        status, messages, complaints = await drive(site, plan(server.url, dialect="parrot", language="zh"))
    assert (status, complaints) == (0, "")
    done = messages[-1]
    assert isinstance(done, Done)
    assert done.reason == "finished"
    assert (done.counters.connections_completed, done.counters.failures) == (6, {})
    assert Counter(server.languages) == {"zh": 7}  # and one to see whether the server is ready
    assert server.pongs == 7
    assert done.counters.audio_s == pytest.approx(sum(server.heard_bytes[1:]) / 32000, abs=0.01)
    transcripts = {
        message.details["transcript"]
        for message in messages
        if isinstance(message, DriverEvent) and message.event == "first_transcript"
    }
    assert transcripts == {f"{length} bytes" for length in server.heard_bytes[1:]}


async def test_a_scenario_of_another_package_decides_what_connections_do(site: Path) -> None:
    async with parrot_server() as server:
        load = plan(server.url, dialect="parrot", scenario="hang-up", after_s=0.2)
        status, messages, complaints = await drive(site, load)
        assert (status, complaints) == (0, "")
        done = messages[-1]
        assert isinstance(done, Done)
        while len(server.cut_after_bytes) < 6:
            await asyncio.sleep(0.01)
    assert (done.counters.connections_completed, done.counters.failures) == (6, {})
    assert len(server.heard_bytes) == 1  # readiness, by the usual dialogue
    assert all(0 <= heard <= 6400 for heard in server.cut_after_bytes)
    assert done.counters.audio_s == pytest.approx(6 * 0.2)
    assert done.final_ms is None


def test_options_of_parts_are_settings_like_any_other(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(site)
    settings = ["load.dialect=parrot", "load.language=zh", "load.scenario=hang-up"]
    recorded = load_config("minimal", settings).to_json_object()["load"]
    assert (recorded["dialect"], recorded["language"]) == ("parrot", "zh")
    assert (recorded["scenario"], recorded["after_s"]) == ("hang-up", 0.3)
    assert "mode" not in recorded


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (["load.dialect=cuckoo"], "load.dialect is 'cuckoo': choose one of funasr, sherpa-onnx, parrot"),
        (["load.scenario=nap"], "load.scenario is 'nap': choose one of dialogue, hang-up"),
        (["load.dialect=parrot", "load.language=fr"], "load.language is 'fr': the parrot speaks en and zh"),
        (["load.scenario=hang-up", "load.after_s=soon"], "load.after_s is 'soon': it must be a number"),
        (["load.dialect=parrot", "load.mode=2pass"], "load.mode is not a setting"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    site: Path, monkeypatch: pytest.MonkeyPatch, settings: list[str], said: str
) -> None:
    monkeypatch.syspath_prepend(site)
    with pytest.raises(SoakError) as caught:
        load_config("minimal", settings)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("module", "said"),
    [
        ("import no_such_library\n", "No module named 'no_such_library'"),
        ("raise RuntimeError('two\\nlines')\n", "RuntimeError: two lines"),
        ("Parrot = 3\n", "no subclass of soak.dialects.dialect.Dialect"),
        (
            "from soak.dialects import Dialect\n\n\nclass Parrot(Dialect):\n    name = 'budgie'\n",
            "has another name, or none",
        ),
        (
            """
from dataclasses import dataclass
from soak.dialects import Dialect

@dataclass(frozen=True)
class Parrot(Dialect):
    name = "parrot"
    pace: str = "slow"
""",
            "dialogue and parrot both have an option pace",
        ),
    ],
)
async def test_a_broken_package_ends_in_one_line_that_names_it(site: Path, module: str, said: str) -> None:
    (site / "parrot_dialect.py").write_text(module)
    status, messages, complaint = await drive(site, plan("ws://127.0.0.1:1", dialect="parrot"))
    assert (status, messages) == (2, [])
    assert said in complaint
    assert "parrot" in complaint
    assert complaint.count("\n") == 1
