"""What a well-behaved client gets from a real server with the bundled model."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.integration.asr_server.conftest import RunningServer

SILENCE_S = 2 * 16000


@pytest.mark.parametrize("mode", ["online", "offline", "2pass"])
async def test_each_mode_recognises_a_clip_and_ends_with_one_final(
    server: RunningServer, clips: list[bytes], mode: str
) -> None:
    async with server.client(mode=mode, wav_name="电话-7") as client:
        assert await client.say(clips[-1])
        messages = client.messages
    assert [m["is_final"] for m in messages] == [False] * (len(messages) - 1) + [True]
    assert {m["wav_name"] for m in messages} == {"电话-7"}
    modes = {m["mode"] for m in messages if "mode" in m}
    assert (
        modes
        == {
            "online": {"2pass-online"},
            "offline": {"2pass-offline"},
            "2pass": {"2pass-online", "2pass-offline"},
        }[mode]
    )


async def test_sentences_are_numbered_and_timed(server: RunningServer, clips: list[bytes]) -> None:
    pause = bytes(int(1.5 * SILENCE_S))
    async with server.client() as client:
        await client.say(pause + clips[3] + pause + clips[4] + pause)
        messages = client.messages
    sentences = [m for m in messages if m.get("slice_type") == 2]
    assert [m["index"] for m in sentences] == [0, 1]
    assert [m["mode"] for m in sentences] == ["2pass-offline"] * 2
    first_s, second_s = len(clips[3]) / SILENCE_S, len(clips[4]) / SILENCE_S
    assert sentences[0]["start_time"] == pytest.approx(1500, abs=400)
    assert sentences[0]["end_time"] == pytest.approx(1500 + 1000 * first_s, abs=400)
    assert sentences[1]["end_time"] == pytest.approx(3000 + 1000 * (first_s + second_s), abs=400)
    for index in (0, 1):
        slices = [m["slice_type"] for m in messages if m.get("index") == index]
        assert slices[0] == 0
        assert slices[-1] == 2
        assert set(slices[1:-1]) <= {1}


async def test_two_utterances_on_one_connection_are_two_transcripts(
    server: RunningServer, clips: list[bytes]
) -> None:
    alone = [await server.transcribe(clip) for clip in clips[4:6]]
    async with server.client() as client:
        assert [await client.say(clip) for clip in clips[4:6]] == alone
        assert sum(m["is_final"] for m in client.messages) == 2


async def test_silence_and_nothing_at_all_get_an_empty_final(server: RunningServer) -> None:
    async with server.client() as client:
        assert await client.say(bytes(SILENCE_S)) == ""
        assert await client.say(b"") == ""
    assert [(m["text"], m["is_final"], "mode" in m) for m in client.messages] == [("", True, False)] * 2


async def test_frames_of_odd_sizes_change_nothing(server: RunningServer, clips: list[bytes]) -> None:
    expected = await server.transcribe(clips[2])
    async with server.client() as client:
        for start in range(0, len(clips[2]), 1237):
            await client.websocket.send(clips[2][start : start + 1237])
        assert await client.say(b"") == expected


async def test_half_the_sample_rate_is_understood(server: RunningServer, clips: list[bytes]) -> None:
    narrow_band = b"".join(clips[2][start : start + 2] for start in range(0, len(clips[2]) - 3, 4))
    assert await server.transcribe(narrow_band, audio_fs=8000)


async def test_a_config_with_unknown_keys_and_no_chunk_size_works(
    server: RunningServer, clips: list[bytes]
) -> None:
    expected = await server.transcribe(clips[2])
    async with server.connect() as websocket:
        await websocket.send(json.dumps({"svs_lang": "auto", "vad_tail_sil": 300, "is_speaking": True}))
        await websocket.send(clips[2])
        await websocket.send('{"is_finished": true}')
        while not (message := json.loads(await websocket.recv()))["is_final"]:
            pass
    assert message["text"] == expected


async def test_a_client_that_offers_a_subprotocol_is_taken(server: RunningServer, clips: list[bytes]) -> None:
    connection = server.connect()
    connection.additional_headers = {"Sec-WebSocket-Protocol": "binary"}
    async with connection as websocket:
        await websocket.send('{"is_finished": true, "mode": "offline"}')
        assert json.loads(await websocket.recv())["is_final"]
        assert clips


async def test_fifty_clients_at_once_hear_what_one_alone_hears(
    server: RunningServer, clips: list[bytes]
) -> None:
    expected = [await server.transcribe(clip) for clip in clips[:5]]
    transcripts = await asyncio.gather(*(server.transcribe(clips[n % 5]) for n in range(50)))
    assert transcripts == [expected[n % 5] for n in range(50)]


async def test_a_server_with_tls_and_one_with_compression(
    start_server: Any, clips: list[bytes], server: RunningServer, certificate: Any
) -> None:
    expected = await server.transcribe(clips[0])
    with start_server("--certfile", certificate.certfile, "--keyfile", certificate.keyfile) as secure:
        assert secure.url.startswith("wss://")
        secure.tls = certificate.client_context
        assert await secure.transcribe(clips[0]) == expected
        assert secure.metrics()["asr_connections_total"] == 1
    with start_server("--compression", "--certfile", "0") as compressed:
        assert await compressed.transcribe(clips[0]) == expected
