"""One connection against servers that behave, and against servers that fail in every way that has a name."""

from __future__ import annotations

import asyncio
import contextlib
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from websockets.asyncio.server import serve

from asr_server.wire import (
    AudioReceived,
    Result,
    ServerDialogue,
    UtteranceEnded,
    WireError,
    encode_error,
    encode_result,
)
from soak.dialects import AudioFrame, Conversation, Dialect, Final
from soak.load.clips import Clip
from soak.load.endpoint import Endpoint
from soak.load.plan import LoadPlan
from soak.load.readiness import NotReadyError, wait_for_first_result
from soak.load.scenarios import Connection, Scenario
from soak.load.scenarios.dialogue import Dialogue
from soak.load.session import Session, SessionError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence

    from websockets.asyncio.server import ServerConnection

    from asr_server.wire import ResultMode, ServerEvent
    from soak.dialects import Event
    from soak.load.readiness import Readiness
    from soak.load.scenarios import Answer

    Handler = Callable[[ServerConnection], Awaitable[object]]

CLIP = Clip("half-second", "en", "one two", "none", bytes(range(250)) * 64)
SHORT_S = 0.3
"""A time limit that is meant to be reached."""


@contextlib.asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[str]:
    """Run `handler` for every connection; yields the address."""

    async def handle(connection: ServerConnection) -> None:
        await handler(connection)

    async with serve(handle, "127.0.0.1", 0, compression=None, close_timeout=0.1) as server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@dataclass(frozen=True)
class UntilHungUp(Dialect):
    """Bytes are sent as they are; the last text before the server hangs up is the transcript."""

    name: ClassVar[str] = "until-hung-up"
    patient: bool = True

    def conversation(self, connection: int | None = None) -> HungUpConversation:  # noqa: ARG002
        return HungUpConversation(patient=self.patient)


class HungUpConversation(Conversation):
    def __init__(self, *, patient: bool) -> None:
        self.patient = patient
        self.text = ""

    def audio(self, pcm: bytes) -> Iterator[AudioFrame]:
        yield AudioFrame(pcm, len(pcm) / 32000)

    def closing(self) -> Sequence[str]:
        return ["that is all"]

    def receive(self, message: str | bytes) -> Sequence[Event]:
        self.text = message.strip().casefold()  # type: ignore[union-attr]  # it forgets that bytes may come
        return []

    def hung_up(self) -> Sequence[Event]:
        return [Final(self.text)] if self.patient else []


@dataclass(frozen=True)
class OpenOnly(Scenario):
    """Connects, and forgets to close."""

    name: ClassVar[str] = "open-only"

    async def play(self, connection: Connection) -> None:
        await connection.open()


def plan(url: str, **settings: object) -> LoadPlan:
    return LoadPlan.from_json_object({"url": url, "connections": 1, **settings})


async def hold(session: Session, load: LoadPlan) -> Answer:
    result = await session.hold(load.scenario)
    assert result is not None
    return result


async def dialogue(url: str, clip: Clip = CLIP, *, number: int | None = None, **settings: Any) -> Answer:
    load = plan(url, **settings)
    return await hold(Session(Endpoint.from_plan(load), clip, number), load)


async def readiness(url: str, timeout_s: float) -> Readiness:
    return await wait_for_first_result(Endpoint.from_plan(plan(url)), Dialogue(), timeout_s, CLIP)


def hear(dialogue: ServerDialogue, frame: str | bytes) -> list[ServerEvent]:
    return dialogue.receive_text(frame) if isinstance(frame, str) else dialogue.receive_binary(frame)


async def hear_out(connection: ServerConnection) -> bytes:
    """Listen as a server does, sending a partial result for every 300 ms, until the end of the utterance."""
    dialogue, pcm, told = ServerDialogue(), b"", 0
    while True:
        for event in hear(dialogue, await connection.recv()):
            if isinstance(event, AudioReceived):
                pcm += event.pcm
            elif isinstance(event, UtteranceEnded):
                return pcm
        while len(pcm) - told >= 9600:
            told += 9600
            await connection.send(encode_result(Result("on", "soak", "2pass-online")))


async def answer(connection: ServerConnection) -> bytes:
    """Hold a whole dialogue up to the final result; returns the audio that came."""
    pcm = await hear_out(connection)
    await connection.send(encode_result(Result("one two", "soak", "2pass-offline")))
    await connection.send(encode_result(Result("", "soak", is_final=True)))
    return pcm


