"""Hotwords between real clients and a real server with a contextual second pass."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from asr_server.paraformer.catalog import resolve_model

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.integration.asr_server.conftest import RunningServer

LISTS = ["", "三七", "九八 四五六", "一二三四五六七八九十", "seven two", '{"零": 20, "一": 3}', "阿里巴巴"]


@pytest.fixture
def contextual(start_server: Callable[..., Any]) -> Iterator[RunningServer]:
    folder = str(resolve_model("tiny") / "contextual")
    long = ("--max-text-bytes", "1000000")
    with start_server("--model-dir", folder, "--decoder-thread-num", "4", *long) as running:
        yield running


async def test_every_connection_is_heard_with_its_own_hotwords(
    contextual: RunningServer, clips: list[bytes]
) -> None:
    alone = [await contextual.transcribe(clips[-1], hotwords=hotwords) for hotwords in LISTS]
    assert all(alone)
    at_once = [contextual.transcribe(clips[-1], hotwords=hotwords) for hotwords in LISTS * 3]
    assert await asyncio.gather(*at_once) == alone * 3


async def test_both_ways_of_writing_hotwords_are_the_same(
    contextual: RunningServer, clips: list[bytes]
) -> None:
    words = "九八 四五六 一"
    written = json.dumps(dict.fromkeys(words.split(), 20), ensure_ascii=False)
    for clip in clips[-4:]:
        plain = await contextual.transcribe(clip, hotwords=words, mode="offline")
        assert await contextual.transcribe(clip, hotwords=written, mode="offline") == plain


@pytest.mark.parametrize("hotwords", ["[1, 2]", '{"三七": "20"}', "null", "\x00", "三" * 100_000, '"' * 1000])
async def test_hotwords_that_name_none_leave_the_transcript_and_the_server_alone(
    contextual: RunningServer, clips: list[bytes], hotwords: str
) -> None:
    expected = await contextual.transcribe(clips[0])
    heard = await contextual.transcribe(clips[0], hotwords=hotwords)
    if not hotwords.startswith("三"):
        assert heard == expected
    assert await contextual.transcribe(clips[0]) == expected


async def test_more_hotwords_than_a_connection_may_hold_are_refused(
    contextual: RunningServer, read_to_the_end: Any, clips: list[bytes]
) -> None:
    async with contextual.client(hotwords=" ".join(map(str, range(1001)))) as client:
        answer = json.loads(await client.websocket.recv())
        assert answer["error"] == "hotwords names 1001 words: send at most 1000"
        assert (await read_to_the_end(client.websocket)).rcvd.code == 1008
    assert await contextual.transcribe(clips[0], hotwords=" ".join(map(str, range(1000))))


async def test_the_servers_hotwords_hold_for_all_connections(
    contextual: RunningServer, start_server: Any, tmp_path: Path, clips: list[bytes]
) -> None:
    path = tmp_path / "hotwords.txt"
    path.write_text("九八 20\n四五六 30\n", encoding="utf-8")
    folder = str(resolve_model("tiny") / "contextual")
    with start_server("--model-dir", folder, "--hotword", str(path)) as server:
        for clip in clips[-3:]:
            assert await server.transcribe(clip) == await contextual.transcribe(clip, hotwords="九八 四五六")
            joined = await contextual.transcribe(clip, hotwords="一 九八 四五六")
            assert await server.transcribe(clip, hotwords="一") == joined


async def test_a_regular_second_pass_ignores_hotwords_and_says_so_once(
    start_server: Any, clips: list[bytes]
) -> None:
    with start_server() as server:
        plain = await server.transcribe(clips[0])
        assert [await server.transcribe(clips[0], hotwords="三七") for _ in range(3)] == [plain] * 3
        assert server.log.read_text().count("takes none: they are ignored") == 1
