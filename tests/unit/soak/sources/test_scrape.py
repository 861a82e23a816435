"""The server's own figures: known ones are taken, everything else is left alone."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from soak.sources import ServerPages
from soak.sources.scrape import parse_exposition

EXPOSITION = """# TYPE asr_connections_open gauge
asr_connections_open 3
# TYPE asr_audio_seconds_total counter
asr_audio_seconds_total 12.5
# TYPE asr_python_gc_objects gauge
asr_python_gc_objects{generation="0"} 10
asr_python_gc_objects{generation="1"} 5
# TYPE something_else gauge
something_else 1
"""


class _Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = EXPOSITION.encode() if self.path == "/metrics" else b""
        self.send_response(200 if body else 404)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""


@pytest.fixture
def address() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), _Page) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_known_metrics_become_columns_and_labels_are_summed() -> None:
    assert parse_exposition(EXPOSITION) == {
        "server_open_connections": 3.0,
        "server_audio_s": 12.5,
        "server_gc_objects": 15.0,
    }


def test_metrics_are_found_on_the_port_of_the_websocket(address: str) -> None:
    columns = ServerPages(f"ws://{address}/any/path", verify_tls=False).scrape_metrics()
    assert columns is not None
    assert columns["server_open_connections"] == 3.0


def test_a_server_without_metrics_is_a_gap() -> None:
    with HTTPServer(("127.0.0.1", 0), _Page) as unserved:
        closed = f"127.0.0.1:{unserved.server_address[1]}"
    assert ServerPages(f"ws://{closed}", verify_tls=False).scrape_metrics() is None
    assert parse_exposition("something_else 1\n") is None