async def test_a_dialogue_sends_the_whole_clip_and_closes_with_1000() -> None:
    heard: asyncio.Queue[tuple[bytes, int | None]] = asyncio.Queue()

    async def handler(connection: ServerConnection) -> None:
        pcm = await answer(connection)
        await connection.wait_closed()
        heard.put_nowait((pcm, connection.close_code))

    opened: list[None] = []
    async with serving(handler) as url:
        load = plan(url)
        session = Session(Endpoint.from_plan(load), CLIP, on_open=lambda: opened.append(None))
        result = await hold(session, load)
        assert await heard.get() == (CLIP.pcm, 1000)
    assert result.transcript == "one two"
    assert result.first_result_s > 0
    assert result.final_s >= 0
    assert session.audio_s == pytest.approx(CLIP.duration_s)
    assert len(opened) == 1


async def test_an_abrupt_end_is_a_reset_after_the_final_result() -> None:
    ends: asyncio.Queue[tuple[int | None, bool]] = asyncio.Queue()

    async def handler(connection: ServerConnection) -> None:
        await answer(connection)
        await connection.wait_closed()
        ends.put_nowait((connection.close_code, connection.protocol.close_rcvd is None))

    async with serving(handler) as url:
        result = await dialogue(url, closing="abrupt")
        assert await ends.get() == (1006, True)
    assert result.transcript == "one two"


async def test_hotwords_can_be_each_connections_own() -> None:
    asked: list[str] = []

    async def handler(connection: ServerConnection) -> None:
        dialogue = ServerDialogue()
        hear(dialogue, await connection.recv())
        assert dialogue.config is not None
        asked.append(dialogue.config.hotwords)
        await connection.close()

    async with serving(handler) as url:
        for number in (1, 22):
            with pytest.raises(SessionError):
                await dialogue(url, number=number, hotwords="明{connection} erik")
    assert asked == ["明1 erik", "明22 erik"]


async def test_compression_is_offered_where_it_is_asked_for() -> None:
    offered: list[bool] = []

    async def handler(connection: ServerConnection) -> None:
        assert connection.request is not None
        extensions = connection.request.headers.get("Sec-WebSocket-Extensions", "")
        offered.append("permessage-deflate" in extensions)
        await answer(connection)

    async with serving(handler) as url:
        for wanted in (False, True):
            await dialogue(url, compression=wanted)
    assert offered == [False, True]


async def test_a_transcript_with_half_a_character_can_be_recorded() -> None:
    async def handler(connection: ServerConnection) -> None:
        await hear_out(connection)
        await connection.send(json.dumps({"text": "one \ud83d two", "mode": "2pass-offline"}))
        await connection.send(encode_result(Result("", "soak", is_final=True)))

    async with serving(handler) as url:
        assert (await dialogue(url)).transcript == "one ? two"


@pytest.mark.parametrize(
    ("mode", "result_mode"),
    [
        ("online", "2pass-online"),
        ("offline", "2pass-offline"),
        ("offline", "offline"),
        ("2pass", "2pass-offline"),
    ],
)
async def test_every_mode_of_recognition_gets_its_transcript(mode: str, result_mode: ResultMode) -> None:
    asked: list[str] = []

    async def handler(connection: ServerConnection) -> None:
        dialogue, ended = ServerDialogue(), False
        while not ended:
            events = hear(dialogue, await connection.recv())
            ended = any(isinstance(event, UtteranceEnded) for event in events)
        assert dialogue.config is not None
        asked.append(dialogue.config.mode)
        await connection.send(encode_result(Result("one two", "soak", result_mode)))
        await connection.send(encode_result(Result("", "soak", is_final=True)))

    async with serving(handler) as url:
        assert (await dialogue(url, mode=mode)).transcript == "one two"
    assert asked == [mode]


async def test_realtime_audio_takes_as_long_as_it_would_take_to_say() -> None:
    loop = asyncio.get_running_loop()

    async def handler(connection: ServerConnection) -> None:
        await answer(connection)

    async with serving(handler) as url:
        started_s = loop.time()
        await dialogue(url, pace="realtime")
        # the last frame goes out when it begins, so a clip takes its length less one frame of 60 ms
        assert loop.time() - started_s >= CLIP.duration_s - 0.061


