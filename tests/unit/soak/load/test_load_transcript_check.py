from collections.abc import Iterable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from soak.load.clips import Clip
from soak.load.transcript_check import CLIPS_TOLD, SHOWN_CHARS, TranscriptCheck


def clip(name: str, transcript: str | None) -> Clip:
    return Clip(name, "en", transcript, "", b"")


DIGITS, UNKNOWN, SILENCE = clip("digits", "三八一零"), clip("unknown", None), clip("silence", "")


class Told:
    """A check, and what it told."""

    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.check = TranscriptCheck(lambda event, details: self.events.append((event, details)))

    def take(self, answers: Iterable[tuple[Clip, str]]) -> None:
        for connection, (heard, transcript) in enumerate(answers, 1):
            self.check.take(heard, transcript, connection)

    def named(self, event: str) -> list[dict[str, Any]]:
        return [details for name, details in self.events if name == event]


def test_the_first_transcript_of_each_clip_is_told_with_its_errors() -> None:
    told = Told()
    told.take([(DIGITS, "三七一零"), (UNKNOWN, "hello"), (SILENCE, "啊"), (DIGITS, "三七一零")])
    assert told.events == [
        (
            "first_transcript",
            {
                "clip": "digits",
                "connection": 1,
                "reference": "三八一零",
                "transcript": "三七一零",
                "character_errors": 1,
                "reference_characters": 4,
            },
        ),
        (
            "first_transcript",
            {
                "clip": "unknown",
                "connection": 2,
                "reference": None,
                "transcript": "hello",
                "character_errors": None,
                "reference_characters": None,
            },
        ),
        (
            "first_transcript",
            {
                "clip": "silence",
                "connection": 3,
                "reference": "",
                "transcript": "啊",
                "character_errors": 1,
                "reference_characters": 0,
            },
        ),
    ]
    assert (told.check.checked, told.check.changed) == (3, 0)
    assert (told.check.total.errors, told.check.total.characters) == (3, 8)


def test_a_transcript_that_differs_from_the_first_of_its_clip_is_named_with_both_texts() -> None:
    told = Told()
    told.take(
        [(DIGITS, "三八一零"), (UNKNOWN, "a"), (DIGITS, "三八一"), (UNKNOWN, "b"), (DIGITS, "三八一零")]
    )
    assert told.named("transcript_changed") == [
        {
            "clip": "digits",
            "connection": 3,
            "now": "三八一",
            "first": "三八一零",
            "first_connection": 1,
        },
        {"clip": "unknown", "connection": 4, "now": "b", "first": "a", "first_connection": 2},
    ]
    assert told.check.changed == 2
    assert told.check.clips() == [
        {
            "clip": "digits",
            "connections": 3,
            "transcripts_changed": 1,
            "character_errors": 1,
            "reference_characters": 12,
        },
        {
            "clip": "unknown",
            "connections": 2,
            "transcripts_changed": 1,
            "character_errors": None,
            "reference_characters": None,
        },
    ]


def test_of_long_texts_the_part_with_the_difference_is_told() -> None:
    told = Told()
    same = "0123456789" * 100
    told.take([(UNKNOWN, f"{same}three{same}"), (UNKNOWN, f"{same}eight{same}")])
    (change,) = told.named("transcript_changed")
    for text, word in ((change["first"], "three"), (change["now"], "eight")):
        assert word in text
        assert len(text) <= SHOWN_CHARS + 1
    (first,) = told.named("first_transcript")
    assert len(first["transcript"]) <= SHOWN_CHARS


def test_of_a_great_many_clips_the_first_are_told_and_all_are_counted() -> None:
    told = Told()
    told.take((clip(f"clip-{n}", "one"), "won") for n in range(CLIPS_TOLD + 5))
    assert len(told.named("first_transcript")) == CLIPS_TOLD
    assert len(told.check.clips()) == CLIPS_TOLD
    assert told.check.total.characters == 3 * (CLIPS_TOLD + 5)


@given(
    st.lists(
        st.tuples(st.sampled_from([DIGITS, UNKNOWN, SILENCE]), st.sampled_from(["", "三八", "三八一零"]))
    )
)
def test_the_clips_add_up_to_the_whole(answers: list[tuple[Clip, str]]) -> None:
    told = Told()
    told.take(answers)
    check, clips = told.check, told.check.clips()

    def total(column: str) -> int:
        return sum(int(each[column] or 0) for each in clips)  # type: ignore[call-overload]  # counts or None

    assert total("connections") == len(answers)
    assert total("transcripts_changed") == check.changed == len(told.named("transcript_changed"))
    assert total("character_errors") == check.total.errors
    assert total("reference_characters") == check.total.characters
    assert check.checked == sum(heard.transcript is not None for heard, _ in answers)
