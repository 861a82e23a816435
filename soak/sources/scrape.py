"""What the server says of itself: figures from its `/metrics`, and its `/debug` pages where it has them."""

from __future__ import annotations

import http.client
import json
import ssl
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from prometheus_client.parser import text_string_to_metric_families

TIMEOUT_S = 2.0
INTROSPECTION_TIMEOUT_S = 30.0
"""Counting the objects of a large process takes a while."""
COLUMN_OF_METRIC = {
    "asr_connections_open": "server_open_connections",
    "asr_sessions_alive": "server_sessions_alive",
    "asr_decode_queue_tasks": "server_decode_queue_tasks",
    "asr_audio_seconds_total": "server_audio_s",
    "asr_decode_seconds_total": "server_decode_s",
    "asr_heap_in_use_bytes": "server_heap_in_use_bytes",
    "asr_heap_free_bytes": "server_heap_free_bytes",
    "asr_arenas": "server_arenas",
    "asr_arena_held_bytes": "server_arena_held_bytes",
    "asr_python_gc_objects": "server_gc_objects",
    "asr_python_allocated_blocks": "server_python_blocks",
    "asr_connections_total": "server_connections_total",
    "asr_injected_bytes": "server_injected_bytes",
    "asr_injected_total": "server_injected_events",
}
"""What is taken from the exposition, and the column of `samples.csv` it goes to; labels are summed."""


class ServerPages:
    """Reads pages on the host and port of a WebSocket address."""

    def __init__(self, websocket_url: str, *, verify_tls: bool) -> None:
        """Derive the HTTP address from `websocket_url`."""
        parts = urlsplit(websocket_url)
        scheme = {"ws": "http", "wss": "https"}[parts.scheme]
        self._base = urlunsplit((scheme, parts.netloc, "", "", ""))
        self._context = ssl.create_default_context()
        if not verify_tls:
            self._context.check_hostname = False
            self._context.verify_mode = ssl.CERT_NONE

    def scrape_metrics(self) -> dict[str, float] | None:
        """Return the columns read from `/metrics`; None without such a page, or without an answer in time."""
        text = self._get("/metrics", TIMEOUT_S)
        try:
            return None if text is None else parse_exposition(text)
        except ValueError:
            return None

    def introspect(self, page: str) -> dict[str, Any] | None:
        """Return what `/debug/<page>` answers; None without such a page, or without an answer in time."""
        text = self._get(f"/debug/{page}", INTROSPECTION_TIMEOUT_S)
        try:
            found = None if text is None else json.loads(text)
        except ValueError:
            return None
        return found if isinstance(found, dict) else None

    def answers(self) -> bool:
        """Return whether the server reacts to a request at all; pages it lacks, and a plain no, count."""
        try:
            urllib.request.urlopen(self._base + "/", timeout=TIMEOUT_S, context=self._context).close()  # noqa: S310 - http(s) by construction
        except urllib.error.HTTPError:
            return True
        except OSError:  # refused, hung up on, or nothing in time
            return False
        except http.client.HTTPException:
            return True
        return True

    def _get(self, path: str, timeout_s: float) -> str | None:
        try:
            with urllib.request.urlopen(self._base + path, timeout=timeout_s, context=self._context) as reply:  # noqa: S310 - http(s) by construction
                text: str = reply.read().decode("utf-8", errors="replace")
                return text
        except (OSError, http.client.HTTPException, ValueError):
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
