"""Starts everything in the right order, waits for a signal, stops everything again."""

from __future__ import annotations

import gc
import ipaddress
import json
import logging
import os
import signal
import ssl
import sys
import threading
import time
from typing import TYPE_CHECKING

from asr_server.admission import Admission, reserve_descriptors
from asr_server.backlog import SharedBacklog
from asr_server.connection import Service
from asr_server.counters import Counters
from asr_server.decoder_pool import DecoderPool
from asr_server.errors import StartupError
from asr_server.hotwords import read_hotword_file
from asr_server.inject import LeakInjector, parse_injection
from asr_server.introspection import Introspection
from asr_server.io_threads import IoThread, Transport, bind_socket, start_listening
from asr_server.metrics import HttpEndpoints, ServerCollector
from asr_server.paraformer.contextual import load_second_pass
from asr_server.paraformer.errors import ModelError
from asr_server.paraformer.sessions import RuntimeSettings
from asr_server.paraformer.streaming import OnlineRecogniser
from asr_server.process_memory import (
    raise_heap_thresholds,
    read_process_usage,
    reserve_python_arenas,
    trim_heap,
)
from asr_server.recogniser import SAMPLE_RATE_HZ, Models
from asr_server.session import SessionRegistry
from asr_server.settings import optional_path
from asr_server.vad.energy import EnergyVad
from asr_server.vad.fsmn import FsmnVad

if TYPE_CHECKING:
    import socket
    from collections.abc import Sequence
    from pathlib import Path

    from asr_server.settings import ServerOptions
    from asr_server.vad.events import VadModel

logger = logging.getLogger(__name__)


