"""What the server says of itself: figures from its `/metrics`, and its `/debug` pages where it has them."""

from __future__ import annotations

from http import HTTPStatus
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pydantic_core
from prometheus_client.parser import text_string_to_metric_families

from soak.json_values import without_nan
from soak.sources.http_exchange import TooLongError, get
from soak.tls import client_context

TIMEOUT_S = 4.0
"""For a whole exchange, from the name's look-up to the last byte; so is the next."""
INTROSPECTION_TIMEOUT_S = 30.0
"""Counting the objects of a large process takes a while."""
MOST_BYTES = 4 * 2**20
"""Of one page: some thousand times what a server needs."""
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

    def __init__(self, websocket_url: str, *, verify_tls: bool, certificate: str = "") -> None:
        """Derive the HTTP address from `websocket_url`; see `client_context` for the others."""
        parts = urlsplit(websocket_url)
        scheme = {"ws": "http", "wss": "https"}[parts.scheme]
        self._base = urlunsplit((scheme, parts.netloc, "", "", ""))
        self._context = client_context(verify=verify_tls, certificate=certificate)

    def scrape_metrics(self) -> dict[str, float] | None:
        """Return the columns read from `/metrics`; None without such a page, or without an answer in time."""
        text = self._get("/metrics", TIMEOUT_S)
        try:
            return None if text is None else parse_exposition(text)
        except ValueError:
            return None

    def introspect(self, page: str) -> dict[str, Any] | None:
        """Return what `/debug/<page>` answers; None without such a page, or without an answer in time.

        What is nested too deep or is no object is no such page; a number that is none is None.
        """
        text = self._get(f"/debug/{page}", INTROSPECTION_TIMEOUT_S)
        try:
            found = None if text is None else pydantic_core.from_json(text, allow_inf_nan=False)
        except ValueError:
            return None
        return without_nan(found) if isinstance(found, dict) else None

    def answers(self) -> bool:
        """Return whether the server reacts to a request at all; pages it lacks, and a plain no, count."""
        try:
            get(self._base, "/", self._context, within_s=TIMEOUT_S, most_bytes=MOST_BYTES)
        except (TooLongError, HTTPException):
            return True
        except OSError:  # refused, hung up on, or nothing in time
            return False
        return True

    def _get(self, path: str, timeout_s: float) -> str | None:
        try:
            answer = get(self._base, path, self._context, within_s=timeout_s, most_bytes=MOST_BYTES)
        except (OSError, HTTPException):
            return None
        return answer.body.decode("utf-8", errors="replace") if answer.status == HTTPStatus.OK else None


def parse_exposition(text: str) -> dict[str, float] | None:
    """Pick the known metrics out of a Prometheus text exposition; None when it holds none of them.

    Raises `ValueError` when the text is no exposition.
    """
    columns: dict[str, float] = {}
    ours = "\n".join(line for line in text.split("\n") if line.startswith(tuple(COLUMN_OF_METRIC)))
    for family in text_string_to_metric_families(ours + "\n"):
        for sample in family.samples:
            column = COLUMN_OF_METRIC.get(sample.name)
            if column is not None:
                columns[column] = columns.get(column, 0.0) + sample.value
    return columns or None