async def test_results_are_read_while_audio_is_sent() -> None:
    """A server that answers every frame, and listens on only when its answer is read, must not deadlock."""
    long_clip = Clip("long", "en", "", "none", b"\0" * 1920 * 600)
    padding = "x" * 20_000

    async def handler(connection: ServerConnection) -> None:
        dialogue = ServerDialogue()
        async for frame in connection:
            for event in hear(dialogue, frame):
                if isinstance(event, AudioReceived):
                    await connection.send(encode_result(Result(padding, "soak", "2pass-online")))
                elif isinstance(event, UtteranceEnded):
                    await connection.send(encode_result(Result("", "soak", is_final=True)))

    async with serving(handler) as url:
        load = plan(url)
        session = Session(Endpoint.from_plan(load), long_clip)
        await hold(session, load)
    assert session.audio_s == pytest.approx(long_clip.duration_s)


async def fail(url: str, clip: Clip = CLIP, **settings: Any) -> SessionError:
    with pytest.raises(SessionError) as caught:
        await dialogue(url, clip, **settings)
    assert "\n" not in caught.value.detail
    assert caught.value.detail
    return caught.value


async def test_nobody_listening_is_connect_refused() -> None:
    async with serving(answer) as url:
        pass
    assert (await fail(url)).kind == "connect_refused"


