import json

import pytest

from soak.load.messages import (
    Counters,
    Done,
    DriverEvent,
    Interval,
    Message,
    PhaseChanged,
    Quantiles,
    decode,
    encode,
)

COUNTERS = Counters(
    connections_opened=5, connections_completed=3, failures={"handshake": 2}, audio_s=1.5, character_errors=7
)
LATENCY = Quantiles(p50=1.0, p95=2.0, p99=3.0, count=4)
MESSAGES: list[Message] = [
    PhaseChanged(1.5, "settle", 3),
    Interval(2.5, COUNTERS, 1, LATENCY, None, 30_000_000, 0.5),
    DriverEvent(3.5, "transcript_changed", {"clip": "a", "first": "零一", "now": "二"}),
    Done(4.5, "stopped", COUNTERS, 3.0, LATENCY, LATENCY),
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_a_message_survives_the_way_to_the_parent(message: Message) -> None:
    line = encode(message)
    assert "\n" not in line
    assert decode(line) == message


def test_an_interval_is_flat_and_an_event_carries_its_details_beside_its_name() -> None:
    interval = json.loads(encode(MESSAGES[1]))
    assert interval["type"] == "interval"
    assert interval["connections_completed"] == 3
    assert interval["failures"] == {"handshake": 2}
    assert interval["first_partial_ms"] == {"p50": 1.0, "p95": 2.0, "p99": 3.0, "count": 4}
    assert json.loads(encode(MESSAGES[2]))["now"] == "二"
    assert json.loads(encode(MESSAGES[3]))["latency"]["final_ms"]["count"] == 4


@pytest.mark.parametrize("line", ["", "{}", "[]", '{"type": "news"}', '{"type": "phase"}', "Traceback (most"])
def test_a_line_that_is_no_message_is_refused_in_one_line(line: str) -> None:
    with pytest.raises(ValueError, match="not a message of the load driver") as caught:
        decode(line)
    assert "\n" not in str(caught.value)
