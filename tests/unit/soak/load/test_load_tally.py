from soak.load.clips import Clip
from soak.load.messages import DriverEvent, Message
from soak.load.session import Answer, SessionError
from soak.load.tally import DETAILED_EVENTS, Tally

CLIP = Clip("one", "en", "one", "en-us", b"")
OTHER = Clip("two", "en", "two", "en-us", b"")


def ignore(_: Message) -> None:
    """A parent that does not listen."""


def test_failures_are_told_in_full_at_first_and_then_only_counted() -> None:
    messages: list[Message] = []
    tally = Tally(messages.append)
    for number in range(1000):
        tally.failed(CLIP, SessionError("handshake", f"attempt\n{number}"))
    names = [message.event for message in messages if isinstance(message, DriverEvent)]
    assert names == ["connection_failed"] * DETAILED_EVENTS + ["no_more_details"]
    assert messages[0].details == {"kind": "handshake", "detail": "attempt 0", "clip": "one"}  # type: ignore[union-attr]  # it is an event, as just asserted
    counters = tally.interval().counters
    assert counters.connections_failed == 1000
    assert counters.failures == {"handshake": 1000}


def test_a_transcript_is_compared_with_the_first_one_of_its_clip() -> None:
    messages: list[Message] = []
    tally = Tally(messages.append)
    for clip, transcript in [(CLIP, "one"), (OTHER, "two"), (CLIP, "one"), (CLIP, "won")]:
        tally.completed(clip, Answer(transcript, 0.1, 0.2))
    assert tally.interval().counters.transcripts_changed == 1
    (event,) = messages
    assert isinstance(event, DriverEvent)
    assert (event.event, event.details) == (
        "transcript_changed",
        {"clip": "one", "first": "one", "now": "won"},
    )


def test_a_success_ends_a_row_of_failures() -> None:
    tally = Tally(ignore)
    tally.failed(CLIP, SessionError("connect_refused", ""))
    tally.failed(CLIP, SessionError("connect_refused", ""))
    assert tally.failures_in_a_row == 2
    tally.completed(CLIP, Answer("one", 0.1, 0.2))
    assert tally.failures_in_a_row == 0


def test_the_drivers_own_memory_and_cpu_are_reported() -> None:
    interval = Tally(ignore).interval()
    assert interval.driver_rss_bytes > 1_000_000
    assert interval.driver_cpu_s > 0