async def test_a_port_that_never_answers_is_connect_timeout() -> None:
    release = asyncio.Event()

    async def silent(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await release.wait()
        writer.close()

    async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
        url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        assert (await fail(url, connect_timeout_s=SHORT_S)).kind == "connect_timeout"
        release.set()


@pytest.mark.parametrize("reply", [b"", b"SSH-2.0-OpenSSH_9.6\r\n", b"HTTP/1.1 404 Not Found\r\n\r\n"])
async def test_a_port_that_speaks_something_else_is_handshake(reply: bytes) -> None:
    async def other(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(reply)
        writer.close()

    async with await asyncio.start_server(other, "127.0.0.1", 0) as server:
        url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        assert (await fail(url)).kind == "handshake"


async def test_tls_where_there_is_none_is_handshake() -> None:
    async with serving(answer) as url:
        error = await fail(url.replace("ws://", "wss://"), connect_timeout_s=5)
        assert error.kind == "handshake"


async def test_a_server_that_never_answers_is_result_timeout() -> None:
    async def mute(connection: ServerConnection) -> None:
        async for _ in connection:
            pass

    async with serving(mute) as url:
        error = await fail(url, result_timeout_s=SHORT_S)
    assert error.kind == "result_timeout"
    assert "end of the audio" in error.detail


async def test_a_server_that_stops_reading_is_result_timeout_and_its_connection_is_let_go() -> None:
    endless = Clip("endless", "en", "", "none", b"\0" * 32_000_000)  # more than sockets buffer
    gone = asyncio.Event()

    async def deaf(connection: ServerConnection) -> None:
        await connection.recv()
        connection.transport.pause_reading()
        await gone.wait()
        connection.transport.resume_reading()

    async with serving(deaf) as url:
        error = await fail(url, endless, result_timeout_s=SHORT_S, close_timeout_s=SHORT_S)
        gone.set()
    assert error.kind == "result_timeout"
    assert "took only" in error.detail
    assert "took only 0.0 s" not in error.detail


async def test_an_error_message_is_server_error() -> None:
    async def complain(connection: ServerConnection) -> None:
        await connection.recv()
        await connection.send(encode_error(WireError("no room\nat all"), "soak"))
        async for _ in connection:
            pass

    async with serving(complain) as url:
        error = await fail(url)
    assert (error.kind, error.detail) == ("server_error", "no room at all")


@pytest.mark.parametrize("code", [1000, 1011])
async def test_a_server_that_hangs_up_first_is_closed_by_server(code: int) -> None:
    async def hang_up(connection: ServerConnection) -> None:
        await hear_out(connection)
        await connection.close(code)

    async with serving(hang_up) as url:
        assert (await fail(url)).kind == "closed_by_server"


async def test_a_connection_that_breaks_is_closed_by_server() -> None:
    async def crash(connection: ServerConnection) -> None:
        await connection.recv()
        connection.transport.abort()

    async with serving(crash) as url:
        assert (await fail(url)).kind == "closed_by_server"


async def test_a_binary_message_is_protocol() -> None:
    async def babble(connection: ServerConnection) -> None:
        await connection.send(b"\0\1")
        async for _ in connection:
            pass

    async with serving(babble) as url:
        assert (await fail(url)).kind == "protocol"


async def test_a_message_beyond_all_measure_is_protocol() -> None:
    async def flood(connection: ServerConnection) -> None:
        with contextlib.suppress(Exception):
            await connection.send("x" * 3_000_000)
        async for _ in connection:
            pass

    async with serving(flood) as url:
        assert (await fail(url)).kind == "protocol"


async def test_a_server_that_does_not_finish_closing_is_close_timeout() -> None:
    gone = asyncio.Event()

    async def cling(connection: ServerConnection) -> None:
        await answer(connection)
        connection.transport.pause_reading()
        await gone.wait()
        connection.transport.resume_reading()

    async with serving(cling) as url:
        error = await fail(url, close_timeout_s=SHORT_S)
        gone.set()
    assert error.kind == "close_timeout"


async def test_a_cancelled_session_closes_its_connection_properly() -> None:
    listening, codes = asyncio.Event(), asyncio.Queue[int | None]()

    async def mute(connection: ServerConnection) -> None:
        await connection.recv()
        listening.set()
        await connection.wait_closed()
        codes.put_nowait(connection.close_code)

    async with serving(mute) as url:
        task = asyncio.create_task(dialogue(url))
        await listening.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await codes.get() == 1000


async def test_a_dialect_may_end_its_dialogues_by_hanging_up() -> None:
    async def count(connection: ServerConnection) -> None:
        heard = b""
        async for message in connection:
            if isinstance(message, str):
                break
            heard += message
        await connection.send(f"{len(heard)} bytes")
        await connection.close()

    async with serving(count) as url:
        load = replace(plan(url), dialect=UntilHungUp())
        result = await hold(Session(Endpoint.from_plan(load), CLIP), load)
        assert result.transcript == f"{len(CLIP.pcm)} bytes"
        load = replace(plan(url), dialect=UntilHungUp(patient=False))
        with pytest.raises(SessionError) as caught:
            await hold(Session(Endpoint.from_plan(load), CLIP), load)
    assert caught.value.kind == "closed_by_server"


async def test_what_breaks_in_a_dialect_is_one_failed_connection_and_it_is_closed() -> None:
    codes = asyncio.Queue[int | None]()

    async def say(connection: ServerConnection) -> None:
        await connection.send(b"what is that")
        await connection.wait_closed()
        codes.put_nowait(connection.close_code)

    async with serving(say) as url:
        load = replace(plan(url), dialect=UntilHungUp())
        with pytest.raises(SessionError, match="unexpected AttributeError") as caught:
            await Session(Endpoint.from_plan(load), CLIP).hold(load.scenario)
        assert await codes.get() == 1000
    assert caught.value.kind == "protocol"


async def test_what_a_scenario_leaves_open_is_closed() -> None:
    codes = asyncio.Queue[int | None]()

    async def listen(connection: ServerConnection) -> None:
        await connection.wait_closed()
        codes.put_nowait(connection.close_code)

    async with serving(listen) as url:
        session = Session(Endpoint.from_plan(plan(url)), CLIP)
        assert await session.hold(OpenOnly()) is None
        assert await codes.get() == 1000
    assert session.audio_s == 0


async def test_readiness_is_a_first_result_not_an_open_port() -> None:
    attempts = 0

    async def loading(connection: ServerConnection) -> None:
        nonlocal attempts
        attempts += 1
        if attempts < 3:
            await connection.close(1013, "loading")
        else:
            await answer(connection)

    async with serving(loading) as url:
        ready = await readiness(url, 30)
    assert ready.attempts == 3
    assert ready.transcript == "one two"


async def test_a_server_that_does_not_get_ready_is_told_with_its_last_failure() -> None:
    async with serving(answer) as url:
        pass
    with pytest.raises(NotReadyError, match="connect_refused") as caught:
        await readiness(url, SHORT_S)
    assert caught.value.attempts >= 1
    assert caught.value.last is not None
    assert "\n" not in str(caught.value)
