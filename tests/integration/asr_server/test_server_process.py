"""The process: how it starts, refuses to start, shows its figures, and ends."""

from __future__ import annotations

import asyncio
import signal
import socket
from typing import TYPE_CHECKING, Any

import psutil
import pytest
from prometheus_client.parser import text_string_to_metric_families

from asr_server.paraformer.catalog import resolve_model

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.asr_server.conftest import RunningServer

METRICS = {
    "asr_connections_open", "asr_connections", "asr_sessions_alive", "asr_decode_queue_tasks",
    "asr_audio_seconds", "asr_decode_seconds",
    "asr_resident_memory_bytes", "asr_heap_in_use_bytes", "asr_heap_free_bytes",
    "asr_heap_arena_bytes", "asr_python_gc_objects", "asr_threads", "asr_results", "asr_errors",
}  # fmt: skip


INT8_ONLY = str(resolve_model("tiny") / "offline")


def test_healthz_answers_on_the_same_port(server: RunningServer) -> None:
    assert server.get("/healthz") == "ok\n"


def test_metrics_parse_and_have_their_names(server: RunningServer) -> None:
    families = {family.name for family in text_string_to_metric_families(server.get("/metrics"))}
    if psutil.LINUX:
        assert families >= METRICS


def test_metrics_agree_with_the_kernel(server: RunningServer) -> None:
    process = psutil.Process(server.process.pid)
    metrics = server.metrics()
    assert metrics["asr_resident_memory_bytes"] == pytest.approx(process.memory_info().rss, rel=0.05)
    assert metrics["asr_threads"] == process.num_threads()


async def test_sessions_and_connections_are_counted_and_go_back_to_zero(
    server: RunningServer, clips: list[bytes]
) -> None:
    idle = await server.wait_until(lambda m: m["asr_connections_open"] == 0 and m["asr_sessions_alive"] == 0)
    async with server.client() as client, server.client():
        await client.say(clips[0])
        busy = await server.wait_until(lambda m: m["asr_connections_open"] == 2)
        assert busy["asr_sessions_alive"] == 2
    after = await server.wait_until(lambda m: m["asr_sessions_alive"] == 0)
    assert after["asr_connections_open"] == 0
    assert after["asr_connections_total"] == idle["asr_connections_total"] + 2
    heard_s = after["asr_audio_seconds_total"] - idle["asr_audio_seconds_total"]
    assert heard_s == pytest.approx(len(clips[0]) / 32000, abs=0.001)
    assert after["asr_decode_seconds_total"] > idle["asr_decode_seconds_total"]


async def test_sessions_are_freed_at_close_when_there_is_no_sweep(
    start_server: Any, clips: list[bytes]
) -> None:
    with start_server(
        "--sweep-interval-s", "0", "--io-thread-num", "1", "--decoder-thread-num", "1"
    ) as server:
        await asyncio.gather(*(server.transcribe(clips[0]) for _ in range(4)))
        idle = await server.wait_until(lambda m: m["asr_sessions_alive"] == 0)
        assert idle["asr_connections_total"] >= 4


async def test_an_injected_leak_is_announced_and_grows_the_heap(start_server: Any) -> None:
    with start_server("--inject", "session:4MiB", "--sweep-interval-s", "0") as server:

        async def open_and_close(times: int) -> None:
            for _ in range(times):
                async with server.client():
                    pass

        await open_and_close(3)
        before = await server.wait_until(lambda m: m["asr_connections_open"] == 0)
        await open_and_close(5)
        after = await server.wait_until(lambda m: m["asr_connections_open"] == 0)
        grown_bytes = after["asr_resident_memory_bytes"] - before["asr_resident_memory_bytes"]
        assert grown_bytes == pytest.approx(5 * 4 * 2**20, rel=0.1)
        assert "LEAKING ON PURPOSE (--inject): 4194304 bytes" in server.log.read_text()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_closes_the_connections_and_leaves_no_process(
    start_server: Any, clips: list[bytes], read_to_the_end: Any, number: signal.Signals
) -> None:
    with start_server("--sweep-interval-s", "5") as server:
        process = psutil.Process(server.process.pid)
        async with server.client() as client:
            await client.say(clips[0])
            await client.websocket.send(clips[1])
            family = [process, *process.children(recursive=True)]
            server.process.send_signal(number)
            closed = await read_to_the_end(client.websocket)
            assert closed.rcvd.code == 1001
        assert await asyncio.to_thread(server.process.wait, 60) == 0
        assert not [member for member in family if member.is_running()]
        log = server.log.read_text()
        assert "Traceback" not in log


def test_the_log_has_no_line_per_chunk(start_server: Any, clips: list[bytes]) -> None:
    with start_server() as server:
        for _ in range(3):
            asyncio.run(server.transcribe(clips[-1]))
        assert server.log.read_text().count("\n") < 6


class TestRefusedStart:
    def test_an_occupied_port(self, refused_start: Any) -> None:
        with socket.create_server(("127.0.0.1", 0)) as occupied:
            port = occupied.getsockname()[1]
            assert f"cannot listen on 127.0.0.1 port {port}" in refused_start("--port", str(port))

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            (["--model-dir", "/nowhere"], "/nowhere"),
            (["--online-model-dir", "/nowhere"], "/nowhere"),
            (["--quantize", "false", "--model-dir", INT8_ONLY], "no model.onnx in"),
            (["--quantize", "maybe"], "invalid choice: 'maybe'"),
            (["--port", "70000"], "'70000' is not a port"),
            (["--port", "http"], "'http' is not a port"),
            (["--decoder-thread-num", "0"], "'0' is not a whole number of at least 1"),
            (["--sweep-interval-s", "nan"], "'nan' is not a number of seconds"),
            (["--listen-ip", "localhost"], "'localhost' is not an IP address"),
            (["--inject", "session"], "write for example session:64KiB"),
            (["--inject", "sockets:1KiB"], "unknown kind 'sockets'"),
            (["--arena-shrinkage"], "needs the CPU arena"),
            (["--arena-extend-strategy", "none"], "kSameAsRequested"),
            (["--certfile", "/nowhere/c.pem"], "go together"),
            (["--certfile", "/nowhere/c", "--keyfile", "/nowhere/k"], "--certfile /nowhere/c cannot be read"),
            (["--hotword", "/nowhere/words.txt"], "cannot read the hotwords in /nowhere/words.txt"),
            (["--decoder-threads", "3"], "--decoder-threads"),
        ],
    )  # fmt: skip
    def test_it_says_in_one_line_what_to_do(
        self, refused_start: Any, arguments: list[str], words: str
    ) -> None:
        assert words in refused_start("--port", "0", *arguments)

    def test_a_key_that_does_not_fit(self, refused_start: Any, tmp_path: Path) -> None:
        (tmp_path / "c.pem").write_text("nonsense")
        pem = str(tmp_path / "c.pem")
        assert "give two PEM files" in refused_start("--port", "0", "--certfile", pem, "--keyfile", pem)
