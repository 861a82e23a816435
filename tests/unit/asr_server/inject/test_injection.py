import pytest

from asr_server.inject import KINDS, Injection, kinds_in_words, parse_injection


@pytest.mark.parametrize(
    ("text", "size_bytes"),
    [
        ("session:64KiB", 65536), ("session:1B", 1), ("session:2KB", 2000),
        ("session:1.5MB", 1_500_000), ("session:1MiB", 1048576), ("session:1GiB", 2**30),
    ],
)  # fmt: skip
def test_sizes_are_read_with_their_units(text: str, size_bytes: int) -> None:
    assert parse_injection(text) == Injection("session", size_bytes)


def test_probability_and_beginning_may_follow() -> None:
    assert parse_injection("native:2MiB:0.02") == Injection("native", 2 * 2**20, 0.02, 0)
    assert parse_injection("native:2MiB:1:300") == Injection("native", 2 * 2**20, 1.0, 300)
    assert parse_injection(str(Injection("fd", 4096, 0.02, 7))) == Injection("fd", 4096, 0.02, 7)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("session", "no size: write for example session:64KiB"),
        ("sesion:64KiB", "unknown kind 'sesion': use one of session, state, abrupt"),
        (":64KiB", "unknown kind ''"),
        ("session:", "no valid size"),
        ("session:64", "no valid size"),
        ("session:0KiB", "no valid size"),
        ("session:-1KiB", "no valid size"),
        ("session:64kib", "no valid size"),
        ("session:64KiB\n", "no valid size"),
        ("session:900GiB", "at most 16GiB"),
        ("session:1KiB:0", "probability '0'"),
        ("session:1KiB:1.5", "probability '1.5'"),
        ("session:1KiB:nan", "probability 'nan'"),
        ("session:1KiB:often", "probability 'often'"),
        ("session:1KiB::5", "probability ''"),
        ("session:1KiB:1:-5", "begins after '-5'"),
        ("session:1KiB:1:1.5", "begins after '1.5'"),
        ("session:1KiB:1:5:9", "has 5 parts: write KIND:SIZE"),
    ],
)
def test_what_cannot_be_read_is_named(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words) as caught:
        parse_injection(text)
    assert "\n" not in str(caught.value)


def test_every_kind_is_explained() -> None:
    lines = kinds_in_words(79).splitlines()
    assert max(map(len, lines)) <= 79
    assert [line.split()[0] for line in lines if line[2] != " "] == list(KINDS)
    for kind in KINDS:
        assert Injection(kind, 4096, 0.5, 9).in_words().startswith("4096 bytes for every ")
