"""Sentences as a client sees them, cut by the network and by energy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from asr_server.paraformer.catalog import VAD, resolve_model

if TYPE_CHECKING:
    from pathlib import Path

BYTES_PER_MS = 32
TINY_VAD = resolve_model("tiny") / VAD


@pytest.mark.parametrize(
    ("arguments", "announced"),
    [
        (("--vad-dir", str(TINY_VAD)), str(TINY_VAD)),
        (("--vad-dir", ""), "detected by energy"),
    ],
    ids=["network", "energy"],
)
async def test_two_utterances_with_a_pause_are_two_sentences(
    start_server: Any, clips: list[bytes], arguments: tuple[str, ...], announced: str
) -> None:
    first, second, pause = clips[3], clips[5], bytes(1500 * BYTES_PER_MS)
    with start_server(*arguments) as server:
        assert announced in server.log.read_text()
        async with server.client() as client:
            await client.say(first + pause + second + pause)
        sentences = [m for m in client.messages if m.get("slice_type") == 2]
        assert [m["mode"] for m in sentences] == ["2pass-offline"] * 2
        pause_begins_ms = len(first) // BYTES_PER_MS
        assert sentences[0]["end_time"] <= pause_begins_ms + 1500
        assert sentences[1]["start_time"] >= pause_begins_ms
        assert sentences[1]["end_time"] <= (len(first + pause + second + pause)) // BYTES_PER_MS


async def test_the_detector_of_one_connection_is_not_that_of_another(
    start_server: Any, clips: list[bytes]
) -> None:
    with start_server("--vad-dir", str(TINY_VAD)) as server:
        alone = await server.transcribe(clips[4])
        async with server.client() as other:
            for frame in other.dialogue.audio_frames(clips[6]):
                await other.websocket.send(frame)
            assert await server.transcribe(clips[4]) == alone


def test_a_folder_that_is_no_vad_is_one_line(refused_start: Any, tmp_path: Path) -> None:
    assert "no VAD folder at /nowhere; check --vad-dir" in refused_start(
        "--port", "0", "--vad-dir", "/nowhere"
    )
    assert "no model.onnx in" in refused_start("--port", "0", "--vad-quant", "false")
    assert f"no config.yaml in {tmp_path}" in refused_start("--port", "0", "--vad-dir", str(tmp_path))
