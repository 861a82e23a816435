from soak.load.clips import Clip
from soak.load.messages import DriverEvent, Message
from soak.load.scenarios import Answer
from soak.load.session import SessionError
from soak.load.tally import DETAILED_EVENTS, Tally

CLIP = Clip("one", "en", "one", "en-us", b"")
OTHER = Clip("two", "en", "two", "en-us", b"")


def ignore(_: Message) -> None:
    """A parent that does not listen."""


def test_failures_are_told_in_full_at_first_and_then_only_counted() -> None:
    messages: list[Message] = []
    tally = Tally(messages.append)
    for number in range(1000):
        tally.failed(CLIP, SessionError("handshake", f"attempt\n{number}"), number)
    names = [message.event for message in messages if isinstance(message, DriverEvent)]
    assert names == ["connection_failed"] * DETAILED_EVENTS + ["no_more_details"]
    first = messages[0]
    assert isinstance(first, DriverEvent)
    assert first.details == {"kind": "handshake", "detail": "attempt 0", "clip": "one", "connection": 0}
    counters = tally.interval().counters
    assert counters.connections_failed == 1000
    assert counters.failures == {"handshake": 1000}


def test_transcripts_are_checked_and_counted() -> None:
    tally = Tally(ignore)
    for number, (clip, transcript) in enumerate(
        [(CLIP, "one"), (OTHER, "too"), (CLIP, "one"), (CLIP, "own")]
    ):
        tally.completed(clip, Answer(transcript, 0.1, 0.2), number)
    counters = tally.interval().counters
    assert (counters.transcripts_changed, counters.transcripts_checked) == (1, 4)
    assert (counters.character_errors, counters.reference_characters) == (3, 12)


def test_every_first_transcript_is_told_but_of_the_changed_ones_only_the_first() -> None:
    messages: list[Message] = []
    tally = Tally(messages.append)
    clips = [Clip(f"clip {n}", "en", None, "", b"") for n in range(3 * DETAILED_EVENTS)]
    for text in ("a", "b"):
        for number, clip in enumerate(clips):
            tally.completed(clip, Answer(text, 0.1, 0.2), number)
    events = [message for message in messages if isinstance(message, DriverEvent)]
    names = [event.event for event in events]
    assert names.count("first_transcript") == len(clips)
    assert names.count("transcript_changed") == DETAILED_EVENTS
    (last,) = [event for event in events if event.event == "no_more_details"]
    assert last.details == {"of": "transcript_changed"}
    tally.tell_clips()
    told = messages[-1]
    assert isinstance(told, DriverEvent)
    assert [each["transcripts_changed"] for each in told.details["clips"]] == [1] * len(clips)


def test_a_success_ends_a_row_of_failures() -> None:
    tally = Tally(ignore)
    tally.failed(CLIP, SessionError("connect_refused", ""), 1)
    tally.failed(CLIP, SessionError("connect_refused", ""), 2)
    assert tally.failures_in_a_row == 2
    tally.completed(CLIP, Answer("one", 0.1, 0.2), 3)
    assert tally.failures_in_a_row == 0


def test_the_drivers_own_memory_and_cpu_are_reported() -> None:
    interval = Tally(ignore).interval()
    assert interval.driver_rss_bytes > 1_000_000
    assert interval.driver_cpu_s > 0
