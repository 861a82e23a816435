"""What a client sends is cut into small steps, and means the same as before."""

from __future__ import annotations

import itertools
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.protocol import SERVER, Protocol

from asr_server.frame_cutter import FRAGMENT_BYTES, FrameCutter, TextTooLong

LARGEST, LONGEST_TEXT = 1_000_000, 65_536


def cutter(*, compressed: bool = False) -> FrameCutter:
    return FrameCutter(max_message_bytes=LARGEST, max_text_bytes=LONGEST_TEXT, compressed=compressed)


def steps_of(cutter: FrameCutter, data: bytes, cuts: list[int]) -> list[bytes | TextTooLong]:
    """Let data come in pieces and give all steps."""
    found: list[bytes | TextTooLong] = []
    bounds = [0, *sorted({cut for cut in cuts if cut < len(data)}), len(data)]
    for start, end in itertools.pairwise(bounds):
        cutter.take_in(data[start:end])
        while (step := cutter.next_step()) is not None:
            found.append(step)
    return found


def messages_in(data: list[bytes]) -> list[tuple[Opcode, bytes]]:
    """What a server reads in it: whole messages, and control frames; then how it failed, if it did."""
    protocol = Protocol(SERVER, max_size=LARGEST)
    for each in data:
        protocol.receive_data(each)
    found: list[tuple[Opcode, bytes]] = []
    whole: list[Frame] = []
    for event in protocol.events_received():
        assert isinstance(event, Frame)
        if event.opcode not in {Opcode.TEXT, Opcode.BINARY, Opcode.CONT}:
            found.append((event.opcode, bytes(event.data)))
            continue
        whole.append(event)
        if event.fin:
            found.append((whole[0].opcode, b"".join(bytes(part.data) for part in whole)))
            whole.clear()
    if protocol.close_sent is not None:
        found.append((Opcode.CLOSE, struct.pack("!H", protocol.close_sent.code)))
    return found


def written(frames: list[tuple[Opcode, bytes, bool]]) -> bytes:
    return b"".join(Frame(opcode, data, fin).serialize(mask=True) for opcode, data, fin in frames)


sizes = st.one_of(
    st.integers(0, 300),
    st.sampled_from([125, 126, 127, 65535, 65536, FRAGMENT_BYTES - 1, FRAGMENT_BYTES, FRAGMENT_BYTES + 1]),
    st.integers(FRAGMENT_BYTES, 5 * FRAGMENT_BYTES),
)
messages = st.one_of(
    st.tuples(st.just(Opcode.BINARY), sizes, st.integers(1, 4)),
    st.tuples(st.just(Opcode.TEXT), st.integers(0, LONGEST_TEXT), st.integers(1, 4)),
    st.tuples(st.sampled_from([Opcode.PING, Opcode.PONG]), st.integers(0, 125), st.just(1)),
)


@given(st.lists(messages, max_size=4), st.lists(st.integers(0, 200_000), max_size=6), st.booleans())
def test_a_reader_finds_the_same_messages(
    wanted: list[tuple[Opcode, int, int]], cuts: list[int], compressed: bool
) -> None:
    frames = []
    for opcode, size, parts in wanted:
        payload = bytes(number % 251 for number in range(size))
        length = -(-size // parts) or 1
        pieces = [payload[start : start + length] for start in range(0, size, length)] or [b""]
        for place, piece in enumerate(pieces):
            frames.append((Opcode.CONT if place else opcode, piece, place == len(pieces) - 1))
    data = written(frames)
    steps = steps_of(cutter(compressed=compressed), data, cuts)
    assert all(isinstance(step, bytes) for step in steps)
    found = [step for step in steps if isinstance(step, bytes)]
    assert messages_in(found) == messages_in([data])
    assert max(map(len, found), default=0) <= max(LONGEST_TEXT, FRAGMENT_BYTES) + 14


@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=5))
def test_what_is_wrong_is_found_by_the_reader_as_before(data: bytes, cuts: list[int]) -> None:
    steps = steps_of(cutter(), data, cuts)
    if not any(isinstance(step, TextTooLong) for step in steps):
        assert messages_in([step for step in steps if isinstance(step, bytes)]) == messages_in([data])


def test_small_frames_are_not_copied() -> None:
    data = written([(Opcode.BINARY, b"a" * 1920, True)])
    plain = cutter()
    plain.take_in(data)
    assert plain.next_step() is data
    assert plain.next_step() is None


def test_text_that_is_too_long_is_told_before_it_has_come_and_skipped() -> None:
    long = written([(Opcode.TEXT, b"[" * 200_000, True)])
    ping = written([(Opcode.PING, b"p", True)])
    steps = steps_of(cutter(), long + ping, [14, 1000, 150_000])
    assert steps[0] == TextTooLong(200_000)
    assert messages_in([step for step in steps if isinstance(step, bytes)]) == [(Opcode.PING, b"p")]


def test_a_message_that_is_too_large_is_left_to_be_refused_by_its_header() -> None:
    header = written([(Opcode.BINARY, b"a" * (LARGEST + 1), True)])[:14]
    assert messages_in([step for step in steps_of(cutter(), header, []) if isinstance(step, bytes)]) == [
        (Opcode.CLOSE, struct.pack("!H", 1009))
    ]


@pytest.mark.parametrize("compressed", [False, True])
def test_a_large_frame_is_given_while_it_comes(compressed: bool) -> None:
    data = written([(Opcode.BINARY, b"a" * LARGEST, True)])
    large = cutter(compressed=compressed)
    given_bytes = 0
    for start in range(0, len(data), 100_000):
        large.take_in(data[start : start + 100_000])
        while (step := large.next_step()) is not None:
            assert isinstance(step, bytes)
            given_bytes += len(step)
        assert given_bytes >= min(len(data), start + 100_000) - 14