def run(options: ServerOptions) -> None:
    """Serve until SIGTERM or SIGINT. Raises StartupError, one line, if it cannot start."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    tls = _load_certificate(optional_path(options.certfile), optional_path(options.keyfile))
    hotwords = _read_hotwords(options)
    listener = bind_socket(
        options.listen_ip, options.port
    )  # a port in use shows before the models are loaded
    models = _load_models(options, hotwords)
    leaks = LeakInjector([parse_injection(each) for each in options.inject])
    _settle_memory()

    pool = DecoderPool(options.decoder_thread_num)
    counters = Counters()
    sessions = SessionRegistry(pool, free_at_close=options.sweep_interval_s == 0)
    service = Service(
        models,
        sessions,
        counters,
        leaks,
        options.max_queued_audio_s,
        options.max_text_bytes,
        SharedBacklog(options.max_queued_audio_total_s),
    )
    endpoints = HttpEndpoints(ServerCollector(counters, pool, leaks), _introspection(options, models))
    transport = Transport(
        endpoints,
        options.max_message_bytes,
        options.compression,
        tls,
        Admission(reserve_descriptors(options.max_connections)),
        options.handshake_timeout_s,
        options.idle_timeout_s,
    )
    leaks.start()
    start_listening(listener)
    io_threads = [IoThread(n, listener, service, transport) for n in range(options.io_thread_num)]
    _announce(listener, secure=tls is not None)

    _keep_house(options, sessions, stop)
    logger.info("stopping: closing all connections")
    for thread in io_threads:
        thread.stop()
    for thread in io_threads:
        thread.join()
    listener.close()
    pool.close()
    logger.info("stopped")


def _keep_house(options: ServerOptions, sessions: SessionRegistry, stop: threading.Event) -> None:
    """Free closed connections, and trim the heap if asked to, each at its interval, until stopped."""
    never = float("inf")
    sweep_s, trim_s = options.sweep_interval_s or never, options.trim_interval_s or never
    sweep_due_s, trim_due_s = (time.monotonic() + each_s for each_s in (sweep_s, trim_s))
    while True:
        due_s = min(sweep_due_s, trim_due_s)
        if stop.wait(None if due_s == never else max(0.0, due_s - time.monotonic())):
            return
        now_s = time.monotonic()
        if now_s >= sweep_due_s:
            sweep_due_s = now_s + sweep_s
            if sessions.sweep() and gc.isenabled():  # the injected cycles turn it off
                gc.collect()  # asyncio leaves a small cycle per connection; let it go with the same rhythm
        if now_s >= trim_due_s:
            trim_due_s = now_s + trim_s
            trim_heap()


def _introspection(options: ServerOptions, models: Models) -> Introspection | None:
    if not options.introspection:
        return None
    logger.warning(
        "the /debug pages are open to everybody who reaches this port (--introspection)%s",
        ""
        if ipaddress.ip_address(options.listen_ip).is_loopback
        else f": {options.listen_ip} is not this machine alone, --listen-ip 127.0.0.1 is",
    )
    return Introspection(models)


def _load_certificate(certfile: Path | None, keyfile: Path | None) -> ssl.SSLContext | None:
    """The TLS context, or None for plain ws."""
    if certfile is None or keyfile is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    for name, path in (("--certfile", certfile), ("--keyfile", keyfile)):
        if not path.is_file() or not os.access(path, os.R_OK):
            raise StartupError(f"{name} {path} cannot be read: give a PEM file, or --certfile 0 for plain ws")
    try:
        context.load_cert_chain(certfile, keyfile, password=_refuse_password)
    except (ssl.SSLError, OSError) as error:
        raise StartupError(
            f"{certfile} and {keyfile} are no certificate and key: {error}; give two PEM files that match"
        ) from None
    return context


def _refuse_password() -> str:
    """Stands in for the prompt at which a server without a terminal would wait for ever."""
    raise StartupError("the key is protected by a password: give --keyfile a key without one")


def _read_hotwords(options: ServerOptions) -> tuple[str, ...]:
    path = optional_path(options.hotword)
    if path is None:
        return ()
    words = read_hotword_file(path)
    logger.info("%d hotwords read from %s", len(words), path)
    return words


def _load_models(options: ServerOptions, hotwords: Sequence[str]) -> Models:
    runtime = _runtime(options)
    try:
        online = OnlineRecogniser.load(options.online_model_dir, runtime, quantize=options.quantize)
        offline = load_second_pass(options.model_dir, runtime, quantize=options.quantize)
    except ModelError as error:
        raise StartupError(f"{error}; check --online-model-dir, --model-dir and --quantize") from None
    for flag, model in (("--online-model-dir", online), ("--model-dir", offline)):
        _check_rate(
            f"the model in {model.model.path}", model.sample_rate_hz, f"{flag} a folder of a 16k model"
        )
    vad = _load_vad(options, runtime)
    logger.info("models loaded: %s and %s", options.online_model_dir, options.model_dir)
    logger.info("voice activity is detected by %s", optional_path(options.vad_dir) or "energy")
    return Models(online, offline.with_hotwords(hotwords), vad)


def _runtime(options: ServerOptions) -> RuntimeSettings:
    return RuntimeSettings(
        model_thread_num=options.model_thread_num,
        cpu_arena=options.cpu_arena,
        arena_extend_strategy=options.arena_extend_strategy,
        memory_pattern=options.memory_pattern,
        arena_shrinkage=options.arena_shrinkage,
    )


def _load_vad(options: ServerOptions, runtime: RuntimeSettings) -> VadModel:
    path = optional_path(options.vad_dir)
    if path is None:
        return EnergyVad()
    try:
        vad = FsmnVad.load(path, runtime, quantize=options.vad_quant)
    except ModelError as error:
        raise StartupError(f"{error}; check --vad-dir and --vad-quant") from None
    _check_rate(f"the VAD in {path}", vad.sample_rate_hz, "--vad-dir a folder of the 16k model")
    return vad


def _check_rate(what: str, rate_hz: int, remedy: str) -> None:
    if rate_hz != SAMPLE_RATE_HZ:
        raise StartupError(
            f"{what} is for {rate_hz} Hz, this server hears {SAMPLE_RATE_HZ} Hz; give {remedy}"
        )


def _settle_memory() -> None:
    """Start from the same memory each time: what loading left over goes back to the kernel.

    What lives now lives as long as the process, so the cycle collector need not look at it again.
    """
    gc.collect()
    gc.freeze()
    reserve_python_arenas()
    raise_heap_thresholds()
    trimmed = trim_heap()
    usage = read_process_usage()
    if usage is not None:
        logger.info(
            "resident memory before the first connection: %.1f MiB%s",
            usage.resident_memory_bytes / 2**20,
            "" if trimmed else " (this C library has no malloc_trim)",
        )


def _announce(listener: socket.socket, *, secure: bool) -> None:
    """Tell whoever started this server where it listens: one line of JSON on stdout."""
    host, port = listener.getsockname()[:2]
    reachable = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    url = f"{'wss' if secure else 'ws'}://{reachable}:{port}"
    sys.stdout.write(json.dumps({"event": "listening", "url": url, "pid": os.getpid()}) + "\n")
    sys.stdout.flush()
    logger.info("listening on %s", url)
