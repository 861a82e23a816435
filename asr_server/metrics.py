"""/metrics and /healthz, answered on the same port as the WebSocket."""

from __future__ import annotations

import gc
import json
import sys
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from asr_server.introspection import PREFIX
from asr_server.paraformer.sessions import count_arenas, read_arenas
from asr_server.process_memory import read_heap_usage, read_process_usage
from asr_server.same_site import why_foreign
from asr_server.session import sessions_alive

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client.core import Metric
    from websockets.asyncio.server import ServerConnection
    from websockets.http11 import Request, Response

    from asr_server.counters import Counters
    from asr_server.decoder_pool import DecoderPool
    from asr_server.inject import LeakInjector
    from asr_server.introspection import Introspection

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


class ServerCollector(Collector):
    """Reads everything at the moment of asking; what this system cannot tell is left out."""

    def __init__(self, counters: Counters, pool: DecoderPool, leaks: LeakInjector) -> None:
        """Read from these three, and from the process itself."""
        self._counters = counters
        self._pool = pool
        self._leaks = leaks

    def collect(self) -> Iterator[Metric]:
        """Give every metric once."""
        yield from self._service_metrics()
        yield from self._injected_metrics()
        yield from _process_metrics()
        yield from _arena_metrics()
        yield from _python_metrics()

    def _service_metrics(self) -> Iterator[Metric]:
        counts = self._counters.read()
        yield _gauge("asr_connections_open", "WebSocket connections open now.", counts.connections_open)
        yield _counter("asr_connections_total", "WebSocket connections opened.", counts.connections_total)
        yield _gauge("asr_sessions_alive", "Per-connection states not yet freed.", sessions_alive())
        yield _gauge("asr_decode_queue_tasks", "Decoding tasks that wait.", self._pool.queued_tasks)
        yield _counter("asr_audio_seconds_total", "Audio decoded, in seconds.", counts.audio_s)
        yield _counter("asr_decode_seconds_total", "Time spent decoding, in seconds.", counts.decode_s)
        results = CounterMetricFamily("asr_results_total", "Results, by mode.", labels=["mode"])
        for mode, number in counts.results.items():
            results.add_metric([mode], number)
        yield results
        errors = CounterMetricFamily("asr_errors_total", "Connections that went wrong.", labels=["kind"])
        for kind, number in counts.errors.items():
            errors.add_metric([kind], number)
        yield errors

    def _injected_metrics(self) -> Iterator[Metric]:
        """What --inject has come to, so that a reader of the metrics knows the truth; else nothing."""
        injected = self._leaks.read()
        if not injected:
            return
        kept = GaugeMetricFamily("asr_injected_bytes", "Kept on purpose (--inject).", labels=["kind"])
        times = CounterMetricFamily("asr_injected_total", "How often something was.", labels=["kind"])
        for leak in injected:
            kept.add_metric([leak.kind], leak.kept_bytes)
            times.add_metric([leak.kind], leak.times)
        yield kept
        yield times


def _process_metrics() -> Iterator[Metric]:
    process, heap = read_process_usage(), read_heap_usage()
    if process is not None:
        yield _gauge("asr_resident_memory_bytes", "Resident memory.", process.resident_memory_bytes)
        yield _gauge("asr_threads", "Threads of this process.", process.threads)
    if heap is not None:
        yield _gauge("asr_heap_in_use_bytes", "malloc: in use, mmapped too.", heap.in_use_bytes)
        yield _gauge("asr_heap_free_bytes", "malloc: free but kept.", heap.free_bytes)
        yield _gauge("asr_heap_arena_bytes", "malloc: arenas, in use or free.", heap.arena_bytes)


def _arena_metrics() -> Iterator[Metric]:
    """What ONNX Runtime's arenas hold, where sessions have them (--cpu-arena) and it tells."""
    yield _gauge(
        "asr_arenas", "ONNX Runtime sessions with an arena; 0: tensors are malloc's.", count_arenas()
    )
    usages = read_arenas()
    if not usages:
        return
    held = GaugeMetricFamily("asr_arena_held_bytes", "Held by the arena, in use or free.", labels=["graph"])
    loaded = GaugeMetricFamily(
        "asr_arena_loaded_bytes", "Held since the graph was loaded: weights, first region.", labels=["graph"]
    )
    for usage in usages:
        held.add_metric([usage.graph], usage.held_bytes)
        loaded.add_metric([usage.graph], usage.loaded_bytes)
    yield held
    yield loaded


def _python_metrics() -> Iterator[Metric]:
    objects = GaugeMetricFamily(
        "asr_python_gc_objects",
        "Objects the cycle collector tracks, frozen ones left out.",
        labels=["generation"],
    )
    for generation in range(len(gc.get_stats())):
        objects.add_metric([str(generation)], len(gc.get_objects(generation)))
    yield objects
    yield _gauge("asr_python_allocated_blocks", "Blocks pymalloc has given out.", sys.getallocatedblocks())


def _gauge(name: str, documentation: str, value: float) -> Metric:
    return GaugeMetricFamily(name, documentation, value=value)


def _counter(name: str, documentation: str, value: float) -> Metric:
    return CounterMetricFamily(name, documentation, value=value)


class HttpEndpoints:
    """Answers plain HTTP requests before the WebSocket handshake; websockets' `process_request`."""

    def __init__(self, collector: ServerCollector, introspection: Introspection | None = None) -> None:
        """Serve what `collector` reads, and the pages of `introspection` where it is wanted."""
        self._registry = CollectorRegistry()
        self._registry.register(collector)
        self._introspection = introspection

    def __call__(self, connection: ServerConnection, request: Request) -> Response | None:
        """Answer /metrics, /healthz and, if wanted, /debug/…; every other path goes on to the handshake.

        The pages of /debug are refused to other sites' scripts.
        """
        path = request.path.partition("?")[0]
        if path == "/healthz":
            return connection.respond(HTTPStatus.OK, "ok\n")
        if path == "/metrics":
            return _respond(connection, generate_latest(self._registry).decode(), CONTENT_TYPE)
        if self._introspection is not None and path.startswith(PREFIX):
            foreign = why_foreign(request.headers)
            if foreign is not None:
                return connection.respond(HTTPStatus.FORBIDDEN, f"refused: {foreign}\n")
            found = self._introspection.answer(request.path)
            if found is None:
                return connection.respond(HTTPStatus.NOT_FOUND, "no such page\n")
            return _respond(connection, json.dumps(found) + "\n", "application/json")
        return None


def _respond(connection: ServerConnection, text: str, content_type: str) -> Response:
    response = connection.respond(HTTPStatus.OK, text)
    del response.headers["Content-Type"]
    response.headers["Content-Type"] = content_type
    return response
