"""The server's own figures, from its `/metrics`."""

from __future__ import annotations

import http.client
import ssl
import urllib.error
import urllib.request
from urllib.parse import urlsplit, urlunsplit

from prometheus_client.parser import text_string_to_metric_families

TIMEOUT_S = 2.0
COLUMN_OF_METRIC = {
    "asr_connections_open": "server_open_connections",
    "asr_sessions_alive": "server_sessions_alive",
    "asr_decode_queue_tasks": "server_decode_queue_tasks",
    "asr_audio_seconds_total": "server_audio_s",
    "asr_decode_seconds_total": "server_decode_s",
    "asr_heap_in_use_bytes": "server_heap_in_use_bytes",
    "asr_heap_free_bytes": "server_heap_free_bytes",
    "asr_python_gc_objects": "server_gc_objects",
    "asr_python_allocated_blocks": "server_python_blocks",
    "asr_connections_total": "server_connections_total",
    "asr_injected_bytes": "server_injected_bytes",
    "asr_injected_total": "server_injected_events",
}
"""What is taken from the exposition, and the column of `samples.csv` it goes to; labels are summed."""


class MetricsScraper:
    """Reads `/metrics` on the host and port of a WebSocket address."""

    def __init__(self, websocket_url: str, *, verify_tls: bool) -> None:
        """Derive the HTTP address from `websocket_url`."""
        parts = urlsplit(websocket_url)
        scheme = {"ws": "http", "wss": "https"}[parts.scheme]
        self._url = urlunsplit((scheme, parts.netloc, "/metrics", "", ""))
        self._context = ssl.create_default_context()
        if not verify_tls:
            self._context.check_hostname = False
            self._context.verify_mode = ssl.CERT_NONE

    def scrape(self) -> dict[str, float] | None:
        """Return the columns read, or None when the server has no such page or does not answer in time."""
        try:
            with urllib.request.urlopen(self._url, timeout=TIMEOUT_S, context=self._context) as reply:  # noqa: S310 - http(s) by construction
                return parse_exposition(reply.read().decode("utf-8", errors="replace"))
        except (OSError, urllib.error.URLError, http.client.HTTPException, ValueError):
            return None


def parse_exposition(text: str) -> dict[str, float] | None:
    """Pick the known metrics out of a Prometheus text exposition; None when it holds none of them.

    Raises `ValueError` when the text is no exposition.
    """
    columns: dict[str, float] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            column = COLUMN_OF_METRIC.get(sample.name)
            if column is not None:
                columns[column] = columns.get(column, 0.0) + sample.value
    return columns or None
